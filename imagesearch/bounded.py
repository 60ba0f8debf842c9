"""Pictures made no larger than they need to be."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def bounded(pixels: NDArray[np.uint8], long_side_px: int) -> NDArray[np.uint8]:
    """With a long side of at most `long_side_px`: means of whole squares of pixels, then bilinear.

    pixels: shape=(H, W) or (H, W, 3), dtype=uint8.
    """
    height, width = pixels.shape[:2]
    if max(height, width) <= long_side_px:
        return pixels
    squares = max(height, width) // long_side_px
    if squares > 1 and min(height, width) >= squares:
        whole = pixels[: height // squares * squares, : width // squares * squares]
        pixels = _resized(whole, (width // squares, height // squares), cv2.INTER_AREA)
    factor = long_side_px / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return _resized(pixels, size, cv2.INTER_LINEAR)


def _resized(pixels: NDArray[np.uint8], size: tuple[int, int], interpolation: int) -> NDArray[np.uint8]:
    """size: width, height. Means of areas are quick where each is a whole number of pixels."""
    return np.asarray(cv2.resize(pixels, size, interpolation=interpolation), np.uint8)
