"""Photographs of a scene: the same instance under another crop, turn, light and quality."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from samples.canvas import Size

VIEWS = 4
SHAPES: tuple[Size, ...] = ((640, 480), (480, 640), (560, 560))
SAVED_QUALITY = 90


@dataclass(frozen=True, slots=True)
class View:
    """What is done to a scene to get one picture of it, in the order of the fields."""

    size: Size
    zoom: float
    """Side of the crop as a share of the largest that fits the scene at that turn."""
    middle: tuple[float, float]
    """Middle of the crop in the scene, in pixels of the scene."""
    turn_degrees: float
    """Counter-clockwise turn of the picture's content."""
    mirrored: bool
    exposure_stops: float
    warmth: float
    """-1 cool to 1 warm."""
    blur_px: float
    noise: float
    """Standard deviation, in grey levels out of 255."""
    jpeg_quality: int
    """Quality the picture went through before it was saved at quality 90."""
    scene_from_view: tuple[tuple[float, float, float], tuple[float, float, float]]
    """Affine map from a point (x, y, 1) of the view to the scene, both in pixels from the top left."""


@dataclass(frozen=True, slots=True)
class _Range:
    """How far one of the views departs from the scene as drawn."""

    zoom: tuple[float, float]
    turn_degrees: tuple[float, float]
    exposure_stops: tuple[float, float]
    warmth: tuple[float, float]
    blur_px: tuple[float, float] = (0.0, 0.0)
    noise: tuple[float, float] = (1.0, 2.0)
    jpeg_quality: tuple[int, int] = (95, 95)
    reshaped: bool = False
    may_mirror: bool = False


_RANGES = (
    _Range((0.96, 1.0), (0, 0), (-0.05, 0.05), (-0.05, 0.05)),
    _Range((0.6, 0.76), (-4, 4), (-0.2, 0.45), (-0.3, 0.3)),
    _Range((0.86, 0.98), (3, 9), (-0.35, 0.3), (-0.6, 0.6), may_mirror=True),
    _Range((0.78, 0.95), (-6, 6), (-0.8, -0.25), (0.2, 0.9), (0.6, 1.5), (3.0, 8.0), (30, 60), reshaped=True),
)


def plan(rng: np.random.Generator, number: int, scene: Size) -> View:
    """Chooses view `number` (from 0): as drawn, closer, turned, or worn and in another light."""
    limits = _RANGES[number]
    shape = SHAPES[_shape_of(scene)]
    if limits.reshaped:
        shape = SHAPES[(_shape_of(scene) + int(rng.integers(1, 3))) % 3]
    turn_degrees = float(rng.uniform(*limits.turn_degrees)) * (-1 if rng.random() < 0.5 else 1)
    zoom = float(rng.uniform(*limits.zoom))
    scale, room = _fit(scene, shape, math.radians(turn_degrees), zoom)
    shift = rng.uniform(-0.4, 0.4, 2)
    middle = scene[0] / 2 + float(shift[0]) * room[0], scene[1] / 2 + float(shift[1]) * room[1]
    mirrored = bool(limits.may_mirror and rng.random() < 0.5)
    return View(
        size=shape,
        zoom=zoom,
        middle=middle,
        turn_degrees=turn_degrees,
        mirrored=mirrored,
        exposure_stops=float(rng.uniform(*limits.exposure_stops)),
        warmth=float(rng.uniform(*limits.warmth)),
        blur_px=float(rng.uniform(*limits.blur_px)),
        noise=float(rng.uniform(*limits.noise)),
        jpeg_quality=int(rng.integers(limits.jpeg_quality[0], limits.jpeg_quality[1] + 1)),
        scene_from_view=_affine(shape, scale, middle, math.radians(turn_degrees), mirrored),
    )


def take(scene: Image.Image, view: View, rng: np.random.Generator) -> bytes:
    """The picture as JPEG bytes without metadata."""
    picture = _in_other_light(_cut_out(scene, view), view)
    if view.blur_px:
        picture = picture.filter(ImageFilter.GaussianBlur(view.blur_px))
    picture = _noisy(picture, view.noise, rng)
    if view.jpeg_quality < SAVED_QUALITY:
        picture = Image.open(io.BytesIO(_jpeg(picture, view.jpeg_quality)))
    return _jpeg(picture, SAVED_QUALITY)


def _cut_out(scene: Image.Image, view: View) -> Image.Image:
    """The view's part of the scene. Pillow counts from pixel corners as `scene_from_view` does."""
    (a, b, c), (d, e, f) = view.scene_from_view
    if b == d == 0 and a > 0:
        width, height = view.size
        return scene.resize(view.size, Image.Resampling.LANCZOS, (c, f, c + a * width, f + e * height))
    shrink = math.hypot(a, d)
    source = scene.filter(ImageFilter.GaussianBlur(0.3 * shrink)) if shrink > 1.35 else scene
    return source.transform(view.size, Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BICUBIC)


def _shape_of(scene: Size) -> int:
    """Index in SHAPES of the shape nearest to the scene's."""
    width, height = scene
    return 2 if width == height else int(width < height)


def _fit(scene: Size, shape: Size, turn: float, zoom: float) -> tuple[float, tuple[float, float]]:
    """Scene pixels to a view pixel, and how far the middle may move with the crop still inside."""
    cosine, sine = abs(math.cos(turn)), abs(math.sin(turn))
    spans = shape[0] * cosine + shape[1] * sine, shape[0] * sine + shape[1] * cosine
    scale = zoom * min(scene[0] / spans[0], scene[1] / spans[1])
    return scale, ((scene[0] - scale * spans[0]) / 2, (scene[1] - scale * spans[1]) / 2)


def _affine(
    shape: Size, scale: float, middle: tuple[float, float], turn: float, mirrored: bool
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    cosine, sine = scale * math.cos(turn), scale * math.sin(turn)
    flip = -1 if mirrored else 1
    a, b, d, e = flip * cosine, -sine, flip * sine, cosine
    half_width, half_height = shape[0] / 2, shape[1] / 2
    return (
        (a, b, middle[0] - a * half_width - b * half_height),
        (d, e, middle[1] - d * half_width - e * half_height),
    )


def _in_other_light(picture: Image.Image, view: View) -> Image.Image:
    """Exposure as a gain in linear light (about a power of 2.2), warmth as a balance of red against blue."""
    levels = np.arange(256) / 255
    tables = []
    for balance in (1, 0.1, -1):
        gain = 2 ** (view.exposure_stops / 2.2) * (1 + 0.13 * view.warmth * balance)
        tables.append(np.clip(levels * gain, 0, 1) * 255 + 0.5)
    return picture.point(np.concatenate(tables).astype(np.uint8).tolist())


def _noisy(picture: Image.Image, deviation: float, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(picture).astype(np.int16)
    grain = np.rint(rng.standard_normal(pixels.shape[:2], np.float32) * np.float32(deviation))
    pixels += grain.astype(np.int16)[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255, out=pixels).astype(np.uint8))


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
