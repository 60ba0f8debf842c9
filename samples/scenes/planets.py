"""Planets before stars and nebulae: gas, ocean, desert, ice and lava."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from samples.canvas import (
    Field,
    Size,
    blend,
    colour,
    coordinates,
    gradient,
    place,
    resize,
    sample,
    smoothstep,
)
from samples.noise import fractal, ridged
from samples.sky import stars
from samples.solids import Solid, sphere

TEXTURE = (768, 384)


@dataclass(frozen=True, slots=True)
class Look:
    surface: str
    stops: tuple[tuple[float, str], ...]
    air: str
    nebula: tuple[str, str]
    rings: tuple[float, float] | None = None
    """Inner and outer radius in planet radii."""
    ring_tint: str = "#d8c6a4"
    moons: int = 1
    clouds: bool = False
    molten: bool = False


LOOKS = (
    Look(
        surface="gas",
        stops=((0, "#7a4a2c"), (0.3, "#c98d5a"), (0.5, "#f0dcb8"), (0.7, "#d9a878"), (1, "#8a5a48")),
        air="#ffd9a8",
        nebula=("#3b1d5c", "#a8446a"),
        moons=2,
    ),
    Look(
        surface="land",
        stops=(
            (0, "#06204f"),
            (0.48, "#1757a0"),
            (0.52, "#3fa0c0"),
            (0.54, "#c9b884"),
            (0.6, "#4d7f3a"),
            (0.8, "#6b5a3c"),
            (1, "#f4f4f0"),
        ),
        air="#7fc4ff",
        nebula=("#0d2a4f", "#1f7a8c"),
        clouds=True,
    ),
    Look(
        surface="gas",
        stops=((0, "#b89a6a"), (0.4, "#e6cf9c"), (0.7, "#f6e8c6"), (1, "#c8a878")),
        air="#ffeec8",
        nebula=("#14233f", "#7a5a2c"),
        rings=(1.3, 2.2),
        moons=2,
    ),
    Look(
        surface="cracked",
        stops=((0, "#fff2a0"), (0.12, "#ff9a1c"), (0.25, "#c22a08"), (0.4, "#3a1510"), (1, "#1a1412")),
        air="#ff6a2a",
        nebula=("#4a0f14", "#c2521c"),
        moons=0,
        molten=True,
    ),
    Look(
        surface="cracked",
        stops=((0, "#1f5f8c"), (0.25, "#4f9cc4"), (0.5, "#9fcfe2"), (0.75, "#d6edf5"), (1, "#f6fbff")),
        air="#a8e8ff",
        nebula=("#102a3c", "#3fa08c"),
        rings=(1.45, 1.75),
        ring_tint="#bfe0f0",
        moons=3,
    ),
)


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    width, height = size
    picture = _space(look, rng, size)
    diameter = int(min(size) * (0.52 if look.rings else rng.uniform(0.58, 0.68)))
    middle = float(width * rng.uniform(0.42, 0.58)), float(height * rng.uniform(0.44, 0.56))
    sun = np.asarray((rng.choice((-0.75, 0.75)), -0.4, rng.uniform(0.3, 0.6)), np.float32)
    sun /= np.linalg.norm(sun)
    for _ in range(look.moons):
        _moon(rng, picture, sun, diameter)
    _atmosphere(look, picture, middle, diameter, sun)
    if look.rings is None:
        _globe(look, rng, picture, middle, diameter, sun)
        return picture
    tint, far, near = _ring(look, look.rings, rng, size, middle, diameter)
    picture = blend(picture, tint, far)
    _globe(look, rng, picture, middle, diameter, sun)
    return blend(picture, tint, near)


def _space(look: Look, rng: np.random.Generator, size: Size) -> Field:
    """Gas clouds in two colours with dark lanes, and stars."""
    small = size[0] // 2, size[1] // 2
    x, y = np.meshgrid(np.arange(small[0], dtype=np.float32), np.arange(small[1], dtype=np.float32))
    bend_x, bend_y = fractal(rng, small, (3, 3)) * 60, fractal(rng, small, (3, 3)) * 60
    cloud = resize(sample(fractal(rng, small, (4, 3), octaves=7, gain=0.58), x + bend_x, y + bend_y), size)
    lanes = resize(sample(ridged(rng, small, (4, 3), octaves=6), x + bend_y, y + bend_x), size)
    first, second = (colour(name) for name in look.nebula)
    picture = colour("#05060f") + first * (smoothstep(-0.8, 1.6, cloud) * 0.9)[..., None]
    picture = picture + second * (smoothstep(0.3, 2.4, cloud) * smoothstep(-1.0, 1.2, lanes) * 0.9)[..., None]
    points = stars(rng, size, 1500)
    return picture + points[..., None] * gradient(
        ((0, "#ffd9b8"), (0.5, "#ffffff"), (1, "#b8d4ff")), rng.random((size[1], 1))
    )


def _surface(look: Look, rng: np.random.Generator) -> Field:
    """The planet's map, shape=(H, W, 3), mirrored at its seam, which stays on the far side."""
    width, height = TEXTURE
    if look.surface == "gas":
        latitude = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        bands = fractal(rng, (2, height), (1, 10), octaves=4)[:, :1]
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        swirl = fractal(rng, TEXTURE, (14, 12), octaves=5)
        flow = fractal(rng, TEXTURE, (4, 60), octaves=4, gain=0.6)
        level = sample(bands * np.ones_like(swirl) + 0.22 * flow, x + 22 * swirl, y + 5 * swirl)
        return gradient(look.stops, 0.5 + 0.24 * level + 0.1 * np.sin(14 * latitude))
    if look.surface == "land":
        return gradient(look.stops, 0.5 + 0.16 * fractal(rng, TEXTURE, (7, 4), octaves=7, gain=0.55))
    crack = ridged(rng, TEXTURE, (11, 6), octaves=6, gain=0.6)
    return gradient(look.stops, 0.5 - 0.24 * crack)


