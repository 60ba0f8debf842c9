"""Skies: a gradient by elevation, a sun or a moon, clouds in perspective, stars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samples.canvas import Field, Point, Size, blend, blur, colour, coordinates, gradient, sample, smoothstep
from samples.noise import fractal

CLOUD_TEXTURE_PX, CLOUD_CELLS = 768, 9


@dataclass(frozen=True, slots=True)
class Sky:
    """How a sky looks. Stops run from 0 at the horizon to 1 at the top of the picture."""

    stops: tuple[tuple[float, str], ...]
    sun: Point | None = None
    """Centre in scene coordinates, as everywhere in `canvas`."""
    sun_colour: str = "#fff2cf"
    sun_radius: float = 0.03
    glow: float = 0.6
    """Strength of the light around the sun."""
    cover: float = 0.5
    """Share of the sky under clouds, 0 to 1."""
    cloud_lit: str = "#ffffff"
    cloud_dark: str = "#8d97a8"
    stars: int = 0


def draw_sky(rng: np.random.Generator, size: Size, sky: Sky, horizon: float) -> Field:
    """The sky over the whole picture; below the horizon its lowest colour goes on."""
    x, y = coordinates(size)
    elevation = np.clip((horizon - y) / horizon, 0, 1)
    picture = np.broadcast_to(gradient(sky.stops, elevation), (size[1], size[0], 3)).copy()
    if sky.stars:
        picture += stars(rng, size, sky.stars)[..., None] * smoothstep(0, 0.3, elevation)[..., None]
    light = _sunlight(size, sky)
    picture += light
    return _clouded(rng, picture, sky, x, elevation, light)


def _sunlight(size: Size, sky: Sky) -> Field:
    """The disc and the haze around it, to be added; shape=(H, W, 3), or (1, 1, 3) zeros without a sun."""
    if sky.sun is None:
        return np.zeros((1, 1, 3), np.float32)
    x, y = coordinates(size)
    distance = np.hypot(x - np.float32(sky.sun[0]), y - np.float32(sky.sun[1]))
    disc = smoothstep(sky.sun_radius, sky.sun_radius * 0.85, distance) * 0.9
    halo = np.exp(-distance / 0.06) * 0.55 + np.exp(-distance / 0.28) * 0.45
    light: Field = (disc + np.float32(sky.glow) * halo)[..., None] * colour(sky.sun_colour)
    return light.astype(np.float32)


def stars(rng: np.random.Generator, size: Size, count: int) -> Field:
    """A field of stars, most of them faint, to be added."""
    width, height = size
    field = np.zeros((height, width), np.float32)
    rows, columns = rng.integers(0, height - 1, count), rng.integers(0, width - 1, count)
    brightness = (rng.pareto(1.8, count) * 0.12 + 0.1).clip(0, 1.6).astype(np.float32)
    for down in (0, 1):
        for right in (0, 1):
            np.maximum.at(field, (rows + down, columns + right), brightness * (1 - 0.35 * (down + right)))
    large = blur(np.where(field > 0.7, field, np.float32(0)), 2.2)
    return field + large * 4


def _clouded(
    rng: np.random.Generator, picture: Field, sky: Sky, x: Field, elevation: Field, light: Field
) -> Field:
    """Clouds lie on a plane overhead, so they shrink and crowd towards the horizon."""
    side = CLOUD_TEXTURE_PX
    texture = fractal(rng, (side, side), (CLOUD_CELLS, CLOUD_CELLS), octaves=7, gain=0.55)
    depth = 1 / (elevation + np.float32(0.16))
    middle = x[0, -1] / 2
    column = side / 2 + (x - middle) * depth * side * 0.11
    row = side * (0.04 + depth * 0.15) + column * 0
    density = sample(texture, column, row)
    toward_sun = np.float32(-1 if sky.sun is not None and sky.sun[0] < middle else 1)
    shadow = sample(texture, column + toward_sun * 10, row + 7)
    threshold = 2.2 - 4.4 * sky.cover
    opacity = smoothstep(threshold - 0.1, threshold + 1.3, density)
    thickness = np.clip(0.5 + 0.45 * (density - shadow) - 0.22 * (density - threshold), 0, 1)
    tint = colour(sky.cloud_dark) + (colour(sky.cloud_lit) - colour(sky.cloud_dark)) * thickness[..., None]
    tint = tint + light * (0.35 + 0.65 * (1 - opacity[..., None]))
    haze = smoothstep(0.0, 0.05, elevation) * (0.4 + 0.55 * smoothstep(0.0, 0.3, elevation))
    return blend(picture, tint, opacity * haze)
