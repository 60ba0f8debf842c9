"""Pictures for the networks: smooth ones drawn from a seed, and real photos where they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.conftest import evaluation_photos


def smooth_pictures(count: int, size_px: int, seed: int) -> NDArray[np.uint8]:
    """Coloured clouds with a little grain: like photos, neighbouring pixels resemble each other."""
    rng = np.random.default_rng(seed)
    pictures = np.empty((count, size_px, size_px, 3), dtype=np.uint8)
    for picture in pictures:
        coarse = Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8))
        clouds = np.asarray(coarse.resize((size_px, size_px), Image.Resampling.BICUBIC), dtype=np.float64)
        picture[...] = np.clip(clouds + rng.normal(0, 8, clouds.shape), 0, 255)
    return pictures


def photos(count: int, size_px: int) -> NDArray[np.uint8]:
    """The first evaluation photos, none on a machine that lacks them."""
    files = sorted((evaluation_photos() / "holidays").glob("*.jpg"))[:count]
    pictures = np.empty((len(files), size_px, size_px, 3), dtype=np.uint8)
    for picture, file in zip(pictures, files, strict=True):
        with Image.open(file) as photo:
            picture[...] = np.asarray(
                photo.convert("RGB").resize((size_px, size_px), Image.Resampling.BICUBIC)
            )
    return pictures


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosine of each row of `a` with the same row of `b`, whatever shape a row has."""
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    products = np.einsum("bi,bi->b", a, b, dtype=np.float64)
    norms = np.linalg.norm(a.astype(np.float64), axis=1) * np.linalg.norm(b.astype(np.float64), axis=1)
    result: NDArray[np.float64] = products / norms
    return result
