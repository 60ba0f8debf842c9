"""Open sea: sunrise, midday, dusk, storm and moonlight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samples.canvas import Field, Size, blend, colour, coordinates, smoothstep
from samples.noise import fractal
from samples.sky import Sky, draw_sky
from samples.water import Water, reflect


@dataclass(frozen=True, slots=True)
class Look:
    sky: Sky
    water: Water
    horizon: float
    island: float
    """Height of the land on the horizon, 0 for none."""
    land: str = "#2b2f45"


LOOKS = (
    Look(
        sky=Sky(
            ((0, "#ffb25e"), (0.25, "#f2745a"), (0.6, "#7d4a7c"), (1, "#27305e")),
            sun=(0.85, 0.47),
            cover=0.55,
            cloud_lit="#ffb07a",
            cloud_dark="#5a3d66",
        ),
        water=Water("#1b2540", choppiness=1.0, glitter="#ffcf8a", glitter_at=0.85),
        horizon=0.56,
        island=0.05,
    ),
    Look(
        sky=Sky(((0, "#dff3f7"), (0.35, "#7cc4ea"), (1, "#1f6fc0")), cover=0.62, cloud_dark="#9fb4c9"),
        water=Water("#0c8f9b", choppiness=0.8, clarity=0.62),
        horizon=0.44,
        island=0.045,
        land="#58805f",
    ),
    Look(
        sky=Sky(
            ((0, "#fff0bf"), (0.3, "#ffd08a"), (1, "#7fa0bd")),
            sun=(0.4, 0.42),
            sun_radius=0.045,
            cover=0.42,
            cloud_lit="#fff1d0",
            cloud_dark="#b9906f",
        ),
        water=Water("#2c5a66", choppiness=0.7, glitter="#fff0c0", glitter_at=0.4),
        horizon=0.62,
        island=0.0,
    ),
    Look(
        sky=Sky(
            ((0, "#b9c3c4"), (0.4, "#77858c"), (1, "#343e49")),
            cover=0.85,
            cloud_lit="#a9b3b6",
            cloud_dark="#343d47",
            cloud_cells=6,
        ),
        water=Water("#2f4a4d", choppiness=1.8, clarity=0.8, glitter="#b9c6c9", glitter_at=0.8),
        horizon=0.4,
        island=0.0,
    ),
    Look(
        sky=Sky(
            ((0, "#3c5a86"), (0.4, "#1a2d55"), (1, "#070d22")),
            sun=(0.72, 0.2),
            sun_colour="#e9efff",
            sun_radius=0.05,
            glow=0.45,
            cover=0.4,
            cloud_lit="#8ba0c8",
            cloud_dark="#1a2443",
            stars=700,
        ),
        water=Water("#0a1730", choppiness=0.8, glitter="#cfdcff", glitter_at=0.72),
        horizon=0.6,
        island=0.09,
        land="#0c1428",
    ),
)


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    picture = draw_sky(rng, size, look.sky, look.horizon)
    if look.island:
        picture = _with_island(look, rng, picture, size)
    return reflect(rng, picture, look.horizon, look.water)


def _with_island(look: Look, rng: np.random.Generator, picture: Field, size: Size) -> Field:
    """Two headlands, the further one paler."""
    x, y = coordinates(size)
    for fade, reach in ((0.55, 0.5), (0.15, 0.3)):
        middle = rng.uniform(0.0, x[0, -1])
        crest = 0.75 + 0.25 * fractal(rng, (size[0], 2), (7, 1), octaves=7)[:1]
        outline = look.island * (crest * np.exp(-(((x - middle) / reach) ** 2)) - 0.08)
        land = smoothstep(-0.001, 0.001, y - (look.horizon - outline)) * smoothstep(0, 0.002, outline)
        picture = blend(picture, colour(look.land), land * (1 - fade))
    return picture
