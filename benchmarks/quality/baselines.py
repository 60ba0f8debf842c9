"""What the networks are compared with: colours alone, and EfficientNet-Lite0 before any training."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.photos import LIMITS
from benchmarks.quality.photo_sets import PhotoSet
from benchmarks.quality.stores import STORES_DIR
from imagesearch.backbones.making.efficientnet_layout import EFFICIENTNET_LITE0_LAYOUT
from imagesearch.pictures.decode import decode

RANDOM_DRAWS = 3
HSV_BINS = (8, 4, 4)
HSV_BYTES = 2 * 8 * 4 * 4


def random_network(draw: int) -> Path:
    """EfficientNet-Lite0's layout with He-normal kernels and no biases; a file for INDEXER_MODEL."""
    path = STORES_DIR / f"random{draw}.npz"
    if not path.is_file():
        rng = np.random.default_rng(draw)
        path.parent.mkdir(parents=True, exist_ok=True)
        shapes = EFFICIENTNET_LITE0_LAYOUT.weight_shapes()
        drawn = {name: _drawn(rng, name, shape) for name, shape in shapes.items()}
        np.savez(path, **drawn)  # type: ignore[arg-type]
    return path.resolve()


def _drawn(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if name.endswith("/bias"):
        return np.zeros(shape, np.float32)
    inputs = np.prod(shape[:2] if "depthwise" in name else shape[:3])
    return np.asarray(rng.standard_normal(shape) * np.sqrt(2 / inputs), np.float32)


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
