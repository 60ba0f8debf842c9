"""Sailing boats: sails full of light over a moving sea."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samples.canvas import (
    Field,
    Point,
    Size,
    blend,
    colour,
    coordinates,
    fill,
    lit,
    place,
    sample,
    smoothstep,
    strokes,
)
from samples.noise import fractal
from samples.sky import Sky, draw_sky
from samples.water import Water, reflect


@dataclass(frozen=True, slots=True)
class Look:
    sky: Sky
    water: Water
    horizon: float
    hull: str
    sails: tuple[str, str]
    """Main sail and jib."""
    rig: str
    """A name in `RIGS`."""
    fleet: int
    coast: str = ""


@dataclass(frozen=True, slots=True)
class Rig:
    """Sails and masts in mast heights, x from the middle of the hull, y up from the water."""

    sails: tuple[tuple[int, tuple[Point, ...]], ...]
    """Number of the look's colour, and outline."""
    masts: tuple[Point, ...]
    """Place and top of each mast."""


RIGS = {
    "sloop": Rig(
        sails=(
            (0, ((-0.02, 1.0), (-0.02, 0.14), (-0.3, 0.16))),
            (1, ((0.02, 0.86), (0.03, 0.14), (0.35, 0.13))),
        ),
        masts=((0.0, 1.02),),
    ),
    "ketch": Rig(
        sails=(
            (0, ((-0.02, 0.98), (-0.02, 0.16), (-0.25, 0.16))),
            (1, ((0.02, 0.92), (0.02, 0.16), (0.33, 0.13))),
            (0, ((-0.27, 0.7), (-0.27, 0.16), (-0.44, 0.18))),
        ),
        masts=((0.0, 1.0), (-0.26, 0.74)),
    ),
    "lateen": Rig(sails=((0, ((0.26, 0.92), (-0.3, 0.2), (0.18, 0.16))),), masts=((0.02, 0.62),)),
    "junk": Rig(
        sails=(
            (0, ((0.2, 0.95), (0.02, 0.9), (-0.14, 0.16), (0.24, 0.16), (0.27, 0.6))),
            (1, ((-0.2, 0.68), (-0.36, 0.6), (-0.4, 0.18), (-0.14, 0.17))),
        ),
        masts=((0.1, 0.96), (-0.26, 0.7)),
    ),
    "spinnaker": Rig(
        sails=(
            (0, ((-0.02, 0.98), (-0.02, 0.15), (-0.28, 0.17))),
            (1, ((0.02, 0.95), (0.28, 0.82), (0.42, 0.55), (0.4, 0.26), (0.16, 0.22))),
        ),
        masts=((0.0, 1.02),),
    ),
}
HULL = ((-0.33, 0.1), (0.1, 0.08), (0.36, 0.115), (0.27, 0.03), (0.2, -0.005), (-0.24, -0.005), (-0.31, 0.03))
TRIM = ((-0.33, 0.098), (0.0, 0.075), (0.34, 0.112))
SQUARE, WATER_LINE = 1.14, 0.95
"""Side of a boat's own grid in mast heights, and where the water stands in it."""

