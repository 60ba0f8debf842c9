"""The inverted file of a segment: plain arrays, memory-mapped."""

from __future__ import annotations

import numpy as np

from imagesearch.descriptors.bof import Bag
from imagesearch.index.inverted import InvertedFile, build_inverted_file
from imagesearch.store.layout import SegmentFiles

_ARRAYS = ("starts", "rows", "weights", "squared_norms")


def posting_name(array: str) -> str:
    """array: of `InvertedFile.to_arrays`."""
    return f"postings_{array}.npy"


def write_inverted_file(files: SegmentFiles, descriptors_name: str) -> None:
    """From the segment's descriptors, which are bags as dense vectors."""
    rows = np.load(files.path(descriptors_name), mmap_mode="r", allow_pickle=False)
    bags = (_bag(row.astype(np.float32)) for row in rows)
    for name, array in build_inverted_file(bags, rows.shape[1]).to_arrays().items():
        np.save(files.path(posting_name(name)), array, allow_pickle=False)


def open_inverted_file(files: SegmentFiles) -> InvertedFile:
    """Raises OSError or ValueError where the files cannot be read."""
    paths = {name: files.path(posting_name(name)) for name in _ARRAYS}
    return InvertedFile.from_arrays(
        {name: np.load(path, mmap_mode="r", allow_pickle=False) for name, path in paths.items()}
    )


def _bag(row: np.ndarray) -> Bag:
    words = np.flatnonzero(row).astype(np.int32)
    return Bag(words, row[words])
