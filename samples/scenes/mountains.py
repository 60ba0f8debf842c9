"""Mountain ranges: snow, rock and forest in layers that fade into the haze."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samples.canvas import Field, Size, blend, colour, lit, smoothstep
from samples.noise import fractal, ridged
from samples.sky import Sky, draw_sky
from samples.terrain import STEPS, Camera, Light, distances, illuminate, render, slopes, spread


@dataclass(frozen=True, slots=True)
class Look:
    sky: Sky
    light: Light
    ridges: tuple[tuple[float, float], ...]
    """(distance, height) of each range."""
    rock: str
    forest: str
    snow: float
    """Height of the snow line."""
    haze: str
    haze_from: float


LOOKS = (
    Look(
        sky=Sky(((0, "#d7e6f2"), (0.4, "#86b3dd"), (1, "#2f6cb3")), cover=0.45),
        light=Light(sun="#ffeccb", shade="#42567a", slope=0.8, from_left=True),
        ridges=((0.5, 0.06), (1.0, 0.2), (1.9, 0.72), (3.2, 1.0)),
        rock="#857a70",
        forest="#3d4a28",
        snow=0.36,
        haze="#b9d0e6",
        haze_from=3.0,
    ),
    Look(
        sky=Sky(
            ((0, "#ffdca8"), (0.35, "#f7a386"), (1, "#5f5f9c")),
            sun=(0.55, 0.24),
            glow=0.8,
            cover=0.45,
            cloud_lit="#ffc19a",
            cloud_dark="#7b5f80",
        ),
        light=Light(sun="#d9683f", shade="#37305c", slope=0.22, from_left=False),
        ridges=((0.5, 0.1), (0.9, 0.24), (1.5, 0.4), (2.4, 0.62), (3.6, 1.0)),
        rock="#4a4058",
        forest="#2a2438",
        snow=2.0,
        haze="#f5b08e",
        haze_from=1.7,
    ),
    Look(
        sky=Sky(
            ((0, "#e6ebee"), (0.5, "#c3ced8"), (1, "#93a5b8")),
            cover=0.7,
            cloud_lit="#f2f4f6",
            cloud_dark="#9aa8b6",
        ),
        light=Light(sun="#f2f4f8", shade="#7d8ea6", slope=0.7, from_left=True),
        ridges=((0.6, 0.1), (1.1, 0.34), (2.0, 0.7), (3.4, 0.9)),
        rock="#5f646b",
        forest="#38463f",
        snow=0.16,
        haze="#d5dde4",
        haze_from=1.9,
    ),
    Look(
        sky=Sky(((0, "#f4dfc0"), (0.4, "#a9c4d6"), (1, "#4f86b0")), cover=0.3),
        light=Light(sun="#ffdba8", shade="#6a5a66", slope=0.6, from_left=False),
        ridges=((0.45, 0.1), (0.9, 0.3), (1.5, 0.5), (2.6, 0.6)),
        rock="#b5713f",
        forest="#8a7a44",
        snow=2.0,
        haze="#e3c8a8",
        haze_from=2.6,
    ),
    Look(
        sky=Sky(
            ((0, "#4a6aa0"), (0.4, "#1f3468"), (1, "#091230")),
            sun=(1.0, 0.13),
            sun_colour="#eaf0ff",
            sun_radius=0.032,
            glow=0.35,
            cover=0.2,
            cloud_lit="#5f79b0",
            cloud_dark="#16234a",
            stars=1000,
        ),
        light=Light(sun="#8fa9e0", shade="#131d3f", slope=0.6, from_left=False),
        ridges=((0.5, 0.06), (1.0, 0.22), (1.8, 0.6), (3.0, 0.85)),
        rock="#6f7484",
        forest="#1d2a30",
        snow=0.3,
        haze="#33508a",
        haze_from=2.4,
    ),
)


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    width, height = size
    horizon = 0.58
    sky = draw_sky(rng, size, look.sky, horizon)
    heights = _heights(look, rng, size)
    ground = illuminate(heights, _albedo(look, rng, heights, size), look.light, height)
    picture = render(sky, heights, ground, Camera(0.13, horizon), colour(look.haze), look.haze_from)
    grain = fractal(rng, size, (size[0] // 3, size[1] // 3), octaves=2, gain=0.9)
    return lit(picture, 1 + 0.035 * grain * (np.abs(picture - sky).sum(-1) > 0))


def _heights(look: Look, rng: np.random.Generator, size: Size) -> Field:
    z = distances()
    base = spread(ridged(rng, (768, 768), (3, 3), octaves=8, gain=0.45), size, 0.35)
    heights = np.zeros_like(base)
    for distance, rise in look.ridges:
        crest = fractal(rng, (size[0], 2), (4, 1), octaves=7, gain=0.5)[:1]
        wander = fractal(rng, (size[0], 2), (3, 1), octaves=4)[1:]
        shape = np.exp(-(((np.log(z / np.float32(distance)) - 0.12 * wander) / 0.3) ** 2))
        heights += np.float32(rise) * shape * np.clip(0.62 + 0.24 * crest + 0.16 * base, 0.1, 1.6)
    detail = ridged(rng, (size[0], STEPS), (12, 16), octaves=6, gain=0.5)
    return (heights + 0.007 * z * detail * (0.3 + np.clip(heights * 2, 0, 1))).astype(np.float32)


def _albedo(look: Look, rng: np.random.Generator, heights: Field, size: Size) -> Field:
    patch = fractal(rng, (size[0], STEPS), (40, 90), 3)
    across, away = slopes(heights, size[1])
    steep = np.hypot(across, away)
    rock = colour(look.rock) * (1 + 0.16 * patch[..., None])
    green = smoothstep(0.26, 0.12, heights + 0.03 * patch) * smoothstep(2.2, 1.0, steep)
    albedo = blend(rock, colour(look.forest) * (1 + 0.3 * patch[..., None]), green)
    snow = smoothstep(look.snow - 0.06, look.snow + 0.06, heights + 0.04 * patch) * smoothstep(
        2.8, 1.3, steep
    )
    return blend(albedo, colour("#f4f7fb"), snow)