LOOKS = (
    Look(
        sky=Sky(((0, "#d8ecf6"), (0.4, "#7fbde8"), (1, "#2472bf")), cover=0.55, cloud_dark="#a9bccf"),
        water=Water("#0f4f7a", choppiness=1.0, clarity=0.7),
        horizon=0.6,
        hull="#f4f4f0",
        sails=("#fdfdf8", "#f1f3f4"),
        rig="sloop",
        fleet=3,
        coast="#7f9a8a",
    ),
    Look(
        sky=Sky(
            ((0, "#ffcf7a"), (0.3, "#f58a52"), (1, "#5a3f72")),
            sun=(1.0, 0.46),
            glow=0.8,
            cover=0.45,
            cloud_lit="#ffb877",
            cloud_dark="#7a4a66",
        ),
        water=Water("#2a2444", choppiness=0.9, glitter="#ffcf8a", glitter_at=1.0),
        horizon=0.62,
        hull="#2a1a1c",
        sails=("#7a3a2a", "#8f4a30"),
        rig="ketch",
        fleet=2,
        coast="#4a3350",
    ),
    Look(
        sky=Sky(((0, "#f2efe2"), (0.5, "#c3dbe0"), (1, "#7fb3c4")), cover=0.3),
        water=Water("#1fa3a3", choppiness=0.7, clarity=0.5),
        horizon=0.55,
        hull="#1f6f8c",
        sails=("#f6e7c4", "#f6e7c4"),
        rig="lateen",
        fleet=4,
        coast="#c9b48a",
    ),
    Look(
        sky=Sky(
            ((0, "#f5b8a0"), (0.4, "#c98fa6"), (1, "#5b6a9c")),
            sun=(0.3, 0.4),
            sun_colour="#ffd9c0",
            glow=0.5,
            cover=0.5,
            cloud_lit="#f5c9b8",
            cloud_dark="#8f7a9c",
        ),
        water=Water("#3a4a72", choppiness=0.5, glitter="#ffd9c0", glitter_at=0.3),
        horizon=0.6,
        hull="#3a1d16",
        sails=("#a8332a", "#b8453a"),
        rig="junk",
        fleet=1,
        coast="#6f6a8c",
    ),
    Look(
        sky=Sky(
            ((0, "#cbd5da"), (0.5, "#8fa3b0"), (1, "#566a7a")),
            cover=0.75,
            cloud_lit="#dfe6ea",
            cloud_dark="#66757f",
        ),
        water=Water("#1f3f4a", choppiness=1.7, clarity=0.75),
        horizon=0.56,
        hull="#1a2a4a",
        sails=("#f2f2f2", "#e8432e"),
        rig="spinnaker",
        fleet=2,
    ),
)


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    picture = draw_sky(rng, size, look.sky, look.horizon)
    wide = size[0] / size[1]
    if look.coast:
        x, y = coordinates(size)
        crest = 0.05 * np.clip(0.6 + 0.5 * fractal(rng, (size[0], 2), (5, 1), octaves=7)[:1], 0, 2)
        shore = smoothstep(-0.001, 0.001, y - look.horizon + crest)
        picture = blend(picture, blend(colour(look.coast), colour(look.sky.stops[0][1]), 0.35), shore)
    for _ in range(look.fleet - 1):
        boat, mask = _boat(look, rng, int(rng.uniform(0.1, 0.2) * size[1]))
        _float(picture, boat, mask, rng.uniform(0.05, 0.95) * size[0], look.horizon * size[1])
    sea = reflect(rng, picture, look.horizon, look.water)
    return _near_boat(look, rng, sea, wide * rng.uniform(0.42, 0.56), look.horizon + 0.13)


