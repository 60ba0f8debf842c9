"""From an original to the altered pictures that are searched with. Run it where photos are decoded."""

from __future__ import annotations

from collections.abc import Collection
from io import BytesIO
from zlib import crc32

import numpy as np
from PIL import Image

from imagesearch.pictures.decode import ImageLimits, decode
from imagesearch.pictures.renderings import THUMBNAIL_LONG_SIDE_PX, webp
from indexer.selftest.transformations import TRANSFORMATIONS, Pixels

LONG_SIDE_PX = 1600
"""Originals are bounded to this first, as photos that travel are: no descriptor sees more than 1024."""


def variants_of(content: bytes, limits: ImageLimits, seed: int, names: Collection[str]) -> dict[str, bytes]:
    """An image file for each named transformation; the same ones for the same content and seed.

    Raises whatever `images.decode` raises.
    """
    return {name: _bmp(rgb) for name, rgb in _variants(content, limits, seed, names).items()}


def pictures_of(content: bytes, limits: ImageLimits, seed: int, names: Collection[str]) -> dict[str, bytes]:
    """The same ones as WebP of at most 256 pixels, for a report."""
    variants = _variants(content, limits, seed, names)
    return {name: webp(rgb, THUMBNAIL_LONG_SIDE_PX) for name, rgb in variants.items()}


def _variants(content: bytes, limits: ImageLimits, seed: int, names: Collection[str]) -> dict[str, Pixels]:
    rgb = _bounded(decode(content, limits).rgb)
    photo = crc32(content)
    variants = {}
    for place, transformation in enumerate(TRANSFORMATIONS):
        if transformation.name in names:
            rng = np.random.default_rng((seed, photo, place))
            variants[transformation.name] = transformation.apply(rgb, rng)
    return variants


def _bmp(rgb: Pixels) -> bytes:
    """Nothing is lost, and it is written in no time."""
    buffer = BytesIO()
    Image.fromarray(rgb).save(buffer, "BMP")
    return buffer.getvalue()


def _bounded(rgb: Pixels) -> Pixels:
    if max(rgb.shape[:2]) <= LONG_SIDE_PX:
        return rgb
    image = Image.fromarray(rgb)
    image.thumbnail((LONG_SIDE_PX, LONG_SIDE_PX), Image.Resampling.BICUBIC)
    return np.asarray(image)
