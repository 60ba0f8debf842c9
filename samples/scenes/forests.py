"""Forests: trunks in layers that fade into lit mist, rays through the crowns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from samples.canvas import (
    Field,
    Line,
    Point,
    Size,
    blend,
    colour,
    coordinates,
    gradient,
    smoothstep,
    strokes,
)
from samples.noise import fractal


@dataclass(frozen=True, slots=True)
class Look:
    air: tuple[tuple[float, str], ...]
    """Colours of the mist from the top of the picture (0) to the ground (1)."""
    bark: str
    crown: str
    floor: str
    sun: Point
    sun_colour: str
    rays: float
    trunk: float
    """Thickness of the nearest trunks."""
    crowns: float
    """How far down the leaves hang, as a share of the picture."""
    birch: bool = False


LOOKS = (
    Look(
        air=((0, "#f6f0b4"), (0.5, "#c9d88a"), (1, "#7f9a4e")),
        bark="#2a2318",
        crown="#4f7a26",
        floor="#4c6a25",
        sun=(0.9, 0.08),
        sun_colour="#fff6c4",
        rays=0.8,
        trunk=0.05,
        crowns=0.42,
    ),
    Look(
        air=((0, "#dbe7ec"), (0.6, "#a9c0c9"), (1, "#6f8a90")),
        bark="#1f2a2c",
        crown="#2c4a45",
        floor="#32483f",
        sun=(0.5, 0.2),
        sun_colour="#f2f8ff",
        rays=0.35,
        trunk=0.035,
        crowns=0.3,
    ),
    Look(
        air=((0, "#ffe1a0"), (0.5, "#f2a65a"), (1, "#a8552a")),
        bark="#2d1a12",
        crown="#d9731d",
        floor="#b5561c",
        sun=(0.35, 0.15),
        sun_colour="#fff0c0",
        rays=0.6,
        trunk=0.042,
        crowns=0.5,
    ),
    Look(
        air=((0, "#eef6f0"), (0.5, "#d3e6cf"), (1, "#93b384")),
        bark="#e9e6dc",
        crown="#9cc45c",
        floor="#7da650",
        sun=(1.0, 0.1),
        sun_colour="#ffffff",
        rays=0.4,
        trunk=0.034,
        crowns=0.36,
        birch=True,
    ),
    Look(
        air=((0, "#5f7fb0"), (0.5, "#38527f"), (1, "#14203c")),
        bark="#070b16",
        crown="#0f1d33",
        floor="#0d1728",
        sun=(0.7, 0.24),
        sun_colour="#cfe0ff",
        rays=0.6,
        trunk=0.06,
        crowns=0.34,
    ),
)


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    x, y = coordinates(size)
    picture = np.broadcast_to(gradient(look.air, y), (size[1], size[0], 3)).astype(np.float32)
    distance = np.hypot(x - look.sun[0], y - look.sun[1])
    picture = picture + (0.75 * np.exp(-distance / 0.22))[..., None] * colour(look.sun_colour)
    for nearness in (0.15, 0.35, 0.6, 1.0):
        picture = _floor(look, rng, picture, size, nearness)
        picture = _trunks(look, rng, picture, size, nearness)
        picture = _crowns(look, rng, picture, size, nearness)
    return picture + look.rays * _rays(look, rng, size)[..., None] * colour(look.sun_colour)


def _in_mist(look: Look, name: str, nearness: float, y: Field) -> Field:
    """A colour seen through that much air, shape=(H, 1, 3)."""
    return blend(gradient(look.air, y), colour(name), 0.12 + 0.88 * nearness)


def _floor(look: Look, rng: np.random.Generator, picture: Field, size: Size, nearness: float) -> Field:
    """The forest floor rises towards the distance; ferns and leaves roughen it."""
    _, y = coordinates(size)
    edge = 0.70 + 0.16 * nearness + 0.02 * fractal(rng, (size[0], 2), (4, 1), octaves=8, gain=0.6)[:1]
    tufts = fractal(rng, size, (30, 40), octaves=5, gain=0.7)
    tint = _in_mist(look, look.floor, 0.75 * nearness, y) * (1 + 0.2 * tufts)[..., None]
    return blend(picture, tint, smoothstep(-0.006, 0.012, y - edge + 0.006 * tufts))


def _trunks(look: Look, rng: np.random.Generator, picture: Field, size: Size, nearness: float) -> Field:
    """One row of trunks whose feet stand in the undergrowth, lit along the side of the sun."""
    _, y = coordinates(size)
    wide, base = size[0] / size[1], 0.73 + 0.17 * nearness
    lines: list[Line] = []
    for _ in range(int(7 / nearness**0.55)):
        foot, lean = float(rng.uniform(-0.05, wide + 0.05)), float(rng.uniform(-0.05, 0.05))
        thick = look.trunk * nearness**1.2 * float(rng.uniform(0.6, 1.3))
        trunk = [
            (foot + lean * (1 - t) + 0.006 * math.sin(5 * t + foot * 9), base * t - 0.03)
            for t in np.linspace(0, 1, 9).tolist()
        ]
        lines += [(trunk, thick), *_boughs(rng, trunk, thick)]
    grass = fractal(rng, size, (80, 40), octaves=4, gain=0.7)
    hollows = 1.5 * fractal(rng, (size[0], 2), (9, 1), octaves=2)[:1]
    mask = strokes(size, lines) * smoothstep(0.012, -0.03, y - base + 0.012 * (grass + hollows) + 0.01)
    tint = _in_mist(look, look.bark, nearness**0.8, y) * _bark(look, rng, size, nearness)[..., None]
    sunward = -3 if look.sun[0] < wide / 2 else 3
    edge_light = np.clip(mask - np.roll(mask, sunward, axis=1), 0, 1)
    return blend(picture, tint + (0.35 * edge_light)[..., None] * colour(look.sun_colour), mask)


def _bark(look: Look, rng: np.random.Generator, size: Size, nearness: float) -> Field:
    """Upright furrows; on birches dark scars across."""
    furrows = fractal(rng, size, (120, 12), octaves=4, gain=0.7)
    if not look.birch:
        return 1 + 0.22 * furrows
    scars = smoothstep(1.0, 1.6, fractal(rng, size, (24, 70), octaves=3, gain=0.6))
    return 1 + 0.07 * furrows - 0.7 * nearness * scars


def _boughs(rng: np.random.Generator, trunk: list[Point], thick: float) -> list[Line]:
    """A few boughs leave the upper half of a trunk."""
    boughs: list[Line] = []
    for _ in range(3):
        x, y = trunk[int(rng.integers(1, 5))]
        reach, rise = float(rng.choice((-1, 1)) * rng.uniform(0.06, 0.16)), float(rng.uniform(0.04, 0.12))
        curve = [(x + reach * t, y - rise * t**1.6) for t in np.linspace(0, 1, 6).tolist()]
        boughs.append((curve, thick * 0.22))
    return boughs


def _crowns(look: Look, rng: np.random.Generator, picture: Field, size: Size, nearness: float) -> Field:
    """Leaves: noise that thins out downwards, lit where it faces the sun."""
    x, y = coordinates(size)
    cells = int(9 / nearness**0.5)
    leaves = fractal(rng, size, (cells * 4 // 3, cells), octaves=7, gain=0.72)
    hang = look.crowns * (0.75 + 0.35 * nearness)
    mask = smoothstep(0.1, 0.5, leaves + 2.4 * (hang * 0.7 - y) / hang)
    glow = 0.8 * np.exp(-np.hypot(x - look.sun[0], y - look.sun[1]) / 0.3)
    tint = _in_mist(look, look.crown, nearness**0.8, y) * (0.9 + 0.22 * leaves)[..., None]
    tint = tint + (glow * (0.35 + 0.2 * leaves))[..., None] * colour(look.sun_colour) * (1 - 0.4 * nearness)
    return blend(picture, tint, mask * (0.5 + 0.45 * nearness))


def _rays(look: Look, rng: np.random.Generator, size: Size) -> Field:
    """Shafts of light that fan out from the sun, cut by whatever stands above."""
    x, y = coordinates(size)
    angle = np.arctan2(y - look.sun[1] + 0.12, x - look.sun[0])
    shafts = fractal(rng, (1024, 2), (70, 1), octaves=4, gain=0.6)[0]
    strength = np.interp(angle, np.linspace(-np.pi, np.pi, 1024), shafts).astype(np.float32)
    distance = np.hypot(x - look.sun[0], y - look.sun[1])
    shaft = np.clip(0.35 + 0.45 * strength, 0, 1.2)
    rays: Field = 0.6 * shaft * np.exp(-distance / 0.42) * smoothstep(-0.05, 0.12, y - look.sun[1])
    return rays
