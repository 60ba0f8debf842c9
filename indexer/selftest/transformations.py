"""What happens to photos on their way through the world, as pure functions of pixels.

Each takes a picture and returns another, shape=(H, W, 3), dtype=uint8, RGB, and draws whatever is random
about it from `rng`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]


def unchanged(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """The control: what fails here has a twin in the collection, or was not indexed as it is now."""
    return rgb


def cropped(rgb: Pixels, rng: np.random.Generator, area: float) -> Pixels:
    """A rectangle of the picture's shape, anywhere in it. area: its share of the picture's area, 0 to 1."""
    height, width = rgb.shape[:2]
    rows, columns = (max(1, round(side * math.sqrt(area))) for side in (height, width))
    top, left = rng.integers(height - rows + 1), rng.integers(width - columns + 1)
    return rgb[top : top + rows, left : left + columns]


def tilted(rgb: Pixels, rng: np.random.Generator, most_degrees: float) -> Pixels:
    """Turned a little, then cut to a rectangle of the same shape without empty corners.

    most_degrees: the turn is of half of this to all of it, in either direction.
    """
    degrees = rng.uniform(most_degrees / 2, most_degrees) * rng.choice([-1, 1])
    turned = np.asarray(Image.fromarray(rgb).rotate(degrees, Image.Resampling.BICUBIC))
    height, width = rgb.shape[:2]
    angle = math.radians(abs(degrees))
    # The largest inner rectangle of shape w : h whose corners stay inside the turned picture.
    kept = 1 / (math.cos(angle) + max(width / height, height / width) * math.sin(angle))
    rows, columns = (max(1, math.floor(side * kept)) for side in (height, width))
    top, left = (height - rows) // 2, (width - columns) // 2
    return turned[top : top + rows, left : left + columns]


def on_its_side(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Turned by 90° to the left or to the right."""
    return np.ascontiguousarray(np.rot90(rgb, rng.choice([1, 3])))


def turned(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Turned by any angle, whole, the corners around it black."""
    image = Image.fromarray(rgb).rotate(rng.uniform(0, 360), Image.Resampling.BICUBIC, expand=True)
    return np.asarray(image)


def recompressed(rgb: Pixels, rng: np.random.Generator, quality: int) -> Pixels:
    """Saved as JPEG and decoded again. quality: libjpeg's, 1 to 95, colours at half the resolution."""
    buffer = BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    with Image.open(buffer) as image:
        return np.asarray(image.convert("RGB"))


def shrunk(rgb: Pixels, rng: np.random.Generator, long_side_px: int) -> Pixels:
    """Scaled down to a thumbnail; a picture that is no larger stays as it is."""
    image = Image.fromarray(rgb)
    image.thumbnail((long_side_px, long_side_px), Image.Resampling.BICUBIC)
    return np.asarray(image)


def blurred(rgb: Pixels, rng: np.random.Generator, sigma: float) -> Pixels:
    """Out of focus. sigma: of the Gaussian, as a share of the long side."""
    radius_px = sigma * max(rgb.shape[:2])
    return np.asarray(Image.fromarray(rgb).filter(ImageFilter.GaussianBlur(radius_px)))


def relit(rgb: Pixels, rng: np.random.Generator, gamma: float) -> Pixels:
    """In another light: v → v^gamma on values of 0 to 1. gamma: above 1 darkens, below 1 brightens."""
    tones = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return np.asarray(tones[rgb])


def tinted(rgb: Pixels, rng: np.random.Generator, gains: tuple[float, float, float]) -> Pixels:
    """Under a lamp of another colour. gains: factors of red, green and blue; what exceeds 255 is cut off."""
    return np.asarray(np.minimum(np.rint(rgb * np.array(gains)), 255), np.uint8)


def grey(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Without colour: luma by ITU-R BT.601, as Pillow computes it."""
    return np.asarray(Image.fromarray(rgb).convert("L").convert("RGB"))


def screenshot(rgb: Pixels, rng: np.random.Generator, scale: float) -> Pixels:
    """The picture as an application shows it: scaled, on a light or a dark page, between a bar and text.

    scale: of its sides. The page is 1.1 times as wide as the scaled picture and 1.5 times as high.
    """
    height, width = (max(1, round(side * scale)) for side in rgb.shape[:2])
    paper, ink = [(246, 40), (24, 220)][rng.integers(2)]
    page = np.full((math.ceil(height * 1.5), math.ceil(width * 1.1), 3), paper, np.uint8)
    top, left = height * 3 // 20, (page.shape[1] - width) // 2
    page[: height // 10] = (60, 90, 160)
    for line in range(3):
        middle = top + height + height * (2 + 3 * line) // 40
        page[middle : middle + height // 40, left : left + width * (9 - 2 * line) // 10] = ink
    image = Image.fromarray(rgb).resize((width, height), Image.Resampling.BICUBIC)
    page[top : top + height, left : left + width] = np.asarray(image)
    return page


def roughened(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Everything at once: half of the picture, turned by any angle, saved as JPEG at quality 35."""
    return recompressed(turned(cropped(rgb, rng, area=0.5), rng), rng, quality=35)


@dataclass(frozen=True, slots=True)
class Transformation:
    """One row of the self-test."""

    name: str
    what: str
    """What it does, for a person to read."""
    apply: Callable[[Pixels, np.random.Generator], Pixels]


TRANSFORMATIONS = (
    Transformation("unchanged", "the photo as it is", unchanged),
    Transformation("crop-half", "half of its area, anywhere", partial(cropped, area=0.5)),
    Transformation("crop-quarter", "a quarter of its area, anywhere", partial(cropped, area=0.25)),
    Transformation("tilt", "turned by 5 to 10°, cut to a rectangle", partial(tilted, most_degrees=10)),
    Transformation("on-side", "turned by 90° to either side", on_its_side),
    Transformation("turn", "turned by any angle, with black corners", turned),
    Transformation("jpeg", "saved as JPEG at quality 10", partial(recompressed, quality=10)),
    Transformation("thumbnail", "shrunk to 128 pixels", partial(shrunk, long_side_px=128)),
    Transformation("blur", "blurred by 1 % of the long side", partial(blurred, sigma=0.01)),
    Transformation("dark", "darkened by a gamma of 2.2", partial(relit, gamma=2.2)),
    Transformation("bright", "brightened by a gamma of 0.45", partial(relit, gamma=0.45)),
    Transformation("warm", "red × 1.2, blue × 0.7", partial(tinted, gains=(1.2, 1.0, 0.7))),
    Transformation("grey", "without colour", grey),
    Transformation("screenshot", "at 3/4 size inside an application's page", partial(screenshot, scale=0.75)),
    Transformation("rough", "half of it, turned by any angle, JPEG at quality 35", roughened),
)
