"""Collections of any size from the descriptors of real photos.

A few thousand photos cannot fill an index of millions, so they are widened: each new descriptor is a mixture
of two real ones, a Beta(0.4, 0.4) share of each so that most lie near one photo, plus Gaussian noise along
the collection's 64 directions of largest variance (95% of it) with a third of that variance, clipped at zero
as after a ReLU and normalised. Where more dimensions are wanted than the real ones have, those first go
through one random layer with a ReLU. Neighbours are then as crowded as among real photos and of as few
underlying dimensions; what is missing is the structure that only more photos would have.
"""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from imagesearch.index.building.training import principal_directions

BLOCK_ROWS = 16_384
NOISE_SHARE = 1 / 3
NOISE_DIRECTIONS = 64


class Widener:
    """Draws descriptors like the given ones. Deterministic for a seed."""

    def __init__(self, real: NDArray[np.float32], dim: int, seed: int = 0) -> None:
        """real: shape=(N, d), L2-normalised; dim: of what is drawn, d or more."""
        self._rng = np.random.default_rng(seed)
        if dim > real.shape[1]:
            layer = self._rng.standard_normal((real.shape[1], dim), dtype=np.float32)
            real = normalised(np.maximum((real - real.mean(axis=1, keepdims=True)) @ layer, 0))
        self._real = real
        mean, directions = principal_directions(real, NOISE_DIRECTIONS, self._rng)
        spread = np.std((real - mean) @ directions.T, axis=0, keepdims=True).T
        self._noise = (directions * spread * np.sqrt(NOISE_SHARE)).astype(np.float32)

    def draw(self, count: int) -> NDArray[np.float32]:
        """shape=(count, dim), rows L2-normalised."""
        rng, real = self._rng, self._real
        rows = rng.standard_normal((count, len(self._noise)), dtype=np.float32) @ self._noise
        share = rng.beta(0.4, 0.4, size=(count, 1)).astype(np.float32)
        for weight in (share, 1 - share):
            rows += real[rng.integers(len(real), size=count)] * weight
        return normalised(np.maximum(rows, 0, out=rows))

    def draw_half(self, count: int) -> NDArray[np.float16]:
        """The same, rounded as a store keeps them: by faiss, for NumPy would take most of the time."""
        rows = self.draw(count)
        quantizer = faiss.ScalarQuantizer(rows.shape[1], faiss.ScalarQuantizer.QT_fp16)
        return np.asarray(quantizer.compute_codes(rows).view(np.float16))


def normalised(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """In place."""
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return rows


def write_collection(path: Path, widener: Widener, count: int, dim: int) -> NDArray[np.float16]:
    """A float16 .npy file of `count` rows, written in blocks; returned memory-mapped."""
    with path.open("wb") as file:
        header = {"descr": "<f2", "fortran_order": False, "shape": (count, dim)}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, count, BLOCK_ROWS):
            file.write(widener.draw_half(min(BLOCK_ROWS, count - start)).tobytes())
    return np.asarray(np.load(path, mmap_mode="r"))
