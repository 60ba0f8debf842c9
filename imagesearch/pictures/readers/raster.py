"""What every reader makes of a file, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

LeastScale = Callable[[int, int], float]
"""From width and height of an upright picture to the least factor it may be scaled by."""
CheckSize = Callable[[int, int], None]
"""Raises TooManyPixels or UndecodableImage for a width and a height that are not accepted."""

TURNED = frozenset({5, 6, 7, 8})
"""The EXIF orientations of pictures that lie on their side."""


@dataclass(frozen=True, slots=True)
class Raster:
    """A decoded picture as it is stored: its own colours, perhaps on its side."""

    pixels: Image.Image | NDArray[np.uint8]
    """An array is one of shape=(h, w, C): C = 1: grey, 3: RGB, 4: CMYK, 255 being full ink."""
    width: int
    height: int
    """Size in the file; `pixels` may be a fraction of it."""
    profile: bytes = b""
    """The ICC profile of its colours; empty where they are sRGB or nothing is known."""
    orientation: int = 1
    """As in EXIF."""
    damaged: bool = False
    """Whether some of the pixels are missing or wrong."""

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height of the upright picture in the file."""
        return (self.height, self.width) if self.orientation in TURNED else (self.width, self.height)


class Reader(Protocol):
    """Reads one kind of file."""

    def __call__(self, data: bytes, check_size: CheckSize, least_scale: LeastScale) -> Raster:
        """The first picture of the file; `check_size` comes before its pixels are decoded.

        Raises UndecodableImage, or whatever the decoder raises on damage.
        """
        ...


def opened(data: bytes, pillow_name: str, check_size: CheckSize) -> Image.Image:
    """The picture as Pillow opens it, its pixels not yet decoded."""
    image = Image.open(BytesIO(data), formats=(pillow_name,))
    check_size(*image.size)
    return image


def orientation_in(exif: bytes) -> int:
    """The orientation in an EXIF block; 1 where there is none or the block is damaged: the pixels are not."""
    if not exif:
        return 1
    block = Image.Exif()
    try:
        block.load(exif)
        orientation = int(block.get(ExifTags.Base.Orientation, 1))
    except Exception:
        return 1
    return orientation if 1 <= orientation <= 8 else 1
