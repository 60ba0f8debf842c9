"""What stands behind a subject: discs of blurred light, hills in the mist, a table before a wall."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from samples.canvas import Field, Size, blend, blur, colour, coordinates, gradient, lit, smoothstep
from samples.noise import fractal


def bokeh(rng: np.random.Generator, size: Size, colours: Sequence[str], discs: int = 40) -> Field:
    """A far background out of focus: soft patches of the colours and discs of light in them."""
    width, height = size
    patches = blur(fractal(rng, size, (5, 4), octaves=2), height / 12)
    steps = [(k / (len(colours) - 1), name) for k, name in enumerate(colours)]
    picture = gradient(steps, 0.5 + 0.34 * patches)
    for softness, share in ((10.0, 0.5), (3.0, 0.5)):
        layer = Image.new("L", (width // 2, height // 2))
        draw = ImageDraw.Draw(layer)
        for _ in range(int(discs * share)):
            radius = height * rng.uniform(0.012, 0.05)
            x, y = rng.uniform(0, width / 2), rng.uniform(0, height / 2)
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=int(rng.integers(40, 150)))
        light = blur(np.asarray(layer, np.float32) / 255, softness / 2)
        enlarged = np.asarray(Image.fromarray(light).resize(size, Image.Resampling.BICUBIC))
        picture = picture + (0.45 * enlarged)[..., None] * (0.4 + 0.8 * colour(colours[-1]))
    return picture


def hills(
    rng: np.random.Generator, picture: Field, names: Sequence[str], top: float, bottom: float, relief: float
) -> Field:
    """Rows of hills from the furthest (first colour, at y = `top`) to the nearest, mist between them."""
    size = picture.shape[1], picture.shape[0]
    _, y = coordinates(size)
    for row, name in enumerate(names):
        nearness = row / max(1, len(names) - 1)
        crest = fractal(rng, (size[0], 2), (int(5 - 2 * nearness), 1), octaves=8, gain=0.45)[:1]
        edge = top + (bottom - top) * nearness - relief * (0.6 + 0.4 * nearness) * crest * 0.5
        tone = colour(name) * (1 + 0.022 * fractal(rng, size, (90, 160), octaves=3, gain=0.8))[..., None]
        mist = 0.55 * (1 - nearness) * smoothstep(0.0, 0.16, y - edge)
        lit = blend(tone, colour(names[0]) * 1.12, mist)
        picture = blend(picture, lit, smoothstep(-0.0012, 0.0012, y - edge))
    return picture


def table(
    rng: np.random.Generator, size: Size, wall: Sequence[tuple[float, str]], top: str, edge: float, wood: bool
) -> Field:
    """A wall (stops from left to right, as light falls from a window) and a table from y = `edge` down."""
    x, y = coordinates(size)
    plaster = 1 + 0.025 * fractal(rng, size, (12, 9), octaves=7, gain=0.7)
    picture = gradient(wall, x / x[0, -1] + 0.25 * (y - 0.4)) * plaster[..., None]
    grain = fractal(rng, size, (6, 130) if wood else (90, 70), octaves=5, gain=0.6)
    if wood:
        rings = np.sin(26 * y / (0.35 + y) * 6 + 2.2 * fractal(rng, size, (3, 9), octaves=3))
        grain = 0.7 * grain + 0.8 * rings
    nearness = np.clip((y - edge) / (1 - edge), 0, 1)
    light = (1.18 - 0.5 * x / x[0, -1]) * (0.86 + 0.22 * nearness)
    surface = colour(top) * ((1 + (0.1 if wood else 0.04) * grain) * light)[..., None]
    picture = blend(picture, surface, smoothstep(-0.003, 0.003, y - edge))
    contact = 1 - 0.3 * np.exp(-np.abs(y - edge) / 0.02)
    return lit(picture, contact)
