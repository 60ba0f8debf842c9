"""Exact search for many queries at once: the matrix is read once for all of them, not once for each."""

from __future__ import annotations

import faiss
import numpy as np
from numpy.typing import NDArray

from imagesearch.index.base import Neighbours
from imagesearch.index.half_precision import nearest_among, widened
from imagesearch.index.matrix import DescriptorMatrix

BLOCK_BYTES = 64 * 1024 * 1024
"""Of float32 rows at once."""
SPARE = 16
"""Matrix products lose digits of small distances, so that some more are kept and compared digit by digit."""


def search_many(
    descriptors: DescriptorMatrix, queries: NDArray[np.float32], k: int, first_row: int = 0
) -> Neighbours:
    """What `ExactIndex.search` finds; of rows that lie within some 1e-6 of the last one, it may be another.

    queries: shape=(Q, D), contiguous. first_row: those before it are not searched.
    """
    candidates = _candidates(descriptors, queries, k + SPARE, first_row)
    rows = np.full((len(queries), k), -1, np.int64)
    distances = np.full((len(queries), k), np.inf, np.float32)
    for number, query in enumerate(queries):
        found, squared = nearest_among(descriptors, candidates[number][candidates[number] >= 0], query, k)
        rows[number, : len(found)], distances[number, : len(found)] = found, np.sqrt(squared)
    return Neighbours(rows, distances)


def _candidates(
    descriptors: DescriptorMatrix, queries: NDArray[np.float32], count: int, first_row: int
) -> NDArray[np.int64]:
    """The nearest by |q|² + |x|² − 2 q·x, shape=(Q, count), -1 where there are fewer."""
    nearest = faiss.ResultHeap(len(queries), count)
    for start, block in descriptors.blocks(max(1, BLOCK_BYTES // (4 * descriptors.dim))):
        rows = descriptors.without_deleted(np.arange(max(start, first_row), start + len(block)))
        if len(rows):
            squared, places = faiss.knn(queries, widened(block[rows - start]), min(count, len(rows)))
            nearest.add_result(squared, rows[places])
    nearest.finalize()
    found: NDArray[np.int64] = nearest.I
    return found
