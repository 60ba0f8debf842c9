"""Desert dunes: sharp crests, wind ripples, long shadows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samples.canvas import Field, Size, blur, colour, lit
from samples.noise import fractal
from samples.sky import Sky, draw_sky
from samples.terrain import Camera, Light, directions, distances, illuminate, render, spread


@dataclass(frozen=True, slots=True)
class Look:
    sky: Sky
    light: Light
    sand: str
    haze: str
    wave_length: float
    turn: float
    """Direction of the crests in radians: 0 runs across the picture."""
    height: float
    horizon: float = 0.42


LOOKS = (
    Look(
        sky=Sky(((0, "#f3e3c8"), (0.4, "#8fb8dc"), (1, "#2f6fb5")), cover=0.25),
        light=Light(sun="#ffdfae", shade="#4b5270", slope=0.42, from_left=True),
        sand="#d6a066",
        haze="#ecd7b8",
        wave_length=0.6,
        turn=1.15,
        height=0.13,
    ),
    Look(
        sky=Sky(
            ((0, "#ffc98a"), (0.4, "#f08d6b"), (1, "#6d4a79")),
            sun=(1.05, 0.3),
            glow=0.8,
            cover=0.3,
            cloud_lit="#ffb489",
            cloud_dark="#8a5570",
        ),
        light=Light(sun="#ff9e5c", shade="#4a3560", slope=0.3, from_left=False),
        sand="#c47a50",
        haze="#f1a273",
        wave_length=0.8,
        turn=-0.9,
        height=0.16,
        horizon=0.4,
    ),
    Look(
        sky=Sky(((0, "#f6ead9"), (0.5, "#c4d6e3"), (1, "#7fa6c9")), cover=0.5, cloud_dark="#b5bfc9"),
        light=Light(sun="#fff3df", shade="#66789a", slope=0.4, from_left=True),
        sand="#d8d2c6",
        haze="#e6e6e2",
        wave_length=0.5,
        turn=-1.25,
        height=0.10,
        horizon=0.3,
    ),
    Look(
        sky=Sky(
            ((0, "#2f4673"), (0.4, "#18264c"), (1, "#070b1e")),
            sun=(0.35, 0.14),
            sun_colour="#e8eeff",
            sun_radius=0.028,
            glow=0.4,
            cover=0.1,
            stars=1300,
        ),
        light=Light(sun="#9db4ea", shade="#141c38", slope=0.4, from_left=True),
        sand="#a39a92",
        haze="#2a3c66",
        wave_length=0.7,
        turn=0.9,
        height=0.15,
        horizon=0.48,
    ),
    Look(
        sky=Sky(((0, "#e9b48b"), (0.5, "#c97f5e"), (1, "#8e4f45")), cover=0.0),
        light=Light(sun="#ffbf88", shade="#57303a", slope=0.35, from_left=False),
        sand="#b0553a",
        haze="#dd9468",
        wave_length=1.2,
        turn=0.35,
        height=0.24,
        horizon=0.36,
    ),
)


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    width, height = size
    sky = draw_sky(rng, size, look.sky, look.horizon)
    heights = _heights(look, rng, size)
    broad = spread(fractal(rng, (256, 256), (4, 4)), size, 0.25)
    albedo = colour(look.sand) * (1 + 0.06 * broad)[..., None]
    ground = illuminate(heights, albedo, look.light, height)
    picture = render(sky, heights, ground, Camera(0.3, look.horizon), colour(look.haze), 3.0)
    grains = rng.standard_normal((height, width), np.float32)
    return lit(picture, 1 + 0.02 * grains)


def _heights(look: Look, rng: np.random.Generator, size: Size) -> Field:
    """Dunes rise gently with the wind and fall steeply in its lee; ripples ride on them."""
    z, angle = distances(), directions(*size)
    warp = spread(fractal(rng, (512, 512), (4, 4), octaves=4, gain=0.4), size, 0.22)
    swell = spread(fractal(rng, (512, 512), (3, 3), octaves=3, gain=0.4), size, 0.25)
    downwind = (np.cos(look.turn) * z + np.sin(look.turn) * z * angle).astype(np.float32)
    phase = np.mod(downwind / look.wave_length + 0.33 * warp, 1)
    rise = np.where(phase < 0.7, (phase / 0.7) ** 1.4, ((1 - phase) / 0.3) ** 1.1)
    dunes = look.height * rise * np.clip(0.75 + 0.45 * swell, 0.15, 2)
    ripple_warp = spread(fractal(rng, (512, 512), (24, 24), octaves=3), size, 0.5)
    ripples = np.sin(downwind * 150 + 2.6 * ripple_warp + 9 * warp) * np.exp(-z / 0.7) * 0.0011
    heights: Field = blur(dunes, 1.0) + ripples
    return heights
