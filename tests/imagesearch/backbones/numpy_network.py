"""The compact network once more, in plain NumPy and float64, written from its card alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DEPTHS = (2, 2, 3, 3, 3)


def compact(
    weights_file: Path, pictures: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """pictures: (B, H, W, 3). Returns the last map (B, H // 16, W // 16, 320) and fc6 (B, 512)."""
    with np.load(weights_file) as arrays:
        weights = {name: arrays[name].astype(np.float64) for name in arrays.files}
    maps = (pictures.astype(np.float64) - [123, 117, 104]) / 58
    for block, depth in enumerate(DEPTHS, start=1):
        for conv in range(1, depth + 1):
            name = f"block{block}_conv{conv}"
            maps = np.maximum(_convolve(maps, weights[f"{name}/kernel"]) + weights[f"{name}/bias"], 0)
        if block < len(DEPTHS):
            maps = _max_pool(maps)
    pooled = (np.maximum(maps, 1e-6) ** 3).mean(axis=(1, 2)) ** (1 / 3)
    return maps, np.maximum(pooled @ weights["fc6/kernel"] + weights["fc6/bias"], 0)


def _convolve(maps: NDArray[np.float64], kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """3x3, zeros around the border: the sum of nine shifted matrix products."""
    _, height, width, _ = maps.shape
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)))
    total = np.zeros((*maps.shape[:3], kernel.shape[-1]))
    for row in range(3):
        for column in range(3):
            total += padded[:, row : row + height, column : column + width] @ kernel[row, column]
    return total


def _max_pool(maps: NDArray[np.float64]) -> NDArray[np.float64]:
    batch, height, width, channels = maps.shape
    even = maps[:, : height // 2 * 2, : width // 2 * 2]
    windows = even.reshape(batch, height // 2, 2, width // 2, 2, channels)
    pooled: NDArray[np.float64] = windows.max(axis=(2, 4))
    return pooled
