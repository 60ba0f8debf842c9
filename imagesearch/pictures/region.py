"""A part of a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import InvalidOption


@dataclass(frozen=True, slots=True)
class Region:
    """An axis-parallel rectangle in fractions of the upright image, origin at the top left. Never empty."""

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        numbers = (self.x, self.y, self.width, self.height)
        if not all(math.isfinite(number) for number in numbers):
            raise InvalidOption("The region must be four finite numbers.")
        if self.width <= 0 or self.height <= 0:
            raise InvalidOption("The region must have a width and a height above 0.")
        begins_inside = 0 <= self.x < 1 and 0 <= self.y < 1
        if not begins_inside or self.x + self.width > 1 or self.y + self.height > 1:
            raise InvalidOption("The region must lie inside the image: fractions between 0 and 1.")


WHOLE = Region(0.0, 0.0, 1.0, 1.0)


def crop(rgb: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
    """The region's pixels, at least one in each direction. A view, not a copy."""
    height, width = rgb.shape[:2]
    left, right = _pixel_span(region.x, region.width, width)
    top, bottom = _pixel_span(region.y, region.height, height)
    return rgb[top:bottom, left:right]


def _pixel_span(start: float, extent: float, pixels: int) -> tuple[int, int]:
    first = min(round(start * pixels), pixels - 1)
    return first, max(first + 1, round((start + extent) * pixels))
