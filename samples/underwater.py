"""Under water: blue that deepens, shafts of light, a reef, bubbles."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from samples.canvas import (
    Field,
    Line,
    Point,
    Size,
    blend,
    blur,
    colour,
    coordinates,
    gradient,
    place,
    smoothstep,
    strokes,
)
from samples.noise import fractal, ridged


def depths(rng: np.random.Generator, size: Size, stops: Sequence[tuple[float, str]]) -> Field:
    """Open water, its colours given from the surface (0) to the ground (1), with light falling in."""
    x, y = coordinates(size)
    picture = np.broadcast_to(gradient(stops, y), (size[1], size[0], 3))
    shafts = fractal(rng, (1024, 2), (34, 1), octaves=4, gain=0.6)[0]
    beams = np.interp((x - 0.6) / (0.6 + y), np.linspace(-1.2, 1.4, 1024), shafts).astype(np.float32)
    light = np.clip(0.2 + 0.5 * beams, 0, 1.5) * np.exp(-y / 0.42) * 0.5
    picture = picture + light[..., None] * colour(stops[0][1])
    murk = fractal(rng, size, (5, 4), octaves=5)
    return np.asarray(picture * (1 + 0.05 * murk)[..., None])


def reef(
    rng: np.random.Generator,
    picture: Field,
    stops: Sequence[tuple[float, str]],
    corals: Sequence[str],
    nearness: float,
) -> Field:
    """Rock and branching corals of the given colours, bluer the further off (`nearness` 0 to 1)."""
    size = picture.shape[1], picture.shape[0]
    _, y = coordinates(size)
    veil = gradient(stops, y)
    clear = 0.3 + 0.6 * nearness
    ground = 0.84 + 0.06 * nearness - 0.05 * fractal(rng, (size[0], 2), (4, 1), octaves=6, gain=0.5)[:1]
    lumps = ridged(rng, size, (10, 8), octaves=6, gain=0.6)
    rock = blend(veil, colour(corals[-1]) * 0.5 + 0.06, clear) * (0.85 + 0.2 * lumps)[..., None]
    picture = blend(picture, rock, smoothstep(-0.004, 0.006, y - ground))
    for name in corals:
        branches: list[Line] = []
        for _ in range(3):
            root = float(rng.uniform(0, size[0] / size[1])), 0.9 + 0.08 * nearness
            upwards = -math.pi / 2 + float(rng.uniform(-0.2, 0.2))
            length, thick = 0.0425 + 0.051 * nearness, 0.0117 + 0.0156 * nearness
            _grow(rng, branches, root, upwards, length, thick)
        mask = strokes(size, branches)
        soft = blur(mask, 5)
        light = 0.75 + 0.7 * (soft - np.roll(soft, 5, axis=1)) + 0.25 * mask
        picture = blend(picture, blend(veil, colour(name), clear) * light[..., None], mask)
    return picture


def _grow(
    rng: np.random.Generator,
    lines: list[Line],
    root: Point,
    angle: float,
    length: float,
    thick: float,
    depth: int = 5,
) -> None:
    """A branch and all that springs from it."""
    tip = root[0] + length * math.cos(angle), root[1] + length * math.sin(angle)
    lines.append(([root, tip], thick))
    if depth == 0:
        return
    for turn in (-0.42, 0.38):
        if rng.random() < 0.9:
            onward = angle + turn * float(rng.uniform(0.6, 1.3))
            _grow(rng, lines, tip, onward, length * 0.8, thick * 0.78, depth - 1)


def bubbles(rng: np.random.Generator, picture: Field, count: int) -> None:
    """Rings of light with a spark in each, in place."""
    height, width = picture.shape[:2]
    for _ in range(count):
        radius = int(height * rng.uniform(0.004, 0.018))
        axis = np.linspace(-1.1, 1.1, 2 * radius + 3, dtype=np.float32)
        distance = np.hypot(axis[None, :], axis[:, None])
        ring = smoothstep(1.0, 0.9, distance) * (0.12 + 0.55 * smoothstep(0.6, 1.0, distance))
        spark = smoothstep(0.3, 0.1, np.hypot(axis[None, :] + 0.35, axis[:, None] + 0.4))
        left, top = int(rng.uniform(0, width)), int(rng.uniform(0, 0.85) * height)
        place(picture, np.ones(3, np.float32), np.clip(ring + spark, 0, 0.9), left, top)
