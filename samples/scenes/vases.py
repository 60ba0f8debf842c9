"""Vases on a table by a window: porcelain, celadon, terracotta, drip glaze, stripes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samples.backdrops import table
from samples.canvas import Field, Size, blend, blur, colour, gradient, lit, place, smoothstep
from samples.glazes import figures, porcelain
from samples.noise import fractal
from samples.solids import Solid, shade, turned

TABLE_EDGE = 0.68


@dataclass(frozen=True, slots=True)
class Look:
    profile: tuple[float, ...]
    """Radii from the lip to the foot, evenly spaced, in units of the vase's height."""
    glaze: str
    """porcelain, celadon, figures, drip or stripes."""
    tints: tuple[str, str, str]
    """Of the clay or ground, then of the two paints."""
    wall: tuple[tuple[float, str], ...]
    top: str
    wood: bool
    gloss: float
    second: tuple[float, ...]
    """A smaller vessel beside it."""


LOOKS = (
    Look(
        profile=(0.13, 0.1, 0.1, 0.17, 0.27, 0.33, 0.34, 0.3, 0.23, 0.17, 0.16),
        glaze="porcelain",
        tints=("#f4f6fa", "#1f3f9c", "#7f97d9"),
        wall=((0, "#c9c2b4"), (1, "#7f7668")),
        top="#5a3a24",
        wood=True,
        gloss=0.9,
        second=(0.3, 0.36, 0.4, 0.42, 0.4, 0.34, 0.24),
    ),
    Look(
        profile=(0.09, 0.075, 0.07, 0.08, 0.12, 0.2, 0.28, 0.31, 0.29, 0.22, 0.14),
        glaze="celadon",
        tints=("#a9c9b4", "#7fa891", "#d6e6d6"),
        wall=((0, "#8a8f96"), (1, "#3f444c")),
        top="#2f2a28",
        wood=True,
        gloss=0.8,
        second=(0.34, 0.38, 0.4, 0.36, 0.24, 0.2),
    ),
    Look(
        profile=(0.2, 0.15, 0.13, 0.16, 0.26, 0.34, 0.36, 0.32, 0.24, 0.15, 0.17),
        glaze="figures",
        tints=("#c2683a", "#1c120e", "#e0a878"),
        wall=((0, "#ecdcc0"), (1, "#c09a6b")),
        top="#a8845a",
        wood=False,
        gloss=0.25,
        second=(0.3, 0.26, 0.36, 0.4, 0.36, 0.22),
    ),
    Look(
        profile=(0.17, 0.16, 0.17, 0.2, 0.23, 0.25, 0.26, 0.26, 0.25, 0.23, 0.21),
        glaze="drip",
        tints=("#2a2622", "#3f9c9a", "#e0b060"),
        wall=((0, "#b85c44"), (1, "#5f241f")),
        top="#3a241c",
        wood=True,
        gloss=0.9,
        second=(0.4, 0.44, 0.46, 0.44, 0.38, 0.3),
    ),
    Look(
        profile=(0.1, 0.12, 0.2, 0.29, 0.34, 0.36, 0.34, 0.29, 0.22, 0.16, 0.14),
        glaze="stripes",
        tints=("#f2efe8", "#e0574a", "#24303f"),
        wall=((0, "#f2c9bd"), (1, "#d9978a")),
        top="#f0e6dc",
        wood=False,
        gloss=0.45,
        second=(0.32, 0.34, 0.35, 0.36, 0.36, 0.34),
    ),
)


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    width, height = size
    picture = table(rng, size, look.wall, look.top, TABLE_EDGE, look.wood)
    picture = picture + _window(rng, size)[..., None] * colour("#ffe9c4")
    middle = width * rng.uniform(0.4, 0.5)
    _stand(look, rng, picture, look.second, middle + height * 0.36, 0.8 * height, 0.26 * height)
    _stand(look, rng, picture, look.profile, middle, 0.9 * height, 0.74 * height)
    return picture


def _window(rng: np.random.Generator, size: Size) -> Field:
    """Panes of sunlight that fall slanting on the wall."""
    width, height = size
    x = np.arange(width, dtype=np.float32)[None, :] / height
    y = np.arange(height, dtype=np.float32)[:, None] / height
    slant = x - 0.35 * y - rng.uniform(0.45, 0.6)
    across = smoothstep(0, 0.02, slant) * smoothstep(0.36, 0.34, slant)
    pane = across * smoothstep(0.06, 0.08, y) * smoothstep(0.62, 0.58, y)
    bars = smoothstep(0.006, 0.016, np.abs(slant - 0.18)) * smoothstep(0.006, 0.016, np.abs(y - 0.33))
    return blur(pane * bars, 4) * 0.2


