"""Pictures as arrays: colour, blending, blurring, sampling and filled shapes.

A picture is float32 of shape (H, W, 3), RGB as shown on a screen, 0 black to 1 white; light may run over 1
until `to_image` rolls it off. A mask is float32 of shape (H, W), 0 to 1. A size is (width, height) in
pixels, as Pillow has it. Scene coordinates have their origin at the top left and the height as unit, so that
y runs from 0 to 1 and x from 0 to width / height.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageColor, ImageDraw

# float32 throughout; `floating` because the stubs of numpy widen float32 with a Python float to float64.
Field = NDArray[np.floating]
Size = tuple[int, int]
Point = tuple[float, float]
Line = tuple[Sequence[Point], float]
"""A polyline and its thickness, in scene coordinates."""

SUPERSAMPLING = 2


def colour(name: str) -> Field:
    """`#rrggbb` to shape=(3,), 0 to 1."""
    return np.asarray(ImageColor.getrgb(name)[:3], np.float32) / np.float32(255)


def gradient(stops: Sequence[tuple[float, str]], at: ArrayLike) -> Field:
    """Colours between `(position, colour)` stops, positions ascending from 0 to 1; shape of `at` plus (3,).

    Through a table of 2048 colours: several times faster than interpolating every pixel.
    """
    positions = [position for position, _ in stops]
    colours = np.stack([colour(name) for _, name in stops])
    places = np.linspace(0, 1, 2048)
    table = np.stack([np.interp(places, positions, colours[:, c]) for c in range(3)], axis=-1)
    index = np.clip(np.asarray(at, np.float32) * np.float32(2047) + np.float32(0.5), 0, 2047)
    colours_there: Field = table.astype(np.float32)[index.astype(np.int16)]
    return colours_there


def coordinates(size: Size) -> tuple[Field, Field]:
    """Scene coordinates of the pixel centres: x of shape (1, W) and y of shape (H, 1)."""
    width, height = size
    x = (np.arange(width, dtype=np.float32) + np.float32(0.5)) / np.float32(height)
    y = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / np.float32(height)
    return x[None, :], y[:, None]


def smoothstep(low: float, high: float, value: Field) -> Field:
    """0 below `low`, 1 above `high`, smooth between; the other way round where low > high."""
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    smooth: Field = t * t * (3 - 2 * t)
    return smooth


def blend(below: Field, above: Field, mask: Field | float) -> Field:
    """`above` over `below` where the mask is 1. `above` may be one colour."""
    weight = mask[..., None] if isinstance(mask, np.ndarray) else np.float32(mask)
    mixed = above - below
    if mixed.shape != np.broadcast_shapes(mixed.shape, np.shape(weight)):
        return below + mixed * weight
    mixed *= weight
    mixed += below
    return mixed


def lit(picture: Field, light: Field) -> Field:
    """The picture times a mask; over 1 it gets brighter."""
    product: Field = picture * light[..., None]
    return product


def size_of(field: Field) -> Size:
    return field.shape[1], field.shape[0]


def resize(field: Field, size: Size, method: Image.Resampling = Image.Resampling.BICUBIC) -> Field:
    """A mask or a picture at another size."""
    if field.ndim == 3:
        return np.stack([resize(field[..., c], size, method) for c in range(field.shape[2])], axis=-1)
    return np.asarray(Image.fromarray(np.ascontiguousarray(field, np.float32)).resize(size, method))


def blur(field: Field, radius_px: float) -> Field:
    """A soft blur of about that standard deviation, cheap for large radii.

    Works at the coarsest resolution that the radius allows: shrink, smooth with a binomial kernel, enlarge.
    """
    if radius_px < 0.5:
        return field
    shrink = max(1.0, radius_px / 1.5)
    width, height = size_of(field)
    small_size = max(2, round(width / shrink)), max(2, round(height / shrink))
    small = resize(field, small_size, Image.Resampling.BOX) if shrink > 1 else field
    for _ in range(2):
        small = _smooth(_smooth(small, 0), 1)
    return resize(small, (width, height)) if shrink > 1 else small


def _smooth(field: Field, axis: int) -> Field:
    """The kernel (1, 2, 1) / 4 along an axis, edges repeated."""
    padding = [(1, 1) if dimension == axis else (0, 0) for dimension in range(field.ndim)]
    padded = np.pad(field, padding, mode="edge")
    length = field.shape[axis]
    before, here, after = (padded.take(range(k, k + length), axis) for k in range(3))
    return (before + 2 * here + after) * np.float32(0.25)


def sample(field: Field, column: Field, row: Field) -> Field:
    """Bilinear values of a mask or a picture at fractional pixel positions; outside, the edge goes on."""
    width, height = size_of(field)
    column = np.clip(column, 0, width - 1.001)
    row = np.clip(row, 0, height - 1.001)
    left, top = np.floor(column), np.floor(row)
    right_share, low_share = column - left, row - top
    if field.ndim == 3:
        right_share, low_share = right_share[..., None], low_share[..., None]
    flat = field.reshape(height * width, *field.shape[2:])
    corner = top.astype(np.int32) * width + left.astype(np.int32)
    upper = flat[corner] * (1 - right_share) + flat[corner + 1] * right_share
    lower = flat[corner + width] * (1 - right_share) + flat[corner + width + 1] * right_share
    mixed: Field = upper * (1 - low_share) + lower * low_share
    return mixed


def fill(size: Size, polygons: Sequence[Sequence[Point]]) -> Field:
    """Anti-aliased mask of polygons given in scene coordinates."""
    width, height = size
    scale = height * SUPERSAMPLING
    image = Image.new("L", (width * SUPERSAMPLING, scale))
    draw = ImageDraw.Draw(image)
    for points in polygons:
        draw.polygon([(x * scale, y * scale) for x, y in points], fill=255)
    return np.asarray(image.reduce(SUPERSAMPLING), np.float32) / np.float32(255)


def strokes(size: Size, lines: Sequence[Line]) -> Field:
    """Anti-aliased mask of polylines, at least one pixel thick."""
    width, height = size
    scale = height * SUPERSAMPLING
    image = Image.new("L", (width * SUPERSAMPLING, scale))
    draw = ImageDraw.Draw(image)
    for points, thickness in lines:
        pixels = [(x * scale, y * scale) for x, y in points]
        draw.line(pixels, fill=255, width=max(1, round(thickness * scale)), joint="curve")
    return np.asarray(image.reduce(SUPERSAMPLING), np.float32) / np.float32(255)


def glow(picture: Field, threshold: float, radius_px: float, strength: float) -> Field:
    """Light that spills from whatever is brighter than the threshold."""
    bright = np.maximum(picture - np.float32(threshold), 0)
    return picture + np.float32(strength) * (blur(bright, radius_px) + blur(bright, radius_px / 4))


def place(picture: Field, above: Field, mask: Field, left: int, top: int) -> None:
    """Blends a smaller picture (or one colour) into `picture`, in place; what hangs over the edge is cut."""
    height, width = mask.shape
    first_row, last_row = max(0, top), min(picture.shape[0], top + height)
    first_column, last_column = max(0, left), min(picture.shape[1], left + width)
    if first_row >= last_row or first_column >= last_column:
        return
    inner = (slice(first_row - top, last_row - top), slice(first_column - left, last_column - left))
    outer = (slice(first_row, last_row), slice(first_column, last_column))
    piece = above[inner] if above.ndim == 3 else above
    picture[outer] = blend(picture[outer], piece, mask[inner])


def to_image(picture: Field) -> Image.Image:
    """8-bit RGB. Light above 0.8 rolls off smoothly, so that highlights keep their colour."""
    rolled = picture.copy()
    bright = picture > 0.8
    rolled[bright] = 1 - 0.2 * np.exp(4 - 5 * picture[bright])
    return Image.fromarray((np.clip(rolled, 0, 1) * 255 + 0.5).astype(np.uint8))
