"""Landscapes: a field of heights seen in perspective, lit from the side and lost in haze.

The ground is kept as the viewer sees it: rows are steps of distance, evenly spaced in the logarithm from
`NEAR` to `FAR`, columns are directions, one for each pixel column. So the foreground is as detailed as the
distance, and which step of the ground a pixel shows is a running maximum along its column.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from samples.canvas import Field, Size, blend, blur, colour, sample, smoothstep

NEAR, FAR = 0.12, 4.0
STEPS = 512


@dataclass(frozen=True, slots=True)
class Camera:
    """Where the viewer stands: eye level above height 0, and the horizon's y in scene coordinates."""

    eye: float
    horizon: float


@dataclass(frozen=True, slots=True)
class Light:
    sun: str
    shade: str
    slope: float
    """How high the sun stands: rise over run of its rays. Low light draws long shadows."""
    from_left: bool


def distances() -> Field:
    """Distance of each step, shape=(STEPS, 1)."""
    return np.geomspace(NEAR, FAR, STEPS, dtype=np.float32)[:, None]


def directions(width: int, height: int) -> Field:
    """Sideways offset per unit of distance, shape=(1, W)."""
    return ((np.arange(width, dtype=np.float32) + 0.5 - width / 2) / np.float32(height))[None, :]


def spread(texture: Field, size: Size, scale: float) -> Field:
    """A texture laid on the ground as the world has it, `scale` texture sides to a unit; shape=(STEPS, W).

    Beyond its edges it goes on as its mirror image, so that there is no seam.
    """
    side = texture.shape[0]
    z, angle = distances(), directions(*size)
    column, row = side / 2 + z * angle * (side * scale), z * (side * scale) + angle * 0
    return sample(texture, _folded(column, side - 2), _folded(row, side - 2))


def _folded(position: Field, side: int) -> Field:
    folded: Field = side - np.abs(np.mod(position, 2 * side) - side)
    return folded


def slopes(heights: Field, height_px: int) -> tuple[Field, Field]:
    """Rise over run to the right and away from the viewer."""
    z = distances()
    step = math.log(FAR / NEAR) / (STEPS - 1)
    return np.gradient(heights, axis=1) * (height_px / z), np.gradient(heights, axis=0) / (z * step)


def illuminate(heights: Field, albedo: Field, light: Light, height_px: int) -> Field:
    """The ground's colour under a sun from the side: Lambert's law, cast shadows, light from the sky."""
    across, away = slopes(heights, height_px)
    side = 1 if light.from_left else -1
    facing = (light.slope + across * side + away * 0.25) / np.sqrt(
        (1 + across**2 + away**2) * (1 + light.slope**2)
    )
    lit = np.clip(facing, 0, 1) * (1 - _cast_shadow(heights, light, height_px))
    sky = 0.55 + 0.45 / np.sqrt(1 + across**2 + away**2)
    return albedo * (lit[..., None] * colour(light.sun) + sky[..., None] * colour(light.shade))


def _cast_shadow(heights: Field, light: Light, height_px: int) -> Field:
    """Exact along each row, since the sun stands to the side: a ray descends by `slope` a unit."""
    width = heights.shape[1]
    offset = distances() * directions(width, height_px) * np.float32(light.slope)
    if light.from_left:
        ray = np.maximum.accumulate(heights + offset, axis=1) - offset
    else:
        ray = np.maximum.accumulate((heights - offset)[:, ::-1], axis=1)[:, ::-1] + offset
    return blur(smoothstep(0.0, 0.06, ray - heights), 3.0)


def render(
    backdrop: Field, heights: Field, ground: Field, camera: Camera, haze: Field, haze_from: float
) -> Field:
    """The ground before the backdrop.

    ground: colours, shape=(STEPS, W, 3). haze: colour of the air, shape=(3,) or the backdrop's shape.
    haze_from: the distance at which the air hides about two thirds.
    """
    height, width = backdrop.shape[:2]
    z = distances()
    rows = np.float32(height) * (np.float32(camera.horizon) + (np.float32(camera.eye) - heights) / z)
    skyline = np.minimum.accumulate(rows, axis=0)
    step, share = _visible_step(skyline, height)
    column = np.arange(width)[None, :]
    nearer = np.maximum(step - 1, 0)
    visible = blend(ground[nearer, column], ground[np.minimum(step, STEPS - 1), column], share)
    air = 1 - np.exp(-((z[np.minimum(step, STEPS - 1), 0] / np.float32(haze_from)) ** 1.3))
    visible = blend(visible, haze, air)
    edge = np.clip(np.arange(height, dtype=np.float32)[:, None] + 0.5 - skyline[-1], 0, 1)
    return blend(backdrop, visible, edge)


def _visible_step(skyline: Field, height: int) -> tuple[np.ndarray, Field]:
    """For each pixel the first step whose skyline reaches it, and how far it lies from the step before."""
    width = skyline.shape[1]
    column = np.arange(width)[None, :]
    first_row = np.clip(np.ceil(skyline), 0, height).astype(np.int64)
    reached = np.bincount((first_row * width + column).ravel(), minlength=(height + 1) * width)
    below = reached.reshape(height + 1, width)[::-1].cumsum(axis=0)[::-1][1:]
    step = np.minimum(below, STEPS - 1)
    before, here = skyline[np.maximum(step - 1, 0), column], skyline[step, column]
    row = np.arange(height, dtype=np.float32)[:, None]
    share = np.clip((before - row) / np.maximum(before - here, 1e-3), 0, 1)
    return step, share
