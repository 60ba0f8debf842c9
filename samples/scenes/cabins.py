"""Winter evenings: a lit cabin among snowy spruces."""

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
    blur,
    colour,
    coordinates,
    fill,
    glow,
    smoothstep,
    strokes,
)
from samples.noise import fractal
from samples.sky import Sky, draw_sky
from samples.weather import aurora, snowfall


@dataclass(frozen=True, slots=True)
class Look:
    sky: Sky
    snow: tuple[str, str]
    """Colour of the snow in the light and in the shade."""
    spruce: str
    logs: str
    aurora: tuple[str, ...]
    """Colours of its curtains, the lowest first; none without one."""
    snowing: bool
    middle: float
    """Where the cabin stands, as a share of the picture's width."""
    lamp: str = "#ffbf5a"


LOOKS = (
    Look(
        sky=Sky(((0, "#274a72"), (0.4, "#12264a"), (1, "#060d22")), cover=0.0, stars=1100),
        snow=("#7f9ac4", "#2a3d66"),
        spruce="#0e1c2a",
        logs="#3a2418",
        aurora=("#3dffa2", "#3dffa2", "#5fd0ff"),
        snowing=False,
        middle=0.55,
    ),
    Look(
        sky=Sky(
            ((0, "#ffb48f"), (0.35, "#d987a6"), (1, "#4a5596")),
            cover=0.4,
            cloud_lit="#ffbfa0",
            cloud_dark="#7a6796",
        ),
        snow=("#f2c9d2", "#7f7fb5"),
        spruce="#2f3a55",
        logs="#5a3324",
        aurora=(),
        snowing=False,
        middle=0.38,
    ),
    Look(
        sky=Sky(
            ((0, "#b5c0cc"), (0.5, "#8796a8"), (1, "#5f6f85")),
            cover=0.8,
            cloud_lit="#b9c4d0",
            cloud_dark="#66758a",
        ),
        snow=("#dfe6ee", "#8795ab"),
        spruce="#3d4c52",
        logs="#4a3a30",
        aurora=(),
        snowing=True,
        middle=0.62,
    ),
    Look(
        sky=Sky(
            ((0, "#41598f"), (0.5, "#1d2d5c"), (1, "#0a1230")),
            sun=(0.95, 0.16),
            sun_colour="#eef3ff",
            sun_radius=0.045,
            glow=0.45,
            cover=0.35,
            cloud_lit="#7187bb",
            cloud_dark="#1a2650",
            stars=350,
        ),
        snow=("#aebfe6", "#3c4f86"),
        spruce="#14213c",
        logs="#2f2430",
        aurora=(),
        snowing=False,
        middle=0.32,
        lamp="#ffd27a",
    ),
    Look(
        sky=Sky(((0, "#fff1c9"), (0.4, "#cfe0ee"), (1, "#6fa3d6")), sun=(0.25, 0.42), glow=0.6, cover=0.3),
        snow=("#fbf6ee", "#9fb6d9"),
        spruce="#35564a",
        logs="#8a5a38",
        aurora=(),
        snowing=False,
        middle=0.66,
        lamp="#ffd98a",
    ),
)
GROUND = 0.66


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    picture = draw_sky(rng, size, look.sky, GROUND)
    if look.aurora:
        picture = picture + aurora(rng, size, look.aurora)
    picture = _spruces(look, rng, picture, size, 0.35, 26)
    picture = _snow(look, rng, picture, size, GROUND - 0.01, 0.03)
    picture = _spruces(look, rng, picture, size, 0.65, 12)
    picture = _snow(look, rng, picture, size, GROUND + 0.05, 0.025)
    picture = _cabin(look, rng, picture, size)
    picture = _snow(look, rng, picture, size, GROUND + 0.19, 0.04)
    picture = _spruces(look, rng, picture, size, 1.25, 3)
    picture = glow(picture, 0.85, 20, 0.35)
    return snowfall(rng, picture) if look.snowing else picture


