"""What the networks are compared with: colours alone, and the compact network before any training."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.photos import LIMITS
from benchmarks.quality.photo_sets import PhotoSet
from benchmarks.quality.stores import COMPACT_WEIGHTS, STORES_DIR
from imagesearch.pictures.decode import decode

RANDOM_DRAWS = 3
HSV_BINS = (8, 4, 4)
HSV_BYTES = 2 * 8 * 4 * 4


def random_network(draw: int) -> Path:
    """The compact network's layout with He-normal kernels and no biases; a file for INDEXER_MODEL."""
    path = STORES_DIR / f"random{draw}.npz"
    if not path.is_file():
        rng = np.random.default_rng(draw)
        path.parent.mkdir(parents=True, exist_ok=True)
        with np.load(COMPACT_WEIGHTS, allow_pickle=False) as trained:
            drawn = {name: _drawn(rng, trained[name]) for name in trained.files}
        np.savez(path, **drawn)  # type: ignore[arg-type]
    return path.resolve()


def _drawn(rng: np.random.Generator, like: NDArray[np.floating]) -> NDArray[np.floating]:
    if like.ndim == 1:
        return np.zeros_like(like)
    scale = np.sqrt(2 / np.prod(like.shape[:-1]))
    return np.asarray(rng.standard_normal(like.shape) * scale, like.dtype)


def hsv_rankings(photos: PhotoSet) -> dict[str, list[str]]:
    """For each query all photos by the likeness of their colours."""
    rows = np.stack([hsv_histogram(_pixels(photos, name)) for name in photos.truth.photos])
    place = {name: row for row, name in enumerate(photos.truth.photos)}
    names = np.array(photos.truth.photos)
    return {
        query: names[np.argsort(-(rows @ rows[place[query]]), kind="stable")].tolist()
        for query in photos.truth.relevant
    }


def hsv_histogram(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The roots of the shares of the pixels in 8 × 4 × 4 bins of hue, saturation and value.

    rgb: shape=(H, W, 3). Returns shape=(128,), L2-normalised: dot products are Bhattacharyya coefficients.
    """
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    counts = cv2.calcHist([hsv], [0, 1, 2], None, list(HSV_BINS), [0, 180, 0, 256, 0, 256]).ravel()
    return np.asarray(np.sqrt(counts / counts.sum()), np.float32)


def _pixels(photos: PhotoSet, name: str) -> NDArray[np.uint8]:
    return decode((photos.folder / name).read_bytes(), LIMITS).rgb
