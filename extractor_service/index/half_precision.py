"""Distances to float16 rows, widened in registers by faiss: no float32 copy of the matrix is made."""

from __future__ import annotations

import faiss
import numpy as np
from numpy.typing import NDArray


def nearest_rows(
    descriptors: NDArray[np.float16], row_ids: NDArray[np.int64], query: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The min(k, N) nearest by squared L2 distance, in no order. Of equal distances the smaller id is kept.

    descriptors: shape=(N, D), C order; row_ids: shape=(N,), ascending, what to call the rows;
    query: shape=(D,), contiguous. Returns ids and squared distances, both shape=(min(k, N),).
    """
    k = min(k, len(row_ids))
    rows, squared = np.full(k, -1, np.int64), np.full(k, np.inf, np.float32)
    quantizer = faiss.ScalarQuantizer(descriptors.shape[1], faiss.ScalarQuantizer.QT_fp16)
    scanner = quantizer.select_InvertedListScanner(faiss.METRIC_L2, None, False, None)
    scanner.set_query(faiss.swig_ptr(query))
    scanner.set_list(0, 0.0)
    scanner.scan_codes(
        len(row_ids),
        faiss.swig_ptr(descriptors.view(np.uint8)),
        faiss.swig_ptr(row_ids),
        faiss.swig_ptr(squared),
        faiss.swig_ptr(rows),
        k,
    )
    return rows, squared
