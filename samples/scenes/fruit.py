"""Still lifes of fruit by a window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samples.backdrops import table
from samples.canvas import Field, Size, colour, gradient, lit, place, smoothstep, strokes
from samples.noise import fractal
from samples.solids import Solid, lathe, lying, shade, sphere, turned

TABLE_EDGE = 0.52
SMALL = 0.12
"""Fruit up to this size is heaped in front."""


@dataclass(frozen=True, slots=True)
class Look:
    fruit: tuple[str, ...]
    """Names in `FRUIT`, from the back to the front."""
    wall: tuple[tuple[float, str], ...]
    top: str
    wood: bool


@dataclass(frozen=True, slots=True)
class Fruit:
    stops: tuple[tuple[float, str], ...]
    """Colours of the skin by its noise, 0 to 1."""
    size: float
    """Height as a share of the picture's."""
    form: str
    gloss: float
    pores: float
    streaks: bool = False


FRUIT = {
    "orange": Fruit(stops=((0, "#f07f0e"), (1, "#ffb02e")), size=0.25, form="ball", gloss=0.3, pores=0.03),
    "lemon": Fruit(stops=((0, "#e6b800"), (1, "#ffe24a")), size=0.2, form="lemon", gloss=0.35, pores=0.03),
    "lime": Fruit(stops=((0, "#3f7a14"), (1, "#8fc23a")), size=0.17, form="lemon", gloss=0.35, pores=0.03),
    "red apple": Fruit(
        stops=((0, "#7a0a12"), (0.75, "#c2182a"), (1, "#e08a3a")),
        size=0.27,
        form="apple",
        gloss=0.75,
        pores=0.0,
        streaks=True,
    ),
    "green apple": Fruit(
        stops=((0, "#6f9a1c"), (0.7, "#a8c83a"), (1, "#d9dc7a")),
        size=0.26,
        form="apple",
        gloss=0.75,
        pores=0.0,
        streaks=True,
    ),
    "pear": Fruit(
        stops=((0, "#9a8a1c"), (0.6, "#c9bd45"), (1, "#d98a3a")),
        size=0.36,
        form="pear",
        gloss=0.35,
        pores=0.02,
    ),
    "plum": Fruit(
        stops=((0, "#241238"), (0.6, "#4a2a6b"), (1, "#8a7fb0")), size=0.17, form="ball", gloss=0.3, pores=0.0
    ),
    "grape": Fruit(stops=((0, "#3a0f33"), (1, "#7a2a5c")), size=0.085, form="ball", gloss=0.6, pores=0.0),
    "green grape": Fruit(
        stops=((0, "#8aa63a"), (1, "#c9d97a")), size=0.085, form="ball", gloss=0.6, pores=0.0
    ),
    "blueberry": Fruit(stops=((0, "#1c2748"), (1, "#5f74a8")), size=0.06, form="ball", gloss=0.15, pores=0.0),
    "peach": Fruit(
        stops=((0, "#d9532a"), (0.45, "#f2935a"), (1, "#fbc97a")),
        size=0.24,
        form="ball",
        gloss=0.08,
        pores=0.0,
    ),
    "pomegranate": Fruit(
        stops=((0, "#8a1622"), (0.7, "#c93a3a"), (1, "#e6a06a")),
        size=0.28,
        form="ball",
        gloss=0.45,
        pores=0.02,
    ),
    "pumpkin": Fruit(stops=((0, "#c2560a"), (1, "#f2921c")), size=0.3, form="pumpkin", gloss=0.3, pores=0.02),
}

LOOKS = (
    Look(
        fruit=("orange",) * 5 + ("lemon",) * 2 + ("orange",),
        wall=((0, "#8fb3c9"), (1, "#2f4f6b")),
        top="#3a5f80",
        wood=False,
    ),
    Look(
        fruit=("red apple",) * 4 + ("green apple", "red apple") + ("grape",) * 16,
        wall=((0, "#4a3a2c"), (1, "#120d0a")),
        top="#5c3a20",
        wood=True,
    ),
    Look(
        fruit=("lemon",) * 4 + ("lime",) * 4 + ("lemon", "lemon", "lime"),
        wall=((0, "#f7f3ea"), (1, "#c9c3b4")),
        top="#e9e4da",
        wood=False,
    ),
    Look(
        fruit=("pear", "pear", "pear", "pomegranate", "plum", "plum", "plum") + ("green grape",) * 18,
        wall=((0, "#5f6b52"), (1, "#1f2820")),
        top="#7a5a38",
        wood=True,
    ),
    Look(
        fruit=("pumpkin", "pumpkin", "peach", "peach", "peach") + ("blueberry",) * 26,
        wall=((0, "#d9b8a0"), (1, "#8a5f52")),
        top="#caa98a",
        wood=True,
    ),
)


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    width, height = size
    picture = table(rng, size, look.wall, look.top, TABLE_EDGE, look.wood)
    spots = _spots(look, rng, width / height)
    for name, x, foot in spots:
        _set_down(FRUIT[name], rng, picture, x * height, foot * height)
    return picture


