"""Compares a query with every descriptor: the reference that approximate indexes are checked against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import faiss
import numpy as np
from numpy.typing import NDArray

from imagesearch.index.base import Neighbours
from imagesearch.index.half_precision import nearest_among, nearest_rows, widened
from imagesearch.index.matrix import DescriptorMatrix

ROWS_WORTH_A_THREAD = 1024
"""Below this a range is scanned sooner than it is handed to another thread."""
MANY_QUERIES = 20
"""From here on reading the matrix once is worth the products."""


@dataclass(frozen=True, slots=True, eq=False)
class _Range:
    """Rows that one thread scans."""

    start: int
    descriptors: NDArray[np.float16]
    selector: faiss.IDSelector | None
    """Of the rows that may be found; None for all."""


class ExactIndex:
    """Linear scan over float16 rows, perhaps memory-mapped: they are widened in registers, not copied.

    An `Index`. Distances are computed in float32; equal rows get equal distances.
    """

    kind = "exact"
    approximate = False

    def __init__(self, descriptors: DescriptorMatrix, threads: int) -> None:
        self._descriptors = descriptors
        self._ranges = list(_ranges(descriptors, threads))
        self._pool = ThreadPoolExecutor(max(1, threads), thread_name_prefix="exact-index")

    def __len__(self) -> int:
        return self._descriptors.count

    def search(
        self, queries: NDArray[np.float32], k: int, among: NDArray[np.bool_] | None = None
    ) -> Neighbours:
        """queries: shape=(Q, D), k >= 1, or ValueError; see `Index`."""
        queries = np.ascontiguousarray(queries, np.float32)
        if queries.ndim != 2 or queries.shape[1] != self._descriptors.dim:
            raise ValueError(f"queries must be of shape (Q, {self._descriptors.dim})")
        if k < 1:
            raise ValueError("k must be at least 1")
        if among is None and len(queries) >= MANY_QUERIES:
            return search_many(self._descriptors, queries, k)
        ranges = self._ranges if among is None else [_narrowed(each, among) for each in self._ranges]
        rows = np.full((len(queries), k), -1, np.int64)
        distances = np.full((len(queries), k), np.inf, np.float32)
        for query, query_rows, query_distances in zip(queries, rows, distances, strict=True):
            found, squared = self._nearest(query, k, ranges)
            query_rows[: len(found)] = found
            query_distances[: len(found)] = np.sqrt(squared)
        return Neighbours(rows, distances)

    def close(self) -> None:
        """See `Index`."""
        self._pool.shutdown()

    def _nearest(
        self, query: NDArray[np.float32], k: int, ranges: Sequence[_Range]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rows and squared distances of one query, best first."""
        if len(ranges) == 1:
            parts = [_nearest_in(ranges[0], query, k)]
        else:
            parts = list(self._pool.map(lambda each: _nearest_in(each, query, k), ranges))
        rows, squared = (np.concatenate(column) for column in zip(*parts, strict=True))
        # Within a range rows ascend by image id, so that each has kept the right ones of equal distances.
        best = np.lexsort((self._descriptors.ranks(rows), squared))[:k]
        return rows[best], squared[best]


def _nearest_in(
    span: _Range, query: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    rows, squared = nearest_rows(span.descriptors, query, k, span.selector)
    return rows + span.start, squared


def _ranges(descriptors: DescriptorMatrix, threads: int) -> Iterator[_Range]:
    """Ranges that cover every row, none across segments, those of one segment of nearly equal length."""
    for start, part in zip(descriptors.starts.tolist(), descriptors.parts, strict=False):
        pieces = max(1, min(threads, len(part) // ROWS_WORTH_A_THREAD))
        edges = np.linspace(0, len(part), pieces + 1).astype(int)
        for low, high in zip(edges[:-1], edges[1:], strict=True):
            yield _Range(start + low, part[low:high], _selector(descriptors.live, start + low, start + high))


def _narrowed(span: _Range, among: NDArray[np.bool_]) -> _Range:
    return replace(span, selector=_selector(among, span.start, span.start + len(span.descriptors)))


def _selector(allowed: NDArray[np.bool_] | None, start: int, end: int) -> faiss.IDSelector | None:
    if allowed is None or allowed[start:end].all():
        return None
    return faiss.IDSelectorBitmap(np.packbits(allowed[start:end], bitorder="little"))


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
