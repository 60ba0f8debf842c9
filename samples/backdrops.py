"""What stands behind a subject: discs of blurred light, a table before a wall."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from samples.canvas import Field, Size, blend, blur, colour, coordinates, gradient, lit, resize, smoothstep
from samples.noise import fractal

DISCS = 40


def bokeh(rng: np.random.Generator, size: Size, colours: Sequence[str]) -> Field:
    """A far background out of focus: soft patches of the colours and discs of light in them."""
    width, height = size
    patches = blur(fractal(rng, size, (5, 4), octaves=2), height / 12)
    steps = [(k / (len(colours) - 1), name) for k, name in enumerate(colours)]
    picture = gradient(steps, 0.5 + 0.34 * patches)
    for softness in (10.0, 3.0):
        layer = Image.new("L", (width // 2, height // 2))
        draw = ImageDraw.Draw(layer)
        for _ in range(DISCS // 2):
            radius = height * rng.uniform(0.012, 0.05)
            x, y = rng.uniform(0, width / 2), rng.uniform(0, height / 2)
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=int(rng.integers(40, 150)))
        light = blur(np.asarray(layer, np.float32) / 255, softness / 2)
        picture = picture + (0.45 * resize(light, size))[..., None] * (0.4 + 0.8 * colour(colours[-1]))
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
