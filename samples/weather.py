"""What fills the air: falling snow, northern lights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from samples.canvas import Field, Size, blend, blur, colour, coordinates, smoothstep
from samples.noise import fractal


def snowfall(rng: np.random.Generator, picture: Field) -> Field:
    """Falling snow, near flakes large and soft."""
    height, width = picture.shape[:2]
    for count, radius in ((1500, 0.0), (400, 1.2), (90, 3.2)):
        flakes = np.zeros((height, width), np.float32)
        flakes[rng.integers(0, height, count), rng.integers(0, width, count)] = 1 + 18 * radius**2
        picture = blend(picture, np.ones(3, np.float32), np.clip(blur(flakes, radius), 0, 0.85))
    return picture


def aurora(rng: np.random.Generator, size: Size, colours: Sequence[str]) -> Field:
    """Curtains of light, to be added: bright at their wavering foot, fading upwards in rays into violet."""
    _, y = coordinates(size)
    light = np.zeros((size[1], size[0], 3), np.float32)
    for number, name in enumerate(colours):
        sway = fractal(rng, (size[0], 2), (3, 1), octaves=4, gain=0.4)[:1]
        rays = fractal(rng, (size[0], 2), (40, 1), octaves=4, gain=0.7)[:1]
        patches = smoothstep(-1.0, 1.0, fractal(rng, (size[0], 2), (4, 1), octaves=2)[:1])
        above = 0.42 - 0.08 * number + 0.07 * sway - y
        curtain = np.exp(-np.clip(above, 0, None) / 0.13) * smoothstep(-0.02, 0.02, above)
        tint = blend(colour(name), colour("#b06aff"), smoothstep(0.08, 0.34, above))
        light += (0.75 * curtain * (0.75 + 0.22 * rays) * patches)[..., None] * tint
    return light