def _stand(
    look: Look,
    rng: np.random.Generator,
    picture: Field,
    radii: Sequence[float],
    x_px: float,
    foot_px: float,
    tall: float,
) -> None:
    """A vessel with its shadow, in place."""
    solid = turned(int(tall), radii, above=0.22)
    glaze = _glaze(look, rng, solid)
    vessel = shade(solid, glaze, (-0.65, -0.35, 0.6), "#fff1dc", "#5a6070", look.gloss, 34)
    vessel = lit(vessel, 1 - 0.4 * smoothstep(0.9, 1.0, solid.along))
    vessel, mask = _with_lip(look, vessel, solid)
    wide = vessel.shape[1]
    left = int(x_px) - wide // 2
    _shadow(picture, left, int(foot_px), wide)
    place(picture, vessel, mask, left, int(foot_px) - int(tall))


def _with_lip(look: Look, vessel: Field, solid: Solid) -> tuple[Field, Field]:
    """The dark mouth seen a little from above; also the mask, cut round at the back of the lip."""
    tall, wide = solid.mask.shape
    radius = float(solid.mask[3].sum()) / 2
    x = np.arange(wide, dtype=np.float32)[None, :] - wide / 2 + 0.5
    y = np.arange(tall, dtype=np.float32)[:, None] - radius * 0.22
    rim = np.hypot(x / radius, y / (radius * 0.22))
    clay = colour(look.tints[0])
    vessel = blend(vessel, clay * 0.95, smoothstep(1.0, 0.97, rim))
    vessel = blend(vessel, lit(clay, 0.14 + 0.1 * (y > 0)), smoothstep(0.92, 0.88, rim))
    return vessel, solid.mask * np.where(y < 0, smoothstep(1.02, 0.98, rim), 1)


def _shadow(picture: Field, left: int, foot: int, wide: int) -> None:
    span, depth = int(wide * 2.6), int(wide * 0.62)
    x = np.linspace(-0.3, 2.3, span, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, depth, dtype=np.float32)[:, None]
    cast = smoothstep(1.6, 0.3, ((x - 1.05) / 0.85) ** 2 + (y / 0.5) ** 2) * 0.5 * (x > 0.2)
    contact = np.exp(-(((x - 0.5) / 0.36) ** 2 + (y / 0.3) ** 2) * 1.5) * 0.75
    soft = blur(np.maximum(cast, contact), wide * 0.03)
    place(picture, colour("#0d0a0a"), soft, left - int(0.3 * wide), foot - int(depth * 0.56))


def _glaze(look: Look, rng: np.random.Generator, solid: Solid) -> Field:
    """Colours of the vessel before the light falls on it."""
    tall, wide = solid.mask.shape
    around, v = solid.longitude / np.pi, solid.along
    cloud = fractal(rng, (wide, tall), (5, 6), octaves=6, gain=0.6)
    clay = lit(colour(look.tints[0]), 1 + 0.03 * cloud)
    first, second = colour(look.tints[1]), colour(look.tints[2])
    if look.glaze == "porcelain":
        brush = np.clip(0.85 + 0.1 * fractal(rng, (wide, tall), (30, 30), octaves=3), 0, 1)
        return porcelain(clay, first, second, around, v, brush)
    if look.glaze == "figures":
        return figures(clay, first, second, around, v)
    if look.glaze == "celadon":
        clay = blend(clay, first, smoothstep(-0.5, 2.0, cloud + 3 * (v - 0.6)))
        for cells in ((9, 12), (16, 20)):
            crack = np.abs(fractal(rng, (wide, tall), cells, octaves=2))
            clay = blend(clay, first * 0.5, smoothstep(0.07, 0.03, crack) * 0.5)
        return clay
    if look.glaze == "drip":
        drops = fractal(rng, (512, 2), (9, 1), octaves=3)[0]
        edge = 0.42 + 0.1 * drops[((around + 0.5) * 511).astype(int)]
        stops = ((0, look.tints[2]), (0.35, look.tints[1]), (1, "#123f52"))
        return blend(
            clay, gradient(stops, v / edge + 0.12 * cloud), smoothstep(edge + 0.006, edge - 0.006, v)
        )
    band = np.mod(np.floor(v * 13), 4)
    return blend(blend(clay, first, (band == 1) * 1.0), second, (band == 3) * 1.0)
