"""Compares a query with every descriptor: the reference that approximate indexes are checked against."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from extractor_service.index.base import Neighbours
from extractor_service.index.half_precision import nearest_rows

ROWS_WORTH_A_THREAD = 1024
"""Below this a range is scanned sooner than it is handed to another thread."""


class ExactIndex:
    """Linear scan over a float16 matrix, perhaps memory-mapped: rows are widened in registers, not copied.

    An `Index`. Distances are computed in float32; equal rows get equal distances.
    """

    kind = "exact"
    approximate = False

    def __init__(self, descriptors: NDArray[np.float16], threads: int) -> None:
        """descriptors: shape=(N, D), dtype=float16, C order; must outlive the index and not change."""
        if descriptors.dtype != np.float16 or descriptors.ndim != 2 or not descriptors.flags.c_contiguous:
            raise ValueError("descriptors must be a C-ordered float16 matrix")
        self._descriptors = descriptors
        self._row_ids = np.arange(len(descriptors), dtype=np.int64)
        self._ranges = _split(len(descriptors), threads)
        self._pool = ThreadPoolExecutor(max(1, len(self._ranges)), thread_name_prefix="exact-index")

    def __len__(self) -> int:
        return len(self._descriptors)

    def search(self, queries: NDArray[np.float32], k: int) -> Neighbours:
        """queries: shape=(Q, D), k >= 1, or ValueError; see `Index`."""
        queries = np.ascontiguousarray(queries, np.float32)
        if queries.ndim != 2 or queries.shape[1] != self._descriptors.shape[1]:
            raise ValueError(f"queries must be of shape (Q, {self._descriptors.shape[1]})")
        if k < 1:
            raise ValueError("k must be at least 1")
        rows = np.full((len(queries), k), -1, np.int64)
        distances = np.full((len(queries), k), np.inf, np.float32)
        for query, query_rows, query_distances in zip(queries, rows, distances, strict=True):
            found, squared = self._nearest(query, min(k, len(self)))
            query_rows[: len(found)] = found
            query_distances[: len(found)] = np.sqrt(squared)
        return Neighbours(rows, distances)

    def _nearest(self, query: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rows and squared distances of one query, best first; k at most N."""
        if k == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        if len(self._ranges) == 1:
            parts = [nearest_rows(self._descriptors, self._row_ids, query, k)]
        else:
            parts = list(self._pool.map(lambda span: self._nearest_in(span, query, k), self._ranges))
        rows, squared = (np.concatenate(column) for column in zip(*parts, strict=True))
        best = np.lexsort((rows, squared))[:k]
        return rows[best], squared[best]

    def _nearest_in(
        self, span: slice, query: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        return nearest_rows(self._descriptors[span], self._row_ids[span], query, k)


def _split(count: int, threads: int) -> list[slice]:
    """Ranges of nearly equal length that cover `count` rows, at most one a thread."""
    parts = max(1, min(threads, count // ROWS_WORTH_A_THREAD))
    edges = np.linspace(0, count, parts + 1).astype(int)
    return [slice(start, end) for start, end in zip(edges[:-1], edges[1:], strict=True)]
