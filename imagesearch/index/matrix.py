"""The descriptors of a collection, perhaps of several segments, perhaps with deleted rows among them."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imagesearch.segmented import Segmented


class DescriptorMatrix(Segmented[NDArray[np.float16]]):
    """The matrices of the segments under one another, each perhaps memory-mapped. Does not change.

    `len` counts every row; those of deleted images are there, but no search may find them.
    """

    def __init__(
        self, parts: Sequence[NDArray[np.float16]], order: NDArray[np.unsignedinteger] | None = None
    ) -> None:
        """parts: at least one, each of shape=(N, D), C order, rows L2-normalised.

        order: shape=(count,), the rows of the images in ascending order of their ids, without those that
        are deleted; None where that is the rows as they stand. Raises ValueError for what does not fit.
        """
        super().__init__(parts)
        for part in parts:
            if part.dtype != np.float16 or part.ndim != 2 or not part.flags.c_contiguous:
                raise ValueError("descriptors must be a C-ordered float16 matrix")
            if part.shape[1] != parts[0].shape[1]:
                raise ValueError("the segments have descriptors of different sizes")
        self._order = order
        self._ranks = None if order is None else _ranks(order, len(self))
        self.live = None if self._ranks is None or len(self) == self.count else self._ranks >= 0
        """shape=(rows,): False where the image is deleted; None where none is."""

    @property
    def dim(self) -> int:
        return int(self.parts[0].shape[1])

    @property
    def count(self) -> int:
        """Images, which is rows that are not deleted."""
        return len(self) if self._order is None else len(self._order)

    @property
    def order(self) -> NDArray[np.int64]:
        """shape=(count,): the rows of the images in ascending order of image id."""
        return self.rows_at(np.arange(self.count))

    def __getitem__(self, rows: ArrayLike) -> NDArray[np.float16]:
        """Copies: shape=(D,) of one row, (K, D) of several, in the order asked for."""
        wanted = np.asarray(rows, np.int64)
        if wanted.ndim == 0:
            part, row = self.locate(int(wanted))
            return np.array(part[row])
        if len(self.parts) == 1:
            return self.parts[0][wanted]
        found = np.empty((len(wanted), self.dim), np.float16)
        owners = np.searchsorted(self.starts, wanted, side="right") - 1
        for number in np.unique(owners):
            here = owners == number
            found[here] = self.parts[number][wanted[here] - self.starts[number]]
        return found

    def blocks(self, max_rows: int) -> Iterator[tuple[int, NDArray[np.float16]]]:
        """Every row in turn, views of at most `max_rows`, each with the number of its first row."""
        for start, part in zip(self.starts.tolist(), self.parts, strict=False):
            for row in range(0, len(part), max_rows):
                yield start + row, part[row : row + max_rows]

    def rows_at(self, places: ArrayLike) -> NDArray[np.int64]:
        """The rows of the images at these places, 0 to count - 1, in ascending order of image id."""
        places = np.asarray(places, np.int64)
        return places if self._order is None else self._order[places].astype(np.int64)

    def ranks(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The reverse: the place of each row's image; -1 for a deleted one."""
        return rows if self._ranks is None else self._ranks[rows].astype(np.int64)

    def without_deleted(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return rows if self.live is None else rows[self.live[rows]]


def _ranks(order: NDArray[np.unsignedinteger], rows: int) -> NDArray[np.int32]:
    if len(order) > rows or (len(order) and int(order.max()) >= rows):
        raise ValueError("the order names rows that are not there")
    ranks = np.full(rows, -1, np.int32)
    ranks[order] = np.arange(len(order), dtype=np.int32)
    return ranks


def prefetch(descriptors: DescriptorMatrix, rows: NDArray[np.int64]) -> None:
    """Has the disk read these rows side by side where they are not in memory yet. rows: ascending.

    Left to page faults, 200 rows of 8 KiB that no cache holds come one after the other, each with its
    neighbours: 1 s on a virtual disk; asked for beforehand 5 to 15 ms. In memory already, a row costs 1.5 µs.
    """
    edges = np.searchsorted(rows, descriptors.starts)
    for part, start, low, high in zip(
        descriptors.parts, descriptors.starts.tolist(), edges[:-1], edges[1:], strict=False
    ):
        mapping = _mapping(part)
        if mapping is None:
            continue
        origin = np.frombuffer(mapping, np.uint8).ctypes.data
        row_bytes = part.shape[1] * part.itemsize
        for offset in (part.ctypes.data - origin + (rows[low:high] - start) * row_bytes).tolist():
            page = offset // mmap.PAGESIZE * mmap.PAGESIZE
            mapping.madvise(mmap.MADV_WILLNEED, page, offset + row_bytes - page)


def _mapping(part: NDArray[np.float16]) -> mmap.mmap | None:
    """What the array looks into; None where that is memory of its own."""
    base: object = part
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None
