"""Drawn pictures, their files, and how far what is decoded may be from them."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imagesearch.pictures.decode import DecodedImage, ImageLimits

LIMITS = ImageLimits(max_bytes=10 * 2**20, max_pixels=1_000_000)
LOSSY_TOLERANCE = 12  # grey levels, on smooth pictures

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "AVIF": "image/avif",
    "HEIF": "image/heic",
    "TIFF": "image/tiff",
}


def gradient(width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    """Red grows to the right, green downwards: no two corners alike."""
    rgb = np.full((height, width, 3), 60, np.uint8)
    rgb[..., 0] = np.linspace(20, 230, width)
    rgb[..., 1] = np.linspace(20, 230, height)[:, None]
    return rgb


def encoded(image: Image.Image | NDArray[np.uint8], file_format: str, **options: object) -> bytes:
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def photo_like(seed: int = 0) -> NDArray[np.uint8]:
    """Too rich to compress well, so that a file has a middle to be cut in."""
    return np.random.default_rng(seed).integers(0, 256, (120, 160, 3), np.uint8)


def assert_close(
    decoded: DecodedImage, expected: NDArray[np.uint8], tolerance: int = LOSSY_TOLERANCE
) -> None:
    assert decoded.rgb.dtype == np.uint8
    assert decoded.rgb.shape == expected.shape
    assert np.abs(decoded.rgb.astype(int) - expected.astype(int)).max() <= tolerance
