"""Rows of houses along a canal and their reflections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samples.canvas import Field, Point, Size, blend, colour, coordinates, fill, glow, lit, place, smoothstep
from samples.noise import fractal
from samples.sky import Sky, draw_sky
from samples.water import Water, reflect
from samples.weather import snowfall

QUAY = 0.72
SHOULDER = 0.2
"""Where the gable begins, as a share of a front's height."""
SNOW = "#f4f7fb"


@dataclass(frozen=True, slots=True)
class Look:
    sky: Sky
    water: Water
    walls: tuple[str, ...]
    gable: str
    """step, bell, point or flat."""
    trim: str
    shutters: str
    roof: str
    lit: float
    """Share of windows with light."""
    light: str = "#ffffff"
    """Tint of the daylight on the walls."""
    snow: bool = False


LOOKS = (
    Look(
        sky=Sky(((0, "#e3f0f6"), (0.4, "#97c8e8"), (1, "#3c86c6")), cover=0.5, cloud_dark="#b3c3d0"),
        water=Water("#2a5a5f", choppiness=0.55, clarity=0.8),
        walls=("#d8573f", "#efb93f", "#4f8fae", "#e9dcc3", "#7fa25f", "#c9774f"),
        gable="point",
        trim="#fbf7ee",
        shutters="#2f5a4f",
        roof="#8f4a34",
        lit=0.0,
    ),
    Look(
        sky=Sky(
            ((0, "#f2b27a"), (0.3, "#a8708a"), (1, "#222a58")),
            cover=0.35,
            cloud_lit="#e8a08a",
            cloud_dark="#4f456f",
        ),
        water=Water("#141c30", choppiness=0.6),
        walls=("#7a3a2c", "#5c2f28", "#8a5038", "#6b4038", "#4a2f30"),
        gable="step",
        trim="#e6d9c2",
        shutters="#23352f",
        roof="#2f2a30",
        lit=0.55,
        light="#9a86a8",
    ),
    Look(
        sky=Sky(((0, "#fff3dc"), (0.5, "#c5e3ee"), (1, "#6fb8dc")), cover=0.25),
        water=Water("#1f8a8a", choppiness=0.6, clarity=0.7),
        walls=("#f48fb1", "#4fc3c7", "#ffd54f", "#9575cd", "#ff8a65", "#81c784"),
        gable="flat",
        trim="#ffffff",
        shutters="#ffffff",
        roof="#c96a4a",
        lit=0.0,
    ),
    Look(
        sky=Sky(((0, "#dfe5ea"), (0.5, "#b9c6d2"), (1, "#8a9bb0")), cover=0.7, cloud_dark="#8f9cab"),
        water=Water("#3a4a58", choppiness=0.4),
        walls=("#a8443a", "#c9a24f", "#5f7a8a", "#8a5a4a", "#b58a6a"),
        gable="bell",
        trim="#f2efe8",
        shutters="#3a4a3f",
        roof="#5a5550",
        lit=0.35,
        light="#dfe6f2",
        snow=True,
    ),
    Look(
        sky=Sky(
            ((0, "#2f4578"), (0.4, "#17244d"), (1, "#070c22")),
            cover=0.2,
            cloud_lit="#4a5f92",
            cloud_dark="#151f40",
            stars=350,
        ),
        water=Water("#0a1226", choppiness=0.7),
        walls=("#3f4f66", "#5a4048", "#4a5a4f", "#5f5540", "#463f5c"),
        gable="point",
        trim="#aeb4c4",
        shutters="#1a2230",
        roof="#1a1c28",
        lit=0.7,
        light="#6f82b5",
    ),
)


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    width, height = size
    picture = draw_sky(rng, size, look.sky, QUAY)
    left, number = -int(rng.integers(10, 60)), int(rng.integers(0, 6))
    while left < width:
        house_px = int(height * rng.uniform(0.2, 0.27))
        wall, tall = look.walls[number % len(look.walls)], int(height * rng.uniform(0.47, 0.6))
        front, mask = _house(look, rng, wall, house_px, tall)
        place(picture, front, mask, left, int((QUAY - 0.035) * height) - len(front))
        left, number = left + house_px, number + 1
    picture = _quay(look, rng, picture, size)
    if look.lit:
        picture = glow(picture, 0.8, 12, 0.5)
    picture = reflect(rng, picture, QUAY, look.water)
    return snowfall(rng, picture) if look.snow else picture