def _snow(
    look: Look, rng: np.random.Generator, picture: Field, size: Size, level: float, relief: float
) -> Field:
    """A snowfield with soft drifts."""
    _, y = coordinates(size)
    edge = level + relief * fractal(rng, (size[0], 2), (4, 1), octaves=3, gain=0.35)[:1]
    drifts = fractal(rng, size, (3, 9), octaves=5, gain=0.42)
    sparkle = rng.standard_normal((size[1], size[0]), np.float32)
    light = smoothstep(-1.6, 1.8, drifts - 6 * (y - edge - 0.05))
    bright, dark = (colour(name) for name in look.snow)
    field = dark + (bright - dark) * light[..., None] + (0.012 * sparkle)[..., None]
    return blend(picture, field, smoothstep(-0.0015, 0.0015, y - edge))


def _spruces(
    look: Look, rng: np.random.Generator, picture: Field, size: Size, nearness: float, count: int
) -> Field:
    """A row of trees with drooping, snow-laden tiers of boughs; the middle row leaves room for the cabin."""
    wide = size[0] / size[1]
    cabin = look.middle * wide
    boughs: list[list[Point]] = []
    caps: list[list[Point]] = []
    for number in range(count):
        x = wide * (number + float(rng.uniform(0.1, 0.9))) / count
        if nearness > 1:
            x = (cabin + wide * float(rng.uniform(0.3, 0.6))) % wide
        if 0.5 < nearness < 1 and abs(x - cabin) < 0.14:
            continue
        tall = 0.34 * nearness * float(rng.uniform(0.75, 1.3))
        foot = GROUND + 0.02 + 0.12 * (nearness - 0.35) + float(rng.uniform(0, 0.015))
        _grow_spruce(rng, boughs, caps, (x, foot), tall, nearness)
    tree = fill(size, boughs)
    texture = fractal(rng, size, (160, 120), octaves=3, gain=0.8)
    tint = blend(colour(look.sky.stops[0][1]), colour(look.spruce), min(1.0, 0.35 + 0.65 * nearness))
    picture = blend(picture, tint * (1 + 0.2 * texture)[..., None], tree)
    laden = fill(size, caps) * tree * smoothstep(-0.3, 0.9, texture)
    return blend(picture, blend(tint, colour(look.snow[0]), 0.5 + 0.4 * min(1, nearness)), laden * 0.85)


def _grow_spruce(
    rng: np.random.Generator,
    boughs: list[list[Point]],
    caps: list[list[Point]],
    foot: Point,
    tall: float,
    nearness: float,
) -> None:
    """Adds nine tiers of ragged boughs from the top down, and the snow that lies on each."""
    x, ground = foot
    for tier in range(9):
        top = ground - tall * (1 - 0.1 * tier)
        base = ground - tall * (0.828 - 0.0956 * tier)
        reach = tall * 0.0256 * (tier + 1.2)
        rim = []
        for number, out in enumerate(np.linspace(1, -1, 9).tolist()):
            droop = 0.02 * nearness * (1.2 * out**2 + 0.35 * (number % 2))
            rim.append((x + reach * out * float(rng.uniform(0.75, 1.1)), base + droop))
        boughs.append([(x, top), *rim])
        snow = ((0.9, 0.006), (0.5, -0.012 * nearness), (-0.35, -0.03 * nearness), (-0.85, 0.004))
        caps.append([(x, top), *[(x + reach * out, base + down) for out, down in snow]])


HALF_WIDTH, WALL = 0.15, 0.12
"""Of the cabin, in scene coordinates."""
PANES = ((-0.085, 0.03, 0.045, 0.1), (0.085, 0.03, 0.045, 0.1), (0.0, 0.02, 0.15, 0.185))
"""Windows: middle, half width, sill and lintel above the ground."""


