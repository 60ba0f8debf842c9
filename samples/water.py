"""Water as a mirror: a plane in perspective whose waves bend the reflection of what stands above it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samples.canvas import Field, Size, blend, colour, coordinates, sample, size_of, smoothstep
from samples.noise import fractal

WAVE_TEXTURE_PX = 512


@dataclass(frozen=True, slots=True)
class Water:
    deep: str
    """Colour of the water itself, seen where one looks steeply down."""
    choppiness: float
    """0 a mirror, 1 a fresh breeze."""
    clarity: float = 0.9
    """Share of the reflection at grazing angles (Fresnel, roughly)."""
    glitter: str = "#ffffff"
    glitter_at: float | None = None
    """x of the light whose path glitters on the waves, in scene coordinates."""


def reflect(rng: np.random.Generator, picture: Field, horizon: float, water: Water) -> Field:
    """The picture with everything below `horizon` (scene coordinates) replaced by water."""
    height, width = picture.shape[:2]
    x, y = coordinates((width, height))
    first = int(np.count_nonzero(y[:, 0] <= horizon))
    depth = np.linspace(0, 1, height - first, dtype=np.float32)[:, None]
    slopes = _waves(rng, (width, height), horizon, water.choppiness)
    mirrored = _mirrored(picture[:first], slopes, depth, water.choppiness)
    grazing = water.clarity * (1 - 0.6 * depth) * (1 - 0.22 * water.choppiness * np.clip(slopes, -1.8, 1.8))
    body = colour(water.deep) * (0.55 + 0.6 * mirrored.mean(-1, keepdims=True))
    surface = blend(body, mirrored, np.clip(grazing, 0, 1))
    if water.glitter_at is not None:
        surface += _glitter(slopes, x - water.glitter_at, depth)[..., None] * colour(water.glitter)
    result = picture.copy()
    shore = 0.35 + 0.65 * smoothstep(0, 0.012, depth)
    result[first:] = blend(np.broadcast_to(picture[first - 1], surface.shape), surface, shore)
    return result


def _waves(rng: np.random.Generator, size: Size, horizon: float, choppiness: float) -> Field:
    """Slope at every pixel below the horizon: deviation about 1 near the viewer, less far off."""
    x, y = coordinates(size)
    below = y[y[:, 0] > horizon]
    depth = 1 / (below - horizon + np.float32(0.012))
    slopes = np.zeros((len(below), size[0]), np.float32)
    side = WAVE_TEXTURE_PX
    texture = fractal(rng, (side, side), (30, 44), octaves=5, gain=0.62)
    for scale, weight in ((11.0, 0.45), (31.0, 0.5), (83.0, 0.25 + 0.35 * choppiness)):
        column = np.mod((x - x[0, -1] / 2) * depth * scale + side / 2, side - 2)
        row = np.mod(depth * scale * 1.9 + x * 0, side - 2)
        fade = np.clip(60 / (depth * scale), 0.1, 1)
        slopes += sample(texture, column, row) * weight * fade
    return slopes


def _mirrored(above: Field, slopes: Field, depth: Field, choppiness: float) -> Field:
    """What each wave reflects: the mean over two facets of it."""
    width, horizon_px = size_of(above)
    rows = (horizon_px - 1) - np.arange(len(slopes), dtype=np.float32)[:, None] * 0.92
    columns = np.arange(width, dtype=np.float32)[None, :]
    reach = (width + horizon_px) * 0.5 * choppiness * (0.012 + 0.12 * np.sqrt(depth))
    facets = [
        sample(above, columns + slopes * reach * 0.2 * lean, rows - np.abs(slopes) * reach * lean)
        for lean in (0.55, 1.0)
    ]
    return (facets[0] + facets[1]) * np.float32(0.5)


def _glitter(slopes: Field, aside: Field, depth: Field) -> Field:
    """Sparks along the path towards the light, wider near the viewer."""
    path = np.exp(-((aside / (0.035 + 0.13 * depth)) ** 2)) * (1 - 0.55 * depth)
    sparks: Field = path * smoothstep(0.1, 1.5, slopes + 0.9 * path - 0.3) * 1.3
    return sparks