def _house(look: Look, rng: np.random.Generator, wall: str, wide: int, tall: int) -> tuple[Field, Field]:
    """One front with its gable: colours and mask."""
    size = wide, tall
    plaster = 1 + 0.045 * fractal(rng, size, (7, 14), octaves=6, gain=0.65)
    brick = _bricks(size) if look.gable in ("step", "bell") else np.ones((tall, wide), np.float32)
    front = lit(colour(wall) * colour(look.light), plaster * brick)
    _openings(look, rng, front)
    cornice = int(SHOULDER * tall), int((SHOULDER + 0.014) * tall), int((SHOULDER + 0.03) * tall)
    front[cornice[0] : cornice[1]] = colour(look.trim) * colour(look.light)
    front[cornice[1] : cornice[2]] *= 0.75
    mask = fill(size, [[(x * wide / tall, y) for x, y in _gable(look.gable)]])
    edge = np.clip(mask - np.roll(mask, max(2, tall // 90), axis=0), 0, 1)
    front = blend(front, colour(SNOW if look.snow else look.roof), edge * 0.95)
    sides = np.linspace(-1, 1, wide, dtype=np.float32)[None, :]
    return lit(front, 1.03 - 0.12 * sides - 0.1 * np.abs(sides) ** 8), mask


def _openings(look: Look, rng: np.random.Generator, front: Field) -> None:
    """A window in the gable, floors of windows with or without shutters, a door, in place."""
    floors, columns = int(rng.integers(3, 5)), int(rng.integers(2, 4))
    storey, wide = (0.95 - SHOULDER) / floors, 0.44 / columns
    for floor in range(floors):
        for column in range(columns):
            x, top = (column + 0.5) / columns, SHOULDER + 0.05 + storey * floor
            if floor == floors - 1 and column == columns // 2:
                _door(look, front, x, top, wide, storey * 0.95)
                continue
            _window(look, rng, front, x, top, wide, storey * 0.66)
            if look.gable in ("flat", "point"):
                shutter = colour(look.shutters) * colour(look.light)
                _panel(front, x - wide * 0.76, top, wide * 0.42, storey * 0.66, shutter, 9)
                _panel(front, x + wide * 0.76, top, wide * 0.42, storey * 0.66, shutter, 9)
    _window(look, rng, front, 0.5, 0.105, 0.13, 0.07)


def _bricks(size: Size) -> Field:
    """Courses of brick: joints a little paler than the stones."""
    width, height = size
    row = np.arange(height)[:, None] // 5
    column = (np.arange(width)[None, :] + 6 * (row % 2)) // 12
    tone = ((row * 7919 + column * 104729) % 97).astype(np.float32) / 97
    joint = (np.arange(height)[:, None] % 5 == 0) | ((np.arange(width)[None, :] + 6 * (row % 2)) % 12 == 0)
    return np.where(joint, np.float32(1.12), 0.88 + 0.2 * tone).astype(np.float32)


def _gable(kind: str) -> list[Point]:
    """Outline of the front on the unit square."""
    foot = [(1.0, 1.0), (0.0, 1.0)]
    if kind == "flat":
        return [(0.0, 0.12), (1.0, 0.12), *foot]
    if kind == "point":
        return [(0.0, SHOULDER), (0.5, 0.01), (1.0, SHOULDER), *foot]
    if kind == "step":
        rises = [(0.6 + 0.1 * k, SHOULDER * k / 5 + 0.01) for k in range(5)]
        right = [corner for x, y in rises for corner in ((x, y), (x, y + SHOULDER / 5))]
    else:
        shares = np.linspace(0, 1, 20).tolist()
        right = [(0.62 + 0.38 * t**2.4, 0.03 + (SHOULDER - 0.03) * t**0.8) for t in shares]
        right = [(0.5, 0.005), *right]
    return [(1 - x, y) for x, y in right[::-1]] + right + foot


def _door(look: Look, front: Field, x: float, top: float, wide: float, tall: float) -> None:
    light = colour(look.light)
    _panel(front, x, top - 0.004, wide * 1.25, tall + 0.01, colour(look.trim) * light, 0)
    wood = colour("#6a3f2a" if look.shutters == "#ffffff" else look.shutters)
    _panel(front, x, top + 0.008, wide, tall, wood * light, 4)


def _panel(front: Field, x: float, top: float, wide: float, tall: float, tint: Field, slats: int) -> None:
    """A board or a shutter, with slats across it, in place."""
    height, width = front.shape[:2]
    rows = slice(max(0, int(top * height)), min(height, int((top + tall) * height)))
    columns = slice(max(0, int((x - wide / 2) * width)), min(width, int((x + wide / 2) * width)))
    lines = np.arange(rows.stop - rows.start, dtype=np.float32)[:, None, None]
    ribs = 0.9 + 0.12 * np.cos(lines / max(1, rows.stop - rows.start) * 2 * np.pi * slats) if slats else 1.0
    front[rows, columns] = tint * ribs


def _window(
    look: Look, rng: np.random.Generator, front: Field, x: float, top: float, wide: float, tall: float
) -> None:
    """Frame, panes with the sky in them or a lamp behind, glazing bars, a sill, in place."""
    height, width = front.shape[:2]
    frame = colour(look.trim) * colour(look.light)
    _panel(front, x, top - 0.006, wide * 1.22, tall + 0.014, frame, 0)
    rows = slice(int(top * height), int((top + tall) * height))
    columns = slice(int((x - wide / 2) * width), int((x + wide / 2) * width))
    deep, across = rows.stop - rows.start, columns.stop - columns.start
    has_light = rng.random() < look.lit
    pane = np.repeat(_glass(look, rng, deep, has_light), across, axis=1)
    bar = max(1, across // 14)
    pane[:, across // 2 - bar // 2 : across // 2 - bar // 2 + bar] = frame * (0.55 if has_light else 1)
    pane[int(deep * 0.38) : int(deep * 0.38) + bar] = frame * (0.55 if has_light else 1)
    pane[: max(1, deep // 12)] *= 0.6
    front[rows, columns] = pane
    sill = colour(SNOW if look.snow else look.trim) * colour(look.light)
    front[rows.stop : rows.stop + max(2, height // 120), columns] = sill


def _glass(look: Look, rng: np.random.Generator, deep: int, has_light: bool) -> Field:
    """One column of a pane, shape=(deep, 1, 3)."""
    fall = np.linspace(0, 1, deep, dtype=np.float32)[:, None]
    if has_light:
        return lit(colour("#ffd07a"), (1.15 - 0.35 * np.abs(fall - 0.4)) * float(rng.uniform(0.75, 1.15)))
    sky = blend(colour(look.sky.stops[-1][1]), colour(look.sky.stops[0][1]), 0.5)
    return lit(sky, (0.75 - 0.5 * fall) * float(rng.uniform(0.6, 1.0)))


def _quay(look: Look, rng: np.random.Generator, picture: Field, size: Size) -> Field:
    """A stone embankment, street lamps and their light."""
    _, y = coordinates(size)
    stones = fractal(rng, size, (60, 130), octaves=3, gain=0.7)
    tint = (colour("#e9eef4") if look.snow else colour("#8a8378")) * colour(look.light)
    top = blend(tint, tint * 0.5, smoothstep(QUAY - 0.026, QUAY - 0.016, y)) * (1 + 0.1 * stones)[..., None]
    return blend(picture, top, smoothstep(QUAY - 0.038, QUAY - 0.034, y))
