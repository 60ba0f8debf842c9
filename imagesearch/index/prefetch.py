"""Asking the kernel for rows of a memory-mapped matrix before they are read, all at once."""

from __future__ import annotations

import mmap

import numpy as np
from numpy.typing import NDArray

from imagesearch.index.matrix import DescriptorMatrix


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
