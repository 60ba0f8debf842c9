"""Pictures as a camera might have taken them again: what training pulls together.

Colour is kept nearly as it is: to which place a photo belongs shows in its colours more than in anything else
that a small network sees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far a view may be from the picture. All draws are uniform."""

    min_area: float = 0.3
    """Smallest part of the picture's area that a crop keeps."""
    max_stretch: float = 4 / 3
    """Largest change of the crop's aspect ratio, either way."""
    turn_share: float = 0.25
    """Of the views are turned, by up to `max_turn_degrees` either way."""
    max_turn_degrees: float = 15.0
    relight: float = 0.25
    """Brightness and contrast change by up to this factor more or less, each channel by a quarter of it."""
    recompress_share: float = 0.3
    """Of the views are saved as JPEG at quality 25 to 90."""


def view(rgb: Pixels, size_px: int, augmentation: Augmentation, rng: np.random.Generator) -> Pixels:
    """A crop, turned, mirrored, relit and recompressed by chance.

    rgb: shape=(H, W, 3). Returns shape=(size_px, size_px, 3).
    """
    if rng.random() < augmentation.turn_share:
        rgb = _turned(rgb, rng.uniform(-1, 1) * augmentation.max_turn_degrees)
    made = squeezed(_cropped(rgb, augmentation, rng), size_px)
    if rng.random() < 0.5:
        made = made[:, ::-1]
    made = _relit(made, augmentation.relight, rng)
    if rng.random() < augmentation.recompress_share:
        made = _recompressed(made, int(rng.integers(25, 91)))
    return np.ascontiguousarray(made)


def squeezed(rgb: Pixels, size_px: int) -> Pixels:
    """The whole picture as a square. Returns shape=(size_px, size_px, 3)."""
    shrinks = min(rgb.shape[:2]) > size_px
    resized = cv2.resize(
        rgb, (size_px, size_px), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )
    return np.asarray(resized, np.uint8)


def _cropped(rgb: Pixels, augmentation: Augmentation, rng: np.random.Generator) -> Pixels:
    """Szegedy et al. 2015, "Going deeper with convolutions", section 6: area and aspect ratio by chance."""
    height, width = rgb.shape[:2]
    area = rng.uniform(augmentation.min_area, 1)
    stretch = math.exp(rng.uniform(-1, 1) * math.log(augmentation.max_stretch) / 2)
    crop_height = min(height, max(1, round(height * math.sqrt(area) * stretch)))
    crop_width = min(width, max(1, round(width * math.sqrt(area) / stretch)))
    top = int(rng.integers(0, height - crop_height + 1))
    left = int(rng.integers(0, width - crop_width + 1))
    return rgb[top : top + crop_height, left : left + crop_width]


def _turned(rgb: Pixels, degrees: float) -> Pixels:
    height, width = rgb.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turned = cv2.warpAffine(np.ascontiguousarray(rgb), matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(turned, np.uint8)


def _relit(rgb: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    contrast, brightness = 1 + strength * rng.uniform(-1, 1, 2)
    channels = 1 + strength / 4 * rng.uniform(-1, 1, 3)
    mean = rgb.mean()
    relit = ((rgb - mean) * contrast + mean * brightness) * channels
    relit_pixels: Pixels = np.clip(relit, 0, 255).astype(np.uint8)
    return relit_pixels


def _recompressed(rgb: Pixels, quality: int) -> Pixels:
    _, data = cv2.imencode(".jpg", rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)
