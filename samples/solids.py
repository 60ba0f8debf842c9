"""Round things: surfaces of revolution with their normals, and the light on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from samples.canvas import Field, colour, smoothstep


@dataclass(frozen=True, slots=True)
class Solid:
    """A round thing seen from the side, on its own small grid of shape (H, W)."""

    mask: Field
    normal: Field
    """Shape=(H, W, 3): x to the right, y down, z towards the viewer."""
    longitude: Field
    """Angle around the axis, -pi/2 at the left edge to pi/2 at the right one."""
    along: Field
    """0 at the top of the axis to 1 at its foot."""


def lathe(height_px: int, radius: Callable[[Field], Field], above: float = 0.0) -> Solid:
    """A surface of revolution about a vertical axis.

    radius: maps 0..1 along the axis to units of height. above: how far the viewer looks down on it; level
    rings then bend downwards in the middle, and the foot is round.
    """
    foot = float(radius(np.asarray([1.0], np.float32))[0])
    rows = height_px + int(above * foot * height_px)
    level = ((np.arange(rows, dtype=np.float32) + 0.5) / np.float32(height_px))[:, None]
    profile = np.maximum(radius(np.minimum(level, 1)), 1e-4).astype(np.float32)
    half_px = int(profile.max() * height_px) + 2
    x = ((np.arange(2 * half_px, dtype=np.float32) + 0.5 - half_px) / np.float32(height_px))[None, :]
    across = np.clip(x / profile, -1, 1)
    toward = np.sqrt(np.maximum(1 - across * across, 0))
    lean = np.clip(np.gradient(profile[:, 0]) * height_px, -3, 3)[:, None].astype(np.float32)
    normal = np.stack([across, -lean + 0 * across, toward], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    sunk = level - 1 - above * foot * toward
    mask = smoothstep(0.5, -0.5, np.maximum(np.abs(x) - profile, sunk) * height_px)
    along = np.clip(level - above * profile * toward, 0, 1)
    return Solid(mask, normal, np.arcsin(across), along)


def turned(height_px: int, radii: Sequence[float], above: float = 0.0) -> Solid:
    """A lathe whose profile runs smoothly through radii given from top to foot, evenly spaced."""
    fine = np.interp(np.linspace(0, 1, 400), np.linspace(0, 1, len(radii)), radii)
    smooth = np.convolve(np.pad(fine, 20, mode="edge"), np.ones(41) / 41, "valid")
    places = np.linspace(0, 1, 400)
    return lathe(height_px, lambda v: np.interp(v, places, smooth).astype(np.float32), above)


def lying(solid: Solid) -> Solid:
    """The same solid with its axis across the picture, the top to the left."""
    normal = solid.normal[..., [1, 0, 2]].swapaxes(0, 1)
    return Solid(solid.mask.T, normal, solid.longitude.T, solid.along.T)


def sphere(diameter_px: int) -> Solid:
    """A ball filling its grid."""
    return lathe(diameter_px, lambda v: np.sqrt(np.maximum(0.25 - (v - 0.5) ** 2, 1e-7)))


def shade(
    solid: Solid,
    albedo: Field,
    light: tuple[float, float, float],
    sun: str,
    sky: str,
    gloss: float,
    sharpness: float = 40.0,
) -> Field:
    """Albedo under a sun from `light` (towards it, as the normals run), a soft sky, and a highlight."""
    toward = np.asarray(light, np.float32)
    toward /= np.linalg.norm(toward)
    facing = solid.normal @ toward
    direct = np.clip(facing * 0.9 + 0.1, 0, 1)[..., None] * colour(sun)
    ambient = (0.72 - 0.28 * solid.normal[..., 1:2]) * colour(sky)
    half = toward + np.asarray((0, 0, 1), np.float32)
    half /= np.linalg.norm(half)
    highlight = np.clip(solid.normal @ half, 0, 1) ** sharpness
    rim = (1 - np.clip(solid.normal[..., 2], 0, 1)) ** 3
    lit: Field = albedo * (direct + ambient)
    return lit + (gloss * highlight)[..., None] * colour(sun) + (0.25 * gloss * rim)[..., None] * colour(sky)