def _float(picture: Field, boat: Field, mask: Field, x_px: float, line_px: float) -> None:
    place(picture, boat, mask, int(x_px) - boat.shape[1] // 2, int(line_px) - int(len(boat) * WATER_LINE))


def _near_boat(look: Look, rng: np.random.Generator, sea: Field, foot_x: float, foot_y: float) -> Field:
    """The boat in front, with its own broken reflection and a little foam at the hull."""
    height, width = sea.shape[:2]
    boat, mask = _boat(look, rng, int(0.68 * height))
    upside_down, its_mask = _broken(rng, boat[::-1] * 0.8, mask[::-1])
    left, line = int(foot_x * height) - boat.shape[1] // 2, int(foot_y * height)
    place(sea, upside_down, its_mask, left, line - int(len(boat) * (1 - WATER_LINE)))
    place(sea, boat, mask, left, line - int(len(boat) * WATER_LINE))
    x, y = coordinates((width, height))
    along_hull = smoothstep(0.27, 0.2, np.abs(x - foot_x))
    spray = smoothstep(-0.2, 1.4, fractal(rng, (width, height), (90, 120), octaves=3))
    foam = np.exp(-(((y - foot_y - 0.004) / 0.007) ** 2)) * along_hull * spray
    foaming: Field = sea + (0.7 * foam)[..., None]
    return foaming


def _broken(rng: np.random.Generator, boat: Field, mask: Field) -> tuple[Field, Field]:
    """A reflection torn by the waves, more so and fainter the further it is from the boat."""
    height, width = mask.shape
    ripple = fractal(rng, (width, height), (36, 80), octaves=3)
    depth = np.arange(height, dtype=np.float32)[:, None]
    column = np.arange(width, dtype=np.float32)[None, :] + ripple * (1 + depth * 0.06)
    row = depth + ripple * (2 + depth * 0.12)
    fade = 0.62 * np.exp(-depth / (0.45 * height)) * smoothstep(-1.6, 0.4, ripple)
    return sample(boat, column, row), sample(mask, column, row) * fade


def _boat(look: Look, rng: np.random.Generator, tall_px: int) -> tuple[Field, Field]:
    """Hull, masts and sails whose mast is `tall_px` high, on a square grid of its own: colours and mask."""
    side = int(tall_px * SQUARE)
    size = side, side
    lean = float(rng.uniform(-0.03, 0.05))

    def points(shape: Sequence[Point]) -> list[Point]:
        return [(0.5 + (px + lean * py) / SQUARE, WATER_LINE - py / SQUARE) for px, py in shape]

    x, y = coordinates(size)
    across, up = (x - 0.5) * SQUARE, (WATER_LINE - y) * SQUARE
    sheen = np.clip((0.85 + 3.0 * (up - 0.02)) * (1 - 0.25 * across), 0.4, 1.2)
    rig = RIGS[look.rig]
    parts = [
        (fill(size, [points(_bellied(outline))]), _cloth(look, look.sails[number], across, up))
        for number, outline in rig.sails
    ]
    parts += [
        (
            strokes(size, [(points([(mx, 0.05), (mx, top)]), 0.008) for mx, top in rig.masts]),
            colour("#5a4632"),
        ),
        (fill(size, [points(HULL)]), lit(colour(look.hull), sheen)),
        (strokes(size, [(points(TRIM), 0.008)]), colour("#c9a46a")),
    ]
    boat = np.broadcast_to(colour(look.sails[0]), (side, side, 3))
    mask = np.zeros((side, side), np.float32)
    for part, tint in parts:
        boat, mask = blend(boat, tint, part), np.maximum(mask, part)
    return boat, mask


def _cloth(look: Look, name: str, across: Field, up: Field) -> Field:
    """A sail's colour: light in its belly, seams, and on a junk the battens."""
    sunward = 1 if look.sky.sun is not None and look.sky.sun[0] < 0.6 else -1
    light = 0.9 + 0.32 * np.sin((across * sunward + 0.25) * 5) + 0.1 * up
    light = light * (1 - 0.05 * (np.mod(up * 14 + across * 2, 1) < 0.08))
    if look.rig == "junk":
        light = light * (1 - 0.3 * (np.mod(up * 9 + 0.3 * across, 1) < 0.06))
    return lit(colour(name), light)


def _bellied(outline: Sequence[Point]) -> list[Point]:
    """The outline with its edges swelling outwards a little, as cloth in the wind."""
    middle = np.mean(outline, axis=0)
    swollen: list[Point] = []
    for start, end in zip(outline, (*outline[1:], outline[0]), strict=True):
        for t in np.linspace(0, 1, 8, endpoint=False).tolist():
            out = (1 - t) * np.asarray(start) + t * np.asarray(end) - middle
            x, y = (middle + out * (1 + 0.1 * math.sin(math.pi * t))).tolist()
            swollen.append((x, y))
    return swollen
