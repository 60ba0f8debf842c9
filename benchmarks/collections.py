"""Collections of any size from the descriptors of real photos.

A few thousand photos cannot fill an index of millions, so they are widened: each new descriptor is a mixture
of two real ones, a Beta(0.4, 0.4) share of each so that most lie near one photo, plus Gaussian noise of a
third of the collection's own covariance, clipped at zero as after a ReLU and normalised. Four-thousand-
dimensional ones are the same after one more random layer with a ReLU. Neighbours are then as crowded as
among real photos and of as few underlying dimensions; what is missing is the structure that only more
photos would have.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BLOCK_ROWS = 16_384
NOISE_SHARE = 1 / 3


class Widener:
    """Draws descriptors like the given ones. Deterministic for a seed."""

    def __init__(self, real: NDArray[np.float32], dim: int, seed: int = 0) -> None:
        """real: shape=(N, d), L2-normalised; dim: of what is drawn, d or more."""
        self._rng = np.random.default_rng(seed)
        self._real = real
        covariance = np.cov(real, rowvar=False)
        values, vectors = np.linalg.eigh(covariance)
        self._noise = (vectors * np.sqrt(np.maximum(values, 0) * NOISE_SHARE)).astype(np.float32)
        self._layer = None
        if dim > real.shape[1]:
            shape = (real.shape[1], dim)
            self._layer = self._rng.standard_normal(shape, dtype=np.float32)

    def draw(self, count: int) -> NDArray[np.float32]:
        """shape=(count, dim), rows L2-normalised."""
        rng, real = self._rng, self._real
        first, second = rng.integers(len(real), size=(2, count))
        share = rng.beta(0.4, 0.4, size=(count, 1)).astype(np.float32)
        rows = real[first] * share + real[second] * (1 - share)
        rows += rng.standard_normal(rows.shape, dtype=np.float32) @ self._noise.T
        rows = np.maximum(rows, 0)
        if self._layer is not None:
            rows = np.maximum((rows - rows.mean(axis=1, keepdims=True)) @ self._layer, 0)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows / np.maximum(norms, 1e-12), dtype=np.float32)


def write_collection(path: Path, widener: Widener, count: int, dim: int) -> NDArray[np.float16]:
    """A float16 .npy file of `count` rows, written in blocks; returned memory-mapped."""
    matrix = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(count, dim))
    for start in range(0, count, BLOCK_ROWS):
        matrix[start : start + BLOCK_ROWS] = widener.draw(min(BLOCK_ROWS, count - start))
    matrix.flush()
    del matrix
    return np.asarray(np.load(path, mmap_mode="r"))
