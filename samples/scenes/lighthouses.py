"""Lighthouses on rocky headlands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samples.canvas import Field, Size, blend, colour, coordinates, glow, place, smoothstep
from samples.noise import fractal, ridged
from samples.sky import Sky, draw_sky
from samples.solids import Solid, lathe, shade
from samples.water import Water, reflect


@dataclass(frozen=True, slots=True)
class Look:
    sky: Sky
    water: Water
    paint: tuple[str, str]
    pattern: str
    """bands, spiral, plain or blocks."""
    roof: str
    rock: str
    turf: str
    beam: float
    side: float
    """Where the tower stands, as a share of the picture's width."""


LOOKS = (
    Look(
        sky=Sky(((0, "#dcebf4"), (0.4, "#86bfe6"), (1, "#2b74bb")), cover=0.5, cloud_dark="#a9bac9"),
        water=Water("#17506b", choppiness=1.0, clarity=0.7),
        paint=("#f4f2ec", "#c8231f"),
        pattern="bands",
        roof="#8f1a18",
        rock="#6f6a62",
        turf="#5f7a34",
        beam=0.0,
        side=0.64,
    ),
    Look(
        sky=Sky(
            ((0, "#f2a36a"), (0.3, "#b8688a"), (1, "#232a5c")),
            cover=0.45,
            cloud_lit="#e88f7a",
            cloud_dark="#4a3a66",
            stars=150,
        ),
        water=Water("#1a1f40", choppiness=0.9),
        paint=("#e8e2da", "#e8e2da"),
        pattern="plain",
        roof="#2a2c3a",
        rock="#2f2c38",
        turf="#3a3f3c",
        beam=0.9,
        side=0.36,
    ),
    Look(
        sky=Sky(
            ((0, "#c6cdd0"), (0.4, "#8a979e"), (1, "#4a5660")),
            cover=0.85,
            cloud_lit="#b5bfc4",
            cloud_dark="#48545e",
        ),
        water=Water("#2a4448", choppiness=1.9, clarity=0.75),
        paint=("#f0f0ee", "#1d2126"),
        pattern="spiral",
        roof="#1d2126",
        rock="#3c4044",
        turf="#4f5f3c",
        beam=0.35,
        side=0.6,
    ),
    Look(
        sky=Sky(
            ((0, "#fdeccb"), (0.4, "#f6c99a"), (1, "#8fb0cf")),
            sun=(0.32, 0.5),
            sun_radius=0.035,
            glow=0.6,
            cover=0.4,
            cloud_lit="#fff0d6",
            cloud_dark="#c29a86",
        ),
        water=Water("#54788c", choppiness=0.7, glitter="#ffe6b8", glitter_at=0.32),
        paint=("#f6d9a8", "#2f5f7a"),
        pattern="blocks",
        roof="#2f5f7a",
        rock="#8a6a52",
        turf="#a89a4f",
        beam=0.0,
        side=0.68,
    ),
    Look(
        sky=Sky(
            ((0, "#2b4a78"), (0.4, "#15264f"), (1, "#060b20")),
            cover=0.25,
            cloud_lit="#4f6a9c",
            cloud_dark="#15203f",
            stars=900,
        ),
        water=Water("#08122a", choppiness=0.8),
        paint=("#dfe4ee", "#7a2230"),
        pattern="bands",
        roof="#5a1822",
        rock="#141a2c",
        turf="#1a2c30",
        beam=1.3,
        side=0.45,
    ),
)
HORIZON, FOOT = 0.68, 0.56


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    width, height = size
    picture = draw_sky(rng, size, look.sky, HORIZON)
    tower_x = look.side * width / height
    lamp = tower_x, FOOT - 0.415
    if look.beam:
        picture = picture + _beams(look, size, lamp)[..., None] * colour("#ffe9b0")
    picture = reflect(rng, picture, HORIZON, look.water)
    picture = _headland(look, rng, picture, size, tower_x)
    _tower(look, picture, int(tower_x * height), int((FOOT + 0.022) * height))
    if not look.beam:
        return picture
    x, y = coordinates(size)
    halo = np.exp(-np.hypot(x - lamp[0], y - lamp[1]) / 0.035) * look.beam
    return glow(picture + halo[..., None] * colour("#fff0c0"), 0.95, 18, 0.25)


def _beams(look: Look, size: Size, lamp: tuple[float, float]) -> Field:
    """Two shafts of light, one to each side."""
    x, y = coordinates(size)
    dx, dy = x - lamp[0], y - lamp[1]
    light = np.zeros((size[1], size[0]), np.float32)
    for side, slope in ((-1, -0.09), (1, 0.1)):
        along = dx * side
        spread = np.abs(dy - along * slope) / (0.012 + 0.1 * np.abs(along))
        light += smoothstep(1.0, 0.0, spread) * np.exp(-np.abs(along) / 0.7) * (along > 0)
    return light * np.float32(0.42 * look.beam)


