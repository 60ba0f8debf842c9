"""City skylines from across the water: towers in layers, lit windows, haze and reflections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samples.canvas import Field, Size, blend, colour, coordinates, glow, lit, place, smoothstep
from samples.noise import fractal
from samples.sky import Sky, draw_sky
from samples.water import Water, reflect

SHORE = 0.74
WINDOW_PX = (5, 7)


@dataclass(frozen=True, slots=True)
class Look:
    sky: Sky
    water: Water
    facade: str
    haze: str
    windows: tuple[str, ...]
    lit: float
    """Share of the windows with light."""
    tallest: float
    glow: float = 0.5


LOOKS = (
    Look(
        sky=Sky(
            ((0, "#f4a66a"), (0.25, "#b0708f"), (1, "#1b2a5e")),
            cover=0.35,
            cloud_lit="#d98a84",
            cloud_dark="#43406e",
        ),
        water=Water("#10182f", choppiness=0.7),
        facade="#1a2140",
        haze="#a8708a",
        windows=("#ffd98a", "#ffbf66", "#fff0c8"),
        lit=0.42,
        tallest=0.5,
    ),
    Look(
        sky=Sky(
            ((0, "#27406e"), (0.5, "#101c3f"), (1, "#050a1c")),
            sun=(1.08, 0.15),
            sun_colour="#dfe8ff",
            sun_radius=0.035,
            glow=0.35,
            cover=0.25,
            cloud_lit="#53679a",
            cloud_dark="#131c3a",
            stars=350,
        ),
        water=Water("#060c1c", choppiness=0.8),
        facade="#0b1124",
        haze="#22375f",
        windows=("#ffe2a0", "#cfe4ff", "#ffc070"),
        lit=0.5,
        tallest=0.52,
    ),
    Look(
        sky=Sky(((0, "#fde4bd"), (0.4, "#a9cbe6"), (1, "#4d8cc9")), cover=0.5, cloud_dark="#b6c4d4"),
        water=Water("#2a5a74", choppiness=0.7, clarity=0.75),
        facade="#566f8a",
        haze="#cfdbe3",
        windows=("#e6f1f8", "#9fc0da", "#7fa3c2"),
        lit=0.7,
        tallest=0.5,
        glow=0.1,
    ),
    Look(
        sky=Sky(
            ((0, "#ff5fa2"), (0.3, "#8a2d8f"), (1, "#150a35")),
            cover=0.5,
            cloud_lit="#b8479b",
            cloud_dark="#2b1250",
            cloud_cells=6,
        ),
        water=Water("#140a2e", choppiness=0.9),
        facade="#170d33",
        haze="#94368f",
        windows=("#ff7ad9", "#6fe8ff", "#ffe27a"),
        lit=0.45,
        tallest=0.54,
        glow=0.8,
    ),
    Look(
        sky=Sky(
            ((0, "#e8d3b4"), (0.5, "#b99f86"), (1, "#6f6a6c")),
            sun=(0.3, 0.3),
            sun_colour="#ffe9c4",
            glow=0.5,
            cover=0.55,
            cloud_lit="#e7cfae",
            cloud_dark="#8d7f77",
        ),
        water=Water("#4b4640", choppiness=0.5),
        facade="#4a443f",
        haze="#dcc6a6",
        windows=("#f7dfae", "#ffefcf"),
        lit=0.1,
        tallest=0.42,
        glow=0.3,
    ),
)


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    picture = draw_sky(rng, size, look.sky, SHORE)
    _, y = coordinates(size)
    for nearness in (0.25, 0.55, 1.0):
        _towers(look, rng, picture, size, nearness)
        low_haze = smoothstep(SHORE - 0.38, SHORE, y) * (0.62 - 0.5 * nearness)
        picture = blend(picture, colour(look.haze), low_haze)
    picture = glow(picture, 0.75, 14, look.glow)
    return reflect(rng, picture, SHORE, look.water)


def _towers(look: Look, rng: np.random.Generator, picture: Field, size: Size, nearness: float) -> None:
    """One row of towers from left to right, in place."""
    width, height = size
    envelope = np.clip(1 + 0.3 * fractal(rng, (width, 2), (5, 1), octaves=2)[0], 0.4, 1.5)
    left = -int(rng.integers(0, 40))
    while left < width:
        columns = int(rng.integers(6, 15) * (0.55 + 0.45 * nearness) + 2)
        tower_px = columns * WINDOW_PX[0]
        peak = look.tallest * (1.05 - 0.5 * nearness) * envelope[min(max(left, 0), width - 1)]
        rows = int(height * peak * rng.uniform(0.45, 1.15) / WINDOW_PX[1])
        facade = _facade(look, rng, columns, rows, nearness)
        shape = _outline(rng, facade.shape[1], facade.shape[0])
        place(picture, facade, shape, left, int(SHORE * height) + 2 - facade.shape[0])
        left += int(tower_px * rng.uniform(0.75, 1.25))


def _facade(look: Look, rng: np.random.Generator, columns: int, rows: int, nearness: float) -> Field:
    """A wall of windows, brighter towards the light side, hazier the further off."""
    step_x, step_y = WINDOW_PX
    tint = blend(colour(look.haze), colour(look.facade), 0.35 + 0.65 * nearness) * float(
        rng.uniform(0.8, 1.2)
    )
    wall = tint * np.linspace(1.12, 0.82, columns * step_x, dtype=np.float32)[None, :, None]
    by_floor = 0.5 * rng.random((rows, 1)) + 0.5 * rng.random((rows, columns))
    on = by_floor < look.lit * rng.uniform(0.5, 1.3)
    brightness = np.where(on, rng.uniform(0.35, 1.15, (rows, columns)), 0.06).astype(np.float32)
    lamps = np.stack([colour(name) for name in look.windows])
    panes = lit(lamps[rng.integers(0, len(lamps), (rows, columns))], brightness)
    pane = np.zeros((step_y, step_x), np.float32)
    pane[2:-1, 1:-1] = 0.55 + 0.45 * nearness
    shape = np.tile(pane, (rows, columns))
    return lit(wall, 1 - 0.75 * shape) + lit(panes.repeat(step_y, axis=0).repeat(step_x, axis=1), shape)


def _outline(rng: np.random.Generator, width_px: int, height_px: int) -> Field:
    """The tower's silhouette: a setback, a slanted roof or a mast."""
    shape = np.ones((height_px, width_px), np.float32)
    style = rng.integers(0, 5)
    step = max(2, height_px // 7)
    if style == 1:
        shape[:step, : width_px // 5] = shape[:step, -width_px // 5 :] = 0
    if style == 2:
        slant = np.linspace(0, step, width_px)[None, :]
        shape[np.arange(height_px)[:, None] < slant] = 0
    if style == 3:
        shape[:step] = 0
        shape[:step, width_px // 2 - 1 : width_px // 2 + 1] = 1
    if style == 4:
        shape[: step // 2, : width_px // 3] = shape[: step // 2, -width_px // 3 :] = 0
        shape[: step // 4, :] = 0
        shape[: step // 4, width_px // 2 : width_px // 2 + 2] = 1
    return shape
