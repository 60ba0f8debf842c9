"""Where a RootSIFT vector lies: in a cell, one of 65,536, and within it by a signature of 64 bits.

The cells are those of an inverted multi-index (Babenko & Lempitsky, CVPR 2012): each half of the vector is
quantised by itself. Signatures are those of Hamming embedding (Jégou, Douze & Schmid, ECCV 2008, section 3):
on which side of the cell's centre the vector lies along 64 directions, so that near ones differ in few bits.
Both were learnt once, on other photos (`python -m scripts.learn_codebook`): a store needs none of its own.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imagesearch.array_file import load_arrays
from imagesearch.local_features.features import DIM

CENTROIDS = 256
"""Of each half."""
CELLS = CENTROIDS**2
HALF = DIM // 2
SIGNATURE_BITS = 64

CELLS_PATH = Path(__file__).with_name("cells.npz")
CENTROIDS_SCALE = 512.0


class _Learnt(NamedTuple):
    centroids: NDArray[np.float32]
    """shape=(2, CENTROIDS, HALF)"""
    directions: NDArray[np.float32]
    """shape=(DIM, SIGNATURE_BITS)"""
    centres: NDArray[np.float32]
    """shape=(2, CENTROIDS, SIGNATURE_BITS): the centroids along the directions."""


@cache
def _learnt() -> _Learnt:
    arrays = load_arrays(CELLS_PATH)
    centroids = arrays["centroids"].astype(np.float32) / np.float32(CENTROIDS_SCALE)
    directions = arrays["directions"].astype(np.float32)
    centres = np.matmul(centroids, directions.reshape(2, HALF, SIGNATURE_BITS))
    return _Learnt(centroids, directions, centres)


def nearest_cells(root_sift: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """root_sift: shape=(N, 128). Returns shape=(N, count): each vector's cells, the nearest first."""
    halves = root_sift.reshape(-1, 2, HALF).transpose(1, 0, 2)
    centroids = _learnt().centroids
    # Half of the squared distance, less what is the same for all centroids.
    far = (centroids**2).sum(axis=2)[:, None] / 2 - halves @ centroids.transpose(0, 2, 1)
    if count == 1:
        first, second = far.argmin(axis=2)
        return np.asarray(first * CENTROIDS + second)[:, None]
    near = np.argpartition(far, count - 1, axis=2)[:, :, :count]
    first, second = np.take_along_axis(far, near, axis=2)
    sums = (first[:, :, None] + second[:, None, :]).reshape(len(root_sift), count**2)
    cells = (near[0][:, :, None] * CENTROIDS + near[1][:, None, :]).reshape(len(root_sift), count**2)
    best = np.argsort(sums, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(cells, best, axis=1)


def signatures(root_sift: NDArray[np.float32], cells: NDArray[np.int64]) -> NDArray[np.uint64]:
    """root_sift: shape=(N, 128). cells: shape=(N,) or (N, count). Returns the shape of the cells."""
    _, directions, (first, second) = _learnt()
    along = root_sift @ directions
    along = along.reshape(len(along), *(1,) * (cells.ndim - 1), SIGNATURE_BITS)
    beyond = along > first[cells // CENTROIDS] + second[cells % CENTROIDS]
    return np.packbits(beyond, axis=-1, bitorder="little").view("<u8")[..., 0]