def _headland(look: Look, rng: np.random.Generator, picture: Field, size: Size, tower_x: float) -> Field:
    """Cliffs under a cover of turf, with surf at their feet."""
    x, y = coordinates(size)
    away = -1 if look.side > 0.5 else 1
    slope = smoothstep(0.62, 0.12, (x - tower_x) * away)
    crag = fractal(rng, (size[0], 2), (7, 1), octaves=8, gain=0.5)[:1]
    top = FOOT + 0.012 + (1 - slope) * 0.36 + 0.018 * crag * smoothstep(0.02, 0.14, np.abs(x - tower_x))
    base = 0.8 + 0.1 * slope + 0.02 * fractal(rng, (size[0], 2), (5, 1), octaves=5)[:1]
    relief = ridged(rng, size, (9, 7), octaves=7, gain=0.6)
    fine = fractal(rng, size, (60, 90), octaves=4, gain=0.7)
    lit = 0.72 + 0.4 * (np.roll(relief, 4, axis=1) - relief) + 0.1 * fine + 0.12 * relief
    stone = colour(look.rock) * np.clip(lit, 0.25, 1.6)[..., None]
    turf = colour(look.turf) * (1 + 0.16 * fine)[..., None]
    depth = y - top
    ground = blend(stone, turf, smoothstep(0.075, 0.02, depth + 0.02 * relief + 0.012 * fine))
    mask = smoothstep(-0.001, 0.002, depth) * smoothstep(0.004, -0.004, y - base - 0.006 * fine)
    sea = blend(picture, ground, mask)
    torn = smoothstep(-0.4, 1.2, fractal(rng, size, (50, 110), octaves=4, gain=0.7))
    surf = np.exp(-(((y - base - 0.012) / 0.016) ** 2)) * torn * (depth > 0)
    foam = colour(look.sky.stops[0][1]) * 0.9 + 0.1
    return blend(sea, foam, np.clip(surf, 0, 0.9))


def _tower(look: Look, picture: Field, x: int, foot: int) -> None:
    """The tower with its gallery, lantern and roof, in place."""
    unit = picture.shape[0]
    shaft = lathe(int(0.38 * unit), lambda v: 0.072 + 0.062 * v**1.6, above=-0.12)
    _put(picture, _lit(look, shaft, _painted(look, shaft), 0.15), shaft, x, foot)
    top = foot - int(0.365 * unit)
    iron = colour("#2c2c30")
    gallery = lathe(max(6, int(0.014 * unit)), lambda v: 2.9 + 0 * v)
    _put(picture, _lit(look, gallery, iron, 0.3), gallery, x, top)
    lantern = lathe(int(0.05 * unit), lambda v: 0.5 + 0 * v)
    bars = np.abs(np.mod(lantern.longitude * 3.2, 1) - 0.5) < 0.09
    glass = np.where(bars[..., None], iron, colour("#fff0b8") * (1.6 if look.beam else 0.75))
    _put(
        picture, glass if look.beam else _lit(look, lantern, glass, 0.6), lantern, x, top - int(0.013 * unit)
    )
    roof = lathe(int(0.05 * unit), lambda v: 0.03 + 0.62 * np.sqrt(v))
    _put(picture, _lit(look, roof, colour(look.roof), 0.3), roof, x, top - int(0.06 * unit))


def _painted(look: Look, shaft: Solid) -> Field:
    """The tower's pattern in its two colours, and three small windows."""
    around, v = shaft.longitude / np.pi, shaft.along
    second = {
        "bands": np.mod(np.floor(v * 5), 2) > 0,
        "spiral": np.mod(v * 3.2 - around * 0.8, 1) > 0.5,
        "plain": v < 0,
        "blocks": (np.floor(v * 4) + np.floor(around * 4 + 10)) % 2 > 0,
    }[look.pattern]
    paint = np.where(second[..., None], colour(look.paint[1]), colour(look.paint[0]))
    window = colour("#ffd98a" if look.beam > 0.5 else "#2a3038")
    for height, turn in ((0.24, 0.08), (0.52, -0.06), (0.8, 0.1)):
        pane = (np.abs(v - height) < 0.035) & (np.abs(around - turn) < 0.07)
        paint = np.where(pane[..., None], window, paint)
    return paint


def _lit(look: Look, solid: Solid, paint: Field, gloss: float) -> Field:
    sun, sky = ("#c8d4f0", "#2c3a60") if look.sky.stars > 300 else ("#fff0da", "#66758f")
    from_right = look.side > 0.5 and look.sky.sun is None
    return shade(solid, paint, (0.6 if from_right else -0.6, -0.3, 0.6), sun, sky, gloss)


def _put(picture: Field, part: Field, solid: Solid, x: int, foot: int) -> None:
    height, width = solid.mask.shape
    place(picture, part, solid.mask, x - width // 2, foot - height)
