"""Fallen leaves: maple, oak, birch and ginkgo, strewn over soil, stone, moss, wood and water."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from samples.canvas import (
    Field,
    Size,
    blend,
    blur,
    colour,
    coordinates,
    fill,
    gradient,
    lit,
    place,
    smoothstep,
    strokes,
)
from samples.leaf_outlines import OUTLINES
from samples.noise import fractal, ridged

LEAF_PX = 300


@dataclass(frozen=True, slots=True)
class Look:
    shape: str
    palettes: tuple[tuple[str, str], ...]
    """Pairs of colours, middle and rim of a leaf."""
    ground: str
    ground_tint: tuple[str, str]
    count: int
    size: float


LOOKS = (
    Look(
        shape="maple",
        palettes=(
            ("#c8231a", "#7a120e"),
            ("#e8551f", "#b3200f"),
            ("#f0922a", "#cf4a16"),
            ("#d93a1a", "#8c1a12"),
        ),
        ground="soil",
        ground_tint=("#2a1c14", "#4b3626"),
        count=85,
        size=0.34,
    ),
    Look(
        shape="oak",
        palettes=(
            ("#a8702c", "#6b3d17"),
            ("#c98a3a", "#8a5420"),
            ("#8a5a2a", "#4f2f16"),
            ("#d9a24a", "#9c6428"),
        ),
        ground="moss",
        ground_tint=("#24401c", "#5f8a34"),
        count=48,
        size=0.36,
    ),
    Look(
        shape="birch",
        palettes=(("#f2c82a", "#cf9416"), ("#f7dd5a", "#dba823"), ("#e6b01f", "#a8750f")),
        ground="stone",
        ground_tint=("#4a5058", "#8a929a"),
        count=110,
        size=0.23,
    ),
    Look(
        shape="ginkgo",
        palettes=(("#f6d743", "#e0ad1c"), ("#fbe77a", "#e8bf35"), ("#e9c52f", "#b98d12")),
        ground="water",
        ground_tint=("#0c1a24", "#24485a"),
        count=60,
        size=0.28,
    ),
    Look(
        shape="maple",
        palettes=(
            ("#b8457a", "#6a1f4c"),
            ("#f2b23a", "#c9741a"),
            ("#6a8a2c", "#3d5a1c"),
            ("#d9622a", "#8a2f14"),
        ),
        ground="planks",
        ground_tint=("#6a5340", "#a3876a"),
        count=34,
        size=0.4,
    ),
)


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    width, height = size
    picture = _ground(look, rng, size)
    kinds = [_leaf(look.shape, rng, pair) for pair in look.palettes for _ in range(2)]
    for number in range(look.count):
        depth = number / look.count
        leaf, mask = kinds[int(rng.integers(len(kinds)))]
        side = int(height * look.size * rng.uniform(0.6, 1.05) * (0.75 + 0.25 * depth))
        turned, shape = _strewn(rng, leaf, mask, side)
        left = int(rng.uniform(-0.1, 1.0) * width - side * 0.3)
        top = int(rng.uniform(-0.1, 1.0) * height - side * 0.3)
        _shadow(picture, shape, left, top, side, look.ground == "water")
        place(picture, turned * (0.68 + 0.4 * depth), shape, left, top)
    x, y = coordinates(size)
    light = 1.12 - 0.34 * np.hypot(x - 0.3 * x[0, -1], y - 0.2)
    return lit(picture, light)


def _shadow(picture: Field, shape: Field, left: int, top: int, side: int, floating: bool) -> None:
    reach = max(2, side // (30 if floating else 16))
    soft = blur(np.pad(shape, reach * 2), reach * 0.8)
    place(picture, colour("#060504"), soft * 0.6, left - reach, top - reach + reach // 2)


def _strewn(rng: np.random.Generator, leaf: Field, mask: Field, side: int) -> tuple[Field, Field]:
    """A leaf turned at random and tilted out of the plane."""
    degrees, squeeze = float(rng.uniform(0, 360)), float(rng.uniform(0.62, 1.0))
    bent = side, max(8, int(side * squeeze))
    layers = []
    for channel in (*np.moveaxis(leaf, -1, 0), mask):
        image = Image.fromarray(np.ascontiguousarray(channel)).resize(bent, Image.Resampling.BILINEAR)
        layers.append(np.asarray(image.rotate(degrees, Image.Resampling.BILINEAR, expand=True)))
    shade = float(rng.uniform(0.85, 1.1))
    return np.stack(layers[:3], axis=-1) * np.float32(shade), np.clip(layers[3], 0, 1)


def _leaf(shape: str, rng: np.random.Generator, pair: tuple[str, str]) -> tuple[Field, Field]:
    """One leaf, stalk down, on a square: blade, veins, blotches."""
    size = (LEAF_PX, LEAF_PX)
    outline, veins = OUTLINES[shape](rng)
    mask = fill(size, [outline])
    stalk = strokes(size, [([(0.5, 0.7), (0.5 + 0.03, 0.86), (0.5 + 0.05, 0.98)], 0.016)])
    inner, rim = (colour(name) for name in pair)
    depth = smoothstep(0.45, 1.0, blur(mask, LEAF_PX * 0.045))
    blotch = fractal(rng, size, (5, 5), octaves=6, gain=0.65)
    blade = rim + (inner - rim) * np.clip(depth + 0.16 * blotch, 0, 1.15)[..., None]
    blade = blade * (1 + 0.07 * fractal(rng, size, (60, 60), octaves=2))[..., None]
    lines = strokes(size, veins)
    relief = np.roll(lines, 2, axis=1) - np.roll(lines, -2, axis=1)
    blade = blend(blade, inner * 1.25 + 0.06, lines * 0.7) * (1 - 0.14 * blur(relief, 1.5))[..., None]
    spots = smoothstep(1.5, 2.0, fractal(rng, size, (22, 22), octaves=2))
    blade = blend(blade, rim * 0.45, spots * 0.7)
    return blend(rim * 0.7 * np.ones_like(blade), blade, mask), np.maximum(mask, stalk)


def _ground(look: Look, rng: np.random.Generator, size: Size) -> Field:
    dark, bright = look.ground_tint
    x, y = coordinates(size)
    if look.ground == "planks":
        board = np.floor(y * 5)
        grain = fractal(rng, size, (5, 150), octaves=4, gain=0.7) + 1.6 * np.sin(board * 12.9)
        gap = smoothstep(0.03, 0.0, np.mod(y * 5, 1)) * np.ones_like(x)
        return gradient(((0, dark), (1, bright)), 0.5 + 0.15 * grain) * (1 - 0.8 * gap)[..., None]
    if look.ground == "water":
        ripple = fractal(rng, size, (6, 12), octaves=4, gain=0.4)
        return gradient(((0, dark), (1, bright)), 0.4 + 0.14 * ripple + 0.5 * (0.5 - y))
    if look.ground == "stone":
        joints = ridged(rng, size, (5, 4), octaves=5, gain=0.35)
        rough = fractal(rng, size, (90, 70), octaves=4, gain=0.75)
        return gradient(((0, dark), (1, bright)), 0.62 + 0.1 * rough - 0.22 * smoothstep(1.3, 2.6, joints))
    rough = fractal(rng, size, (70, 52) if look.ground == "soil" else (120, 90), octaves=5, gain=0.8)
    clods = fractal(rng, size, (14, 10), octaves=4)
    return gradient(((0, dark), (1, bright)), 0.42 + 0.17 * rough + 0.16 * clods)