def _globe(
    look: Look,
    rng: np.random.Generator,
    picture: Field,
    middle: tuple[float, float],
    diameter: int,
    sun: Field,
) -> None:
    solid = sphere(diameter)
    surface = _wrapped(solid, _surface(look, rng), float(rng.uniform(-0.4, 0.4)))
    facing = solid.normal @ sun
    day = smoothstep(-0.12, 0.55, facing)
    lit = surface * (0.02 + 1.12 * day)[..., None]
    if look.molten:
        lit = lit + surface * smoothstep(0.35, 0.9, surface[..., 0])[..., None] * 0.5
    if look.clouds:
        cover = _wrapped(solid, fractal(rng, TEXTURE, (8, 7), octaves=7, gain=0.6)[..., None], 0.2)[..., 0]
        lit = blend(lit, colour("#ffffff") * (0.03 + day)[..., None], smoothstep(0.3, 1.5, cover) * 0.9)
        glint = (
            np.clip(
                solid.normal @ ((sun + (0, 0, 1)) / np.linalg.norm(sun + (0, 0, 1))).astype(np.float32), 0, 1
            )
            ** 60
        )
        lit = lit + (0.5 * glint)[..., None]
    rim = (1 - np.clip(solid.normal[..., 2], 0, 1)) ** 2.5
    lit = lit + (rim * (0.1 + 0.9 * day))[..., None] * colour(look.air) * 0.75
    place(picture, lit, solid.mask, int(middle[0]) - lit.shape[1] // 2, int(middle[1]) - diameter // 2)


def _wrapped(solid: Solid, surface: Field, tilt: float) -> Field:
    """The map seen on the ball, its axis tilted."""
    nx, ny, nz = (solid.normal[..., k] for k in range(3))
    across, down = nx * math.cos(tilt) - ny * math.sin(tilt), nx * math.sin(tilt) + ny * math.cos(tilt)
    longitude, latitude = np.arctan2(across, np.maximum(nz, 1e-3)), np.arcsin(np.clip(down, -1, 1))
    height, width = surface.shape[:2]
    return sample(surface, (0.5 + longitude / 6.2832) * width, (0.5 + latitude / 3.1416) * height)


def _atmosphere(look: Look, picture: Field, middle: tuple[float, float], diameter: int, sun: Field) -> None:
    """A thin glow outside the limb, on the day side, added in place."""
    height, width = picture.shape[:2]
    x, y = coordinates((width, height))
    dx, dy = x - middle[0] / height, y - middle[1] / height
    distance = np.hypot(dx, dy) * 2 * height / diameter
    side = smoothstep(-0.7, 1.0, (dx * sun[0] + dy * sun[1]) / (np.hypot(dx, dy) + 1e-3))
    glow = np.exp(-np.clip(distance - 1, 0, None) / 0.07) * side * 0.55
    picture += glow[..., None] * colour(look.air)


def _ring(
    look: Look,
    radii: tuple[float, float],
    rng: np.random.Generator,
    size: Size,
    middle: tuple[float, float],
    diameter: int,
) -> tuple[Field, Field, Field]:
    """Colours of a tilted ring, and the masks of its far half, which the planet hides, and its near half."""
    tilt, turn = float(rng.uniform(0.22, 0.34)), float(rng.uniform(-0.4, 0.4))
    x, y = coordinates(size)
    dx, dy = x - middle[0] / size[1], y - middle[1] / size[1]
    across = dx * math.cos(turn) + dy * math.sin(turn)
    down = (dy * math.cos(turn) - dx * math.sin(turn)) / tilt
    radius = np.hypot(across, down) * 2 * size[1] / diameter
    inner, outer = radii
    outwards = np.clip((radius - inner) / (outer - inner), 0, 1)
    grooves = fractal(rng, (256, 2), (24, 1), octaves=4)[0]
    gaps = np.interp(outwards, np.linspace(0, 1, 256), grooves).astype(np.float32)
    opacity = np.clip(0.72 + 0.3 * gaps, 0.05, 0.95)
    opacity = opacity * smoothstep(inner, inner + 0.02, radius) * smoothstep(outer, outer - 0.03, radius)
    shadow = 1 - 0.75 * smoothstep(0.16, 0.1, np.abs(across - down * tilt)) * (down < 0)
    tint = colour(look.ring_tint) * ((0.85 + 0.14 * gaps) * shadow)[..., None]
    return tint, opacity, opacity * (down > 0)


def _moon(rng: np.random.Generator, picture: Field, sun: Field, diameter: int) -> None:
    solid = sphere(int(diameter * rng.uniform(0.05, 0.13)))
    craters = fractal(rng, (solid.mask.shape[1], solid.mask.shape[0]), (6, 6), octaves=4, gain=0.7)
    lit = colour("#cfc8bf") * ((0.02 + np.clip(solid.normal @ sun, 0, 1)) * (1 + 0.14 * craters))[..., None]
    left, top = rng.uniform(0.04, 0.9, 2) * (picture.shape[1], picture.shape[0])
    place(picture, lit, solid.mask, int(left), int(top))