def _spots(look: Look, rng: np.random.Generator, aspect: float) -> list[tuple[str, float, float]]:
    """Name, x and foot of each fruit, the furthest first: large ones in two rows, small ones before them."""
    large = [name for name in look.fruit if FRUIT[name].size > SMALL]
    heap = float(rng.uniform(0.35, 0.65)) * aspect
    spots = []
    for number, name in enumerate(large):
        share = (number + 0.5) / len(large)
        x = aspect * (0.5 + 0.74 * (share - 0.5)) + float(rng.uniform(-0.03, 0.03))
        spots.append((name, x, 0.7 + 0.14 * (number % 2) + float(rng.uniform(-0.02, 0.02))))
    for name in look.fruit:
        if FRUIT[name].size <= SMALL:
            spots.append((name, heap + float(rng.normal(0, 0.13)), 0.92 + float(rng.normal(0, 0.02))))
    return sorted(spots, key=lambda spot: spot[2])


def _set_down(fruit: Fruit, rng: np.random.Generator, picture: Field, x_px: float, foot_px: float) -> None:
    """A fruit with its shadow on the table, in place."""
    solid = _form(fruit, int(fruit.size * picture.shape[0] * rng.uniform(1.08, 1.24)))
    tall, wide = solid.mask.shape
    x = np.linspace(-1, 1, wide, dtype=np.float32)[None, :]
    y = np.linspace(0, 1, tall, dtype=np.float32)[:, None]
    light = 1 - 0.5 * smoothstep(0.72, 1.0, y)
    if fruit.form == "apple":
        light = light * (1 - 0.6 * smoothstep(1.0, 0.2, np.hypot(x / 0.42, (y - 0.09) / 0.085)))
    skin = shade(solid, _skin(fruit, rng, solid), (-0.6, -0.55, 0.6), "#fff0d8", "#4d566b", fruit.gloss, 26)
    left, top = int(x_px) - wide // 2, int(foot_px) - tall
    _shadow(picture, left, int(foot_px), wide, tall)
    place(picture, lit(skin, light), solid.mask, left, top)
    if fruit.form in ("apple", "pear", "pumpkin"):
        _stalk(rng, picture, int(x_px), top + int(tall * (0.1 if fruit.form == "apple" else 0.03)), tall)


def _skin(fruit: Fruit, rng: np.random.Generator, solid: Solid) -> Field:
    """Patches or streaks that follow the form, ribs, pores."""
    noise = fractal(rng, (256, 256), (30, 2) if fruit.streaks else (4, 3), octaves=5, gain=0.5)
    column, row = (solid.longitude / np.pi + 0.5) * 255, solid.along * 255
    skin = gradient(fruit.stops, 0.5 + 0.26 * noise[row.astype(int), column.astype(int)])
    if fruit.form == "pumpkin":
        skin = lit(skin, 0.78 + 0.3 * np.abs(np.sin(solid.longitude * 4.5)) ** 0.6)
    if not fruit.pores:
        return skin
    tall, wide = solid.mask.shape
    return lit(skin, 1 + fruit.pores * fractal(rng, (wide, tall), (tall // 3, tall // 3), octaves=2))


def _form(fruit: Fruit, tall: int) -> Solid:
    if fruit.form == "pumpkin":
        return lathe(tall, lambda v: 0.62 * np.clip(1 - np.abs(2 * v - 1) ** 2.6, 0, 1) ** 0.5)
    if fruit.form == "apple":
        return lathe(tall, lambda v: 0.53 * np.clip(1 - np.abs(2 * v**0.86 - 1) ** 2.5, 0, 1) ** 0.55)
    if fruit.form == "lemon":
        return lying(turned(int(tall * 1.35), (0.03, 0.1, 0.24, 0.33, 0.365, 0.365, 0.33, 0.24, 0.1, 0.03)))
    if fruit.form == "pear":
        return turned(tall, (0.03, 0.11, 0.14, 0.155, 0.19, 0.25, 0.31, 0.345, 0.345, 0.3, 0.2, 0.03))
    return sphere(tall)


def _shadow(picture: Field, left: int, foot: int, wide: int, tall: int) -> None:
    """Light falls from the left: the shadow is to the right, darkest where the fruit touches the table."""
    span, depth = int(wide * 2.1), max(8, int(tall * 0.5))
    x = np.linspace(-0.55, 1.55, span, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, depth, dtype=np.float32)[:, None]
    cast = np.exp(-(((x - 0.8) / 0.52) ** 2 + (y / 0.5) ** 2) * 1.4) * 0.55
    contact = np.exp(-(((x - 0.5) / 0.3) ** 2 + ((y + 0.05) / 0.26) ** 2)) * 0.7
    mask = np.clip(np.maximum(cast, contact), 0, 0.85)
    place(picture, colour("#0c0a0e"), mask, left - int(0.55 * wide), foot - int(depth * 0.62))


def _stalk(rng: np.random.Generator, picture: Field, x: int, y: int, tall: int) -> None:
    side = max(12, tall // 3)
    bend = rng.uniform(-0.16, 0.22)
    twig = strokes((side, side), [([(0.5, 0.98), (0.5 + bend * 0.3, 0.6), (0.5 + bend, 0.2)], 0.09)])
    place(picture, colour("#3f2a18"), twig, x - side // 2, y - int(side * 0.8))
