"""Hot-air balloons over misty hills."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samples.backdrops import hills
from samples.canvas import Field, Point, Size, blend, colour, lit, place, strokes
from samples.sky import Sky, draw_sky
from samples.solids import Solid, lathe, shade

GORES = 16


@dataclass(frozen=True, slots=True)
class Look:
    sky: Sky
    land: tuple[str, ...]
    cloths: tuple[tuple[str, ...], ...]
    """One set of colours for each balloon, the nearest first."""
    patterns: tuple[str, ...]
    sun: str = "#fff0d2"


LOOKS = (
    Look(
        sky=Sky(((0, "#ffe4bf"), (0.4, "#a8cdea"), (1, "#3f86cc")), cover=0.4),
        land=("#b7cbd8", "#7f9db0", "#5f7f62", "#3d5a35"),
        cloths=(
            ("#d8262c", "#ffffff", "#f4b81c"),
            ("#1c66b0", "#f6d34a", "#1c66b0"),
            ("#f08a24", "#6a2c70", "#f08a24"),
            ("#2f9e6e", "#ffffff", "#2f9e6e"),
        ),
        patterns=("gores", "zigzag", "bands", "gores"),
    ),
    Look(
        sky=Sky(
            ((0, "#ffd9a0"), (0.35, "#f59a7a"), (1, "#64568f")),
            sun=(0.35, 0.5),
            glow=0.8,
            cover=0.4,
            cloud_lit="#ffcfa3",
            cloud_dark="#8a617f",
        ),
        land=("#f0b08f", "#b07a80", "#6f4f66", "#382a45"),
        cloths=(
            ("#7a1f5c", "#f2b134", "#e8563f"),
            ("#2c2a5c", "#e6e0d4", "#c83f49"),
            ("#f2b134", "#c83f49", "#f2b134"),
        ),
        patterns=("zigzag", "gores", "bands"),
        sun="#ffc890",
    ),
    Look(
        sky=Sky(((0, "#f4f1ea"), (0.5, "#cfdde3"), (1, "#8fb0c4")), cover=0.55, cloud_dark="#bcc8cf"),
        land=("#d3dde0", "#aebfc2", "#8ba3a0", "#66837a"),
        cloths=(("#2a9d8f", "#e9c46a", "#e76f51", "#f4f1de"), ("#f4f1de", "#e76f51", "#2a9d8f")),
        patterns=("checks", "bands"),
    ),
    Look(
        sky=Sky(((0, "#cfe9f4"), (0.5, "#5fb0e0"), (1, "#1560a8")), cover=0.3),
        land=("#d9a37f", "#c07a52", "#a55a38", "#7c3d26"),
        cloths=(
            ("#ffffff", "#e63946", "#1d3557"),
            ("#ffd166", "#ef476f", "#06d6a0", "#118ab2"),
            ("#8338ec", "#ffbe0b", "#8338ec"),
            ("#fb5607", "#ffffff"),
            ("#3a86ff", "#ffffff"),
        ),
        patterns=("bands", "gores", "zigzag", "gores", "bands"),
    ),
    Look(
        sky=Sky(
            ((0, "#5b6fa6"), (0.4, "#2c3a70"), (1, "#0d1433")),
            cover=0.3,
            cloud_lit="#6f7fb5",
            cloud_dark="#232c57",
            stars=500,
        ),
        land=("#43548c", "#2b3768", "#1b2447", "#0d1228"),
        cloths=(
            ("#ff9f1c", "#ffd9a0", "#e85d04"),
            ("#f94144", "#ffd9c0", "#f3722c"),
            ("#ffca3a", "#ff924c", "#ffca3a"),
        ),
        patterns=("gores", "checks", "zigzag"),
        sun="#ffdca8",
    ),
)
PLACES = ((0.42, 0.4, 0.56), (1.02, 0.27, 0.27), (0.14, 0.5, 0.19), (0.82, 0.56, 0.14), (1.2, 0.53, 0.1))
"""Middle and height of each balloon in a picture of 4:3, nearest first."""


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    picture = draw_sky(rng, size, look.sky, 0.72)
    picture = hills(rng, picture, look.land, 0.7, 0.9, 0.07)
    stretch = size[0] / size[1] * 0.75
    spots = list(zip(PLACES, look.cloths, look.patterns, strict=False))
    for (x, y, tall), cloth, pattern in reversed(spots):
        middle = (x + float(rng.uniform(-0.05, 0.05))) * stretch, y + float(rng.uniform(-0.05, 0.05))
        _balloon(look, rng, picture, middle, tall * min(1, stretch + 0.15), cloth, pattern)
    return picture


def _balloon(
    look: Look,
    rng: np.random.Generator,
    picture: Field,
    middle: Point,
    tall: float,
    cloth: tuple[str, ...],
    pattern: str,
) -> None:
    """A balloon in place, paler the smaller it is."""
    unit = picture.shape[0]
    solid = lathe(int(tall * unit), _profile)
    spin = float(rng.uniform(0, np.pi / 4))
    seam = np.cos((solid.longitude + spin) * GORES)
    albedo = lit(_pattern(solid, cloth, pattern, spin), 1 - 0.12 * (seam < -0.9) + 0.06 * seam)
    far, air = 0.45 * max(0.0, 1 - tall / 0.5), colour(look.sky.stops[0][1])
    envelope = blend(_lit_envelope(look, solid, albedo, middle), air, far)
    height_px, width_px = solid.mask.shape
    left, top = int(middle[0] * unit) - width_px // 2, int(middle[1] * unit) - height_px // 2
    place(picture, envelope, solid.mask, left, top)
    basket = blend(colour("#4a3220"), air, far)
    _basket(picture, left + width_px // 2, top + height_px, height_px, basket)


def _lit_envelope(look: Look, solid: Solid, albedo: Field, middle: Point) -> Field:
    """By day in the sun, by night aglow from the burner."""
    from_left = look.sky.sun is None or look.sky.sun[0] < middle[0]
    light = (-0.5, -0.5, 0.7) if from_left else (0.6, -0.4, 0.6)
    if not look.sky.stars:
        return shade(solid, albedo, light, look.sun, "#6b7590", gloss=0.08)
    flame = np.exp(-(((solid.along - 0.86) / 0.4) ** 2)) * (0.6 + 0.4 * solid.normal[..., 2])
    moonlit = shade(solid, albedo, light, look.sun, "#2c3560", gloss=0.08)
    return 0.45 * moonlit + lit(albedo * colour("#ffb55a"), 1.5 * flame)


def _profile(along: Field) -> Field:
    """Radius of the envelope: a dome that narrows to the mouth."""
    dome = 0.41 * np.sqrt(np.clip(1 - ((0.43 - along) / 0.43) ** 2, 0, 1))
    cone = 0.075 + 0.335 * np.cos(np.clip((along - 0.43) / 0.57, 0, 1) * 1.57) ** 1.1
    radius: Field = np.where(along < 0.43, dome, cone)
    return radius


def _pattern(solid: Solid, cloth: tuple[str, ...], pattern: str, spin: float) -> Field:
    gore = np.floor((solid.longitude + spin) * GORES / (2 * np.pi) + 20)
    wave = np.abs(np.mod((solid.longitude + spin) * GORES / (2 * np.pi), 1) - 0.5)
    band = np.floor(solid.along * 9)
    number = {
        "gores": gore,
        "bands": np.floor(solid.along * 7) * (solid.along > 0.12),
        "zigzag": np.floor(solid.along * 7 + 1.3 * wave),
        "checks": gore + band,
    }[pattern]
    palette = np.stack([colour(name) for name in cloth])
    pattern_there: Field = palette[np.mod(number, len(cloth)).astype(int)]
    return pattern_there


def _basket(picture: Field, x: int, top: int, height_px: int, tint: Field) -> None:
    """Ropes and a wicker basket under the mouth."""
    wide, tall = max(6, int(height_px * 0.16)), max(6, int(height_px * 0.2))
    lines = [([(0.04 + 0.4 * side, 0.0), (0.16 + 0.25 * side, 0.62)], 0.02) for side in (0, 0.55, 1.3, 1.85)]
    ropes = strokes((wide, tall), lines)
    place(picture, tint * 0.8, ropes, x - wide // 2, top - 1)
    box_wide, box_tall = max(3, int(wide * 0.56)), max(3, int(tall * 0.42))
    across = np.linspace(1.25, 0.6, box_wide, dtype=np.float32)[None, :, None]
    weave = (1 + 0.15 * (np.indices((box_tall, box_wide)).sum(0) // 3 % 2))[..., None].astype(np.float32)
    whole = np.ones((box_tall, box_wide), np.float32)
    place(picture, tint * across * weave, whole, x - box_wide // 2, top + int(tall * 0.58))
