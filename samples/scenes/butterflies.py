"""Butterflies with open wings, each of its own species, before a blurred meadow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from samples.backdrops import bokeh
from samples.canvas import (
    Field,
    Point,
    Size,
    blend,
    blur,
    colour,
    fill,
    gradient,
    lit,
    place,
    smooth_outline,
    smoothstep,
    strokes,
)
from samples.noise import fractal

SIDE_PX = 640
FORE = (
    (0.02, -0.05),
    (0.12, -0.34),
    (0.3, -0.6),
    (0.52, -0.76),
    (0.68, -0.74),
    (0.66, -0.56),
    (0.58, -0.34),
    (0.5, -0.12),
    (0.3, 0.0),
    (0.1, 0.04),
)
HIND = (
    (0.03, 0.0),
    (0.2, -0.04),
    (0.42, -0.02),
    (0.56, 0.14),
    (0.56, 0.34),
    (0.44, 0.52),
    (0.28, 0.6),
    (0.16, 0.5),
    (0.06, 0.26),
)
TAILED = (
    (0.03, 0.0),
    (0.2, -0.04),
    (0.42, -0.02),
    (0.54, 0.12),
    (0.5, 0.32),
    (0.44, 0.46),
    (0.46, 0.74),
    (0.4, 0.78),
    (0.34, 0.52),
    (0.2, 0.5),
    (0.06, 0.26),
)
"""Outlines of the right wings; the body lies on x = 0, and 1 is half the side of the square."""


@dataclass(frozen=True, slots=True)
class Look:
    stops: tuple[tuple[float, str], ...]
    """Colours of the wing from the body (0) to the margin (1)."""
    margin: str
    margin_width: float
    veins: float
    dots: str
    eyes: tuple[tuple[float, float, float], ...]
    """Eye spots: x, y, radius."""
    eye: tuple[str, str, str]
    hind: tuple[Point, ...]
    meadow: tuple[str, ...]
    reach: float = 1.0
    """How far the fore wings reach out."""


LOOKS = (
    Look(
        stops=((0, "#a8480a"), (0.5, "#f08a1d"), (1, "#ffb340")),
        margin="#120a08",
        margin_width=0.14,
        veins=0.9,
        dots="#ffffff",
        eyes=(),
        eye=("#000000",) * 3,
        hind=HIND,
        meadow=("#2c4a24", "#5a8a3a", "#a8c46a", "#f0e6a0"),
    ),
    Look(
        stops=((0, "#123f9c"), (0.45, "#1f8fff"), (1, "#7fd8ff")),
        margin="#05070f",
        margin_width=0.2,
        veins=0.25,
        dots="#dff4ff",
        eyes=(),
        eye=("#000000",) * 3,
        hind=HIND,
        meadow=("#0c2a1c", "#17492c", "#3b7a3f", "#a6c96a"),
        reach=1.06,
    ),
    Look(
        stops=((0, "#b89a1a"), (0.5, "#f6dc4a"), (1, "#fff3a6")),
        margin="#15120c",
        margin_width=0.16,
        veins=0.7,
        dots="#ffe87a",
        eyes=((0.3, 0.42, 0.055),),
        eye=("#d6391f", "#2f62c9", "#15120c"),
        hind=TAILED,
        meadow=("#5c3a6b", "#8f6aa6", "#c7a6cf", "#f6e3ee"),
    ),
    Look(
        stops=((0, "#4a130c"), (0.5, "#a92a18"), (1, "#c94a2a")),
        margin="#3a2a20",
        margin_width=0.09,
        veins=0.2,
        dots="#d8c4a0",
        eyes=((0.5, -0.55, 0.12), (0.4, 0.2, 0.11)),
        eye=("#10142c", "#4f86d9", "#f1d58a"),
        hind=HIND,
        meadow=("#2a4a58", "#5f8f9a", "#b3cfc4", "#f5efcf"),
        reach=0.96,
    ),
    Look(
        stops=((0, "#cfd8c0"), (0.6, "#f7f8ee"), (1, "#ffffff")),
        margin="#3c4a34",
        margin_width=0.1,
        veins=0.45,
        dots="#f7f8ee",
        eyes=((0.42, -0.36, 0.06), (0.4, 0.14, 0.045)),
        eye=("#2a3326", "#48563f", "#dfe6cf"),
        hind=HIND,
        meadow=("#a84a5a", "#d97a86", "#f0b3b0", "#fbe6d6"),
        reach=0.92,
    ),
)


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    width, height = size
    picture = bokeh(rng, size, look.meadow)
    stalks = [
        ([(x + lean * t, 1.05 - rise * t) for t in np.linspace(0, 1, 7)], 0.012)
        for x, lean, rise in rng.uniform((0, -0.2, 0.3), (width / height, 0.2, 0.8), (9, 3))
    ]
    picture = blend(picture, colour(look.meadow[1]) * 0.7, blur(strokes(size, stalks), 5) * 0.8)
    wings, mask = _butterfly(look, rng)
    side = int(min(size) * 0.94)
    turn = float(rng.uniform(-28, 28))
    wings, mask = _turned(wings, turn, side), _turned(mask, turn, side)
    left, top = (width - side) // 2 + int(rng.integers(-50, 50)), (height - side) // 2
    place(picture, colour("#0a0f0a"), blur(mask, 16) * 0.25, left + 8, top + 22)
    place(picture, wings, mask, left, top)
    return picture


def _turned(field: Field, degrees: float, side: int) -> Field:
    if field.ndim == 3:
        return np.stack([_turned(field[..., c], degrees, side) for c in range(3)], axis=-1)
    image = Image.fromarray(field).rotate(degrees, Image.Resampling.BILINEAR)
    return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR))


def _butterfly(look: Look, rng: np.random.Generator) -> tuple[Field, Field]:
    """Both sides and the body on a square: the left is the right one mirrored."""
    half = np.zeros((SIDE_PX, SIDE_PX // 2, 3), np.float32)
    half_mask = np.zeros((SIDE_PX, SIDE_PX // 2), np.float32)
    fore = tuple((x * look.reach, y) for x, y in FORE)
    for outline, share in ((look.hind, 0.92), (fore, 1.0)):
        mask = _outline_mask(outline)
        half *= (1 - 0.4 * blur(mask, 9))[..., None]
        half = blend(half, _wing(look, rng, mask, share), mask)
        half_mask = np.maximum(half_mask, mask)
    picture = np.concatenate([half[:, ::-1], half], axis=1)
    mask = np.concatenate([half_mask[:, ::-1], half_mask], axis=1)
    return _with_body(look, picture, mask)


def _outline_mask(outline: Sequence[Point]) -> Field:
    """The outline filled, smoothly; the grid is the right half of the square."""
    curve = smooth_outline([(x * 0.48, 0.5 + y * 0.48) for x, y in outline])
    return fill((SIDE_PX // 2, SIDE_PX), [curve])


def _wing(look: Look, rng: np.random.Generator, mask: Field, brightness: float) -> Field:
    """Colour from the body outwards, scales, veins that radiate, a dark margin with a row of dots, eyes."""
    axis = (np.arange(SIDE_PX, dtype=np.float32) + 0.5 - SIDE_PX / 2) / np.float32(SIDE_PX * 0.48)
    x, y = axis[None, SIDE_PX // 2 :], axis[:, None]
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    scales = fractal(rng, mask.shape[::-1], (60, 120), octaves=3, gain=0.7)
    streaks = np.interp(angle, np.linspace(-2, 2, 512), fractal(rng, (512, 2), (60, 1), 4)[0]).astype(
        np.float32
    )
    wing = (
        gradient(look.stops, radius / 0.85 + 0.05 * streaks) * (brightness * (1 + 0.05 * scales))[..., None]
    )
    inner = blur(mask, SIDE_PX * 0.03 * look.margin_width / 0.14)
    edge = smoothstep(0.985, 0.8, inner + 0.05 * streaks)
    veins = smoothstep(0.75, 0.98, np.cos(angle * 19 + 0.8 * np.sin(3 * radius))) * smoothstep(
        0.08, 0.3, radius
    )
    wing = blend(wing, colour(look.margin), np.maximum(edge * mask, look.veins * veins))
    band = smoothstep(0.56, 0.64, inner) * smoothstep(0.76, 0.68, inner)
    wing = blend(
        wing, colour(look.dots), band * smoothstep(0.3, 0.7, np.cos(angle * 38 + 1.6 * np.sin(3 * radius)))
    )
    for eye_x, eye_y, eye_radius in look.eyes:
        distance = np.hypot(x - eye_x, y - eye_y) / eye_radius
        for limit, name in ((1.0, look.eye[2]), (0.78, look.eye[0]), (0.5, look.eye[1]), (0.22, "#ffffff")):
            wing = blend(wing, colour(name), smoothstep(limit, limit - 0.12, distance) * 0.95)
    sheen = 1 + 0.18 * np.sin(2.4 * radius - 1.5 * angle)
    return lit(wing, sheen)


def _with_body(look: Look, picture: Field, mask: Field) -> tuple[Field, Field]:
    """A furry body and two antennae."""
    size = (SIDE_PX, SIDE_PX)
    antennae = [
        ([(0.5 + side * (0.006 + 0.11 * t**1.4), 0.42 - 0.2 * t) for t in np.linspace(0, 1, 9)], 0.006)
        for side in (-1, 1)
    ]
    tips = [([(0.5 + side * 0.112, 0.224), (0.5 + side * 0.117, 0.214)], 0.015) for side in (-1, 1)]
    feelers = strokes(size, antennae + tips)
    y = ((np.arange(SIDE_PX, dtype=np.float32) + 0.5) / SIDE_PX)[:, None]
    x = y.T - 0.5
    thick = np.interp(
        y, (0.405, 0.42, 0.445, 0.47, 0.54, 0.6, 0.74, 0.76), (0, 0.017, 0.014, 0.026, 0.024, 0.017, 0.008, 0)
    ).astype(np.float32)
    body = smoothstep(0.003, -0.003, np.abs(x) - thick) * (thick > 0)
    bands = 0.8 + 0.2 * np.sin(y * 190) * (y > 0.54)
    round_light = np.sqrt(np.clip(1 - (x / np.maximum(thick, 1e-3)) ** 2, 0, 1)) * bands
    fur = colour(look.margin) * 0.6 + (0.22 * round_light)[..., None] * (0.4 + colour(look.stops[1][1]))
    picture = blend(blend(picture, colour("#14100c"), feelers), fur, body)
    return picture, np.maximum(np.maximum(mask, feelers), body)