def _cabin(look: Look, rng: np.random.Generator, picture: Field, size: Size) -> Field:
    """Log walls, a roof under thick snow, warm windows, light on the snow, smoke from the chimney."""
    x, y = coordinates(size)
    middle, foot = look.middle * size[0] / size[1], GROUND + 0.14

    def paint(below: Field, tint: Field, *outlines: Sequence[Point]) -> Field:
        placed = [[(middle + right, foot - up) for right, up in outline] for outline in outlines]
        return blend(below, tint, fill(size, placed))

    logs = colour(look.logs)
    grain = np.abs(np.sin((y - foot) * 150)) * 0.35 + 0.08 * fractal(rng, size, (20, 120), octaves=3)
    window_light = colour(look.lamp) * (1.25 - 3.0 * np.abs(y - (foot - 0.075)))[..., None]
    picture = _smoke(look, rng, picture, size, (middle + 0.09, foot - 0.29))
    picture = picture + _spill(look, x - middle, y - foot)
    picture = paint(picture, logs * 0.8, ((0.07, 0.2), (0.07, 0.3), (0.115, 0.3), (0.115, 0.16)))
    gable = ((-HALF_WIDTH, 0), (-HALF_WIDTH, WALL), (0, WALL + 0.13), (HALF_WIDTH, WALL), (HALF_WIDTH, 0))
    picture = paint(picture, logs * (0.75 + grain)[..., None], gable)
    picture = paint(picture, logs * 0.45, _box(0, 0.026, 0, 0.09))
    picture = paint(picture, window_light, *[_box(*pane) for pane in PANES])
    uprights = [_box(at, 0.002, sill, lintel) for at, _, sill, lintel in PANES]
    crossbars = [_box(at, half, 0.071, 0.075) for at, half, sill, _ in PANES if sill < 0.07]
    picture = paint(picture, logs * 0.5, *uprights, *crossbars)
    return _roof(look, picture, size, (middle, foot))


def _box(middle: float, half: float, low: float, high: float) -> list[Point]:
    return [(middle - half, low), (middle - half, high), (middle + half, high), (middle + half, low)]


def _spill(look: Look, across: Field, below: Field) -> Field:
    """Light from the windows on the snow before the cabin, to be added."""
    pool = np.exp(-((across / 0.22) ** 2 + ((below - 0.03) / 0.07) ** 2)) * smoothstep(-0.02, 0.02, below)
    return (0.5 * pool)[..., None] * colour(look.lamp)


def _smoke(look: Look, rng: np.random.Generator, picture: Field, size: Size, chimney: Point) -> Field:
    path = [
        (chimney[0] + 0.03 * math.sin(5 * t) + 0.1 * t, chimney[1] - 0.32 * t)
        for t in np.linspace(0, 1, 14).tolist()
    ]
    wisps = smoothstep(-0.6, 1.4, fractal(rng, size, (14, 10), octaves=4))
    return blend(picture, colour(look.snow[0]), blur(strokes(size, [(path, 0.03)]), 15) * wisps * 0.7)


def _roof(look: Look, picture: Field, size: Size, foot: Point) -> Field:
    """Snow on the roof, as thick as a hand is long, and its shadow on the wall."""
    x, y = coordinates(size)
    eaves, ridge = HALF_WIDTH + 0.05, WALL + 0.175
    right = [(0.02, ridge), (eaves, WALL), (eaves - 0.005, WALL - 0.035)]
    outline = [*right, (0, WALL + 0.125), *[(-across, up) for across, up in right[::-1]]]
    thick = fill(size, [[(foot[0] + across, foot[1] - up) for across, up in outline]])
    bright, dark = (colour(name) for name in look.snow)
    under = np.abs(x - foot[0]) * 0.87 - (WALL + 0.15 - (foot[1] - y))
    tone = blend(dark, bright, smoothstep(0.05, -0.05, under))
    return blend(blend(picture, dark * 0.5, blur(thick, 4) * 0.4), tone * 1.05, thick)
