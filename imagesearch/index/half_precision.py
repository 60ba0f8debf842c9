"""Distances to float16 rows, widened by faiss: no float32 copy of the matrix is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import faiss
import numpy as np
from numpy.typing import NDArray

from imagesearch.index.matrix import DescriptorMatrix, prefetch


def nearest_rows(
    descriptors: NDArray[np.float16],
    query: NDArray[np.float32],
    k: int,
    selector: faiss.IDSelector | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The at most k nearest by squared L2 distance, in no order. Of equal distances the smaller row is kept.

    descriptors: shape=(N, D), C order; query: shape=(D,), contiguous; selector: of the rows to look at, None
    for all. Returns rows and squared distances, both of one length.
    """
    k = min(k, len(descriptors))
    rows, squared = np.full(k, -1, np.int64), np.full(k, np.inf, np.float32)
    with _scanner(_quantizer(descriptors), selector) as scanner:
        scanner.set_query(faiss.swig_ptr(query))
        scanner.set_list(0, 0.0)
        scanner.scan_codes(
            len(descriptors),
            faiss.swig_ptr(descriptors.view(np.uint8)),
            None,
            faiss.swig_ptr(squared),
            faiss.swig_ptr(rows),
            k,
        )
    found = rows >= 0
    return rows[found], squared[found]


def nearest_among(
    descriptors: DescriptorMatrix, rows: NDArray[np.int64], query: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The k nearest of these rows, best first, ties by image id; all of them where they are fewer.

    rows: shape=(R,), different ones in any order. Returns rows and squared L2 distances.
    """
    rows = np.sort(rows)  # the memory-mapped pages are then read in order
    prefetch(descriptors, rows)
    places, squared = nearest_rows(descriptors[rows], query, len(rows))
    rows = rows[places]
    best = np.lexsort((descriptors.ranks(rows), squared))[:k]
    return rows[best], squared[best]


def widened(descriptors: NDArray[np.float16]) -> NDArray[np.float32]:
    """The same values as float32, by all threads."""
    wide: NDArray[np.float32] = _quantizer(descriptors).decode(descriptors.view(np.uint8))
    return wide


@contextmanager
def _scanner(
    quantizer: faiss.ScalarQuantizer, selector: faiss.IDSelector | None
) -> Iterator[faiss.InvertedListScanner]:
    """Freed here, for faiss leaves that to its caller. Not by `thisown`: once an object is freed that way,
    the bindings of faiss 1.15.1 know no type any more.
    """
    scanner = quantizer.select_InvertedListScanner(faiss.METRIC_L2, None, True, selector)
    try:
        yield scanner
    finally:
        faiss.InvertedListScanner.__swig_destroy__(scanner)


def _quantizer(descriptors: NDArray[np.float16]) -> faiss.ScalarQuantizer:
    return faiss.ScalarQuantizer(descriptors.shape[1], faiss.ScalarQuantizer.QT_fp16)
