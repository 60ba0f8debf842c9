"""Single blossoms close up, petal on petal, before a blurred garden."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from samples.backdrops import bokeh
from samples.canvas import Field, Size, blend, blur, colour, gradient, lit, place, resize, smoothstep, strokes
from samples.noise import fractal

GOLDEN_ANGLE = np.pi * (3 - 5**0.5)


@dataclass(frozen=True, slots=True)
class Look:
    petals: int
    rings: tuple[tuple[float, float], ...]
    """(length, half width) of the petals of each ring, outermost first; the blossom's radius is 1."""
    stops: tuple[tuple[float, str], ...]
    """Colours from the foot of a petal to its tip."""
    heart: float
    """Radius of the disc in the middle."""
    seeds: tuple[str, str]
    garden: tuple[str, ...]
    roundness: float
    """Where a petal is widest: below 1 nearer its foot, above 1 nearer its tip."""


LOOKS = (
    Look(
        petals=21,
        rings=((1.0, 0.12), (0.93, 0.12)),
        stops=((0, "#dfe3d2"), (0.4, "#ffffff"), (1, "#f3f4ff")),
        heart=0.24,
        seeds=("#e39a12", "#ffd94a"),
        garden=("#1f3d1c", "#3f7030", "#86b04e", "#d6e59a"),
        roundness=1.3,
    ),
    Look(
        petals=28,
        rings=((1.0, 0.12), (0.95, 0.13), (0.82, 0.11)),
        stops=((0, "#c96a06"), (0.35, "#ffb400"), (1, "#ffd94a")),
        heart=0.42,
        seeds=("#2a1608", "#8a5016"),
        garden=("#2c5a86", "#5c96c4", "#a9cbe0", "#f3ecc0"),
        roundness=0.9,
    ),
    Look(
        petals=13,
        rings=((1.0, 0.24), (0.9, 0.22), (0.78, 0.2), (0.66, 0.17), (0.53, 0.14), (0.4, 0.11), (0.27, 0.08)),
        stops=((0, "#7d0f46"), (0.5, "#d8437f"), (1, "#ffb3cf")),
        heart=0.05,
        seeds=("#7d0f46", "#f2a3bf"),
        garden=("#26301f", "#46563a", "#7b6a6a", "#e8c4cf"),
        roundness=1.25,
    ),
    Look(
        petals=5,
        rings=((1.0, 0.62), (0.9, 0.5)),
        stops=((0, "#1d0507"), (0.16, "#5a0a0c"), (0.3, "#d3200f"), (1, "#ff5a2b")),
        heart=0.15,
        seeds=("#101408", "#7f8f4a"),
        garden=("#4d6b2a", "#8fa24a", "#d9c77e", "#fff3c9"),
        roundness=1.7,
    ),
    Look(
        petals=8,
        rings=((1.0, 0.36), (0.92, 0.3)),
        stops=((0, "#f5f1ff"), (0.25, "#8f8cf0"), (1, "#4b3fc0")),
        heart=0.13,
        seeds=("#b98a10", "#ffe680"),
        garden=("#10222f", "#1f4a4d", "#3f7f6f", "#a5d6b0"),
        roundness=1.5,
    ),
)


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    width, height = size
    picture = bokeh(rng, size, look.garden)
    blossom, mask = _blossom(look, rng, int(min(size) * 0.96))
    for distance in (4.2, 2.6):
        middle = float(rng.uniform(0.05, 0.95) * width), float(rng.uniform(0.1, 0.6) * height)
        _place_blurred(picture, blossom, mask, middle, distance)
    x, y = float(rng.uniform(0.44, 0.56)) * width / height, float(rng.uniform(0.44, 0.5))
    curve = [(x + 0.08 * t * t, y + 0.7 * t) for t in np.linspace(0, 1, 9).tolist()]
    picture = blend(picture, colour("#4c7a2c"), blur(strokes(size, [(curve, 0.026)]), 3.5) * 0.9)
    place(picture, blossom, mask, int(x * height) - len(mask) // 2, int(y * height) - len(mask) // 2)
    return picture


def _place_blurred(
    picture: Field, blossom: Field, mask: Field, middle: tuple[float, float], distance: float
) -> None:
    """The same blossom further back, out of focus."""
    side = int(len(mask) / distance)
    margin = side // 3
    border = ((margin, margin), (margin, margin))
    small_mask = np.pad(resize(mask, (side, side)), border)
    small = np.pad(resize(blossom * mask[..., None], (side, side)), (*border, (0, 0)))
    soft_mask, soft = blur(small_mask, side * 0.05), blur(small, side * 0.05)
    left, top = int(middle[0]) - side // 2 - margin, int(middle[1]) - side // 2 - margin
    place(picture, 0.9 * soft / np.maximum(soft_mask, 0.02)[..., None], soft_mask * 0.9, left, top)


def _blossom(look: Look, rng: np.random.Generator, side: int) -> tuple[Field, Field]:
    """The blossom on its own square: colours and mask."""
    axis = np.linspace(-1.06, 1.06, side, dtype=np.float32)
    x, y = axis[None, :], axis[:, None] * np.float32(1.12)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    picture, mask = np.zeros((side, side, 3), np.float32), np.zeros((side, side), np.float32)
    veins = fractal(rng, (512, 64), (64, 2), octaves=3)
    for ring, (length, half_width) in enumerate(look.rings):
        turn = float(rng.uniform(0, 2 * np.pi))
        for half_ring in range(2):
            petals = _petals(look, rng, radius, angle, turn, half_ring, length, half_width)
            light = 1 - 0.28 * petals.across**2 + 0.1 * petals.across
            light -= 0.2 * (1 - petals.along) * (ring > 0)
            light += 0.05 * veins[(petals.along * 63).astype(int), (petals.across * 200 + 256).astype(int)]
            light *= 0.88 + 0.12 * petals.rim
            picture *= (1 - 0.5 * blur(petals.mask, side * 0.012) * mask)[..., None]
            picture = blend(picture, lit(gradient(look.stops, petals.along), light), petals.mask)
            mask = np.maximum(mask, petals.mask)
    picture = _with_heart(look, rng, lit(picture, 1.06 - 0.16 * (x + y)), radius)
    return picture, np.maximum(mask, smoothstep(look.heart, look.heart - 0.01, radius))


@dataclass(frozen=True, slots=True)
class _Petals:
    mask: Field
    rim: Field
    """0 at the rim of a petal to 1 inside."""
    along: Field
    """0 at the foot to 1 at the tip."""
    across: Field
    """-1 at one side to 1 at the other."""


def _petals(
    look: Look,
    rng: np.random.Generator,
    radius: Field,
    angle: Field,
    turn: float,
    half_ring: int,
    length: float,
    half_width: float,
) -> _Petals:
    """Every second petal of a ring, so that the others can lie over them; no two quite alike."""
    count = (look.petals + 1) // 2
    spacing = 2 * np.pi / count
    shifted = (angle + turn) / spacing + half_ring / 2
    number = np.floor(shifted).astype(int) % count
    lengths = rng.uniform(0.93, 1.03, count).astype(np.float32)[number] * length
    bend = rng.uniform(-0.09, 0.09, count).astype(np.float32)[number]
    local = (shifted - np.floor(shifted) - 0.5) * spacing + bend * radius
    along = np.clip(radius * np.cos(local) / lengths, 0, 1)
    sideways = radius * np.sin(np.clip(local, -1.5, 1.5))
    width = half_width * np.sin(3.1415 * np.clip(along, 0.001, 0.999) ** look.roundness) ** 0.62
    width = np.maximum(width, 0.25 * half_width * (1 - along))
    inside = width - np.abs(sideways)
    return _Petals(
        mask=smoothstep(-0.002, 0.004, inside) * (radius * np.cos(local) < lengths),
        rim=np.clip(inside / 0.05, 0, 1),
        along=along,
        across=np.clip(sideways / (width + 1e-4), -1, 1),
    )


def _with_heart(look: Look, rng: np.random.Generator, picture: Field, radius: Field) -> Field:
    """The disc of florets in its golden-angle spiral, a dome in the light."""
    side = len(picture)
    scale = side / 2.12
    seeds = Image.new("L", (side, side))
    draw = ImageDraw.Draw(seeds)
    count = int(160 + 500 * look.heart)
    for k in range(count):
        distance = look.heart * ((k + 0.5) / count) ** 0.5
        x = side / 2 + distance * np.cos(k * GOLDEN_ANGLE) * scale
        y = side / 2 + distance * np.sin(k * GOLDEN_ANGLE) * scale / 1.12
        size = scale * look.heart * 1.1 / count**0.5 * rng.uniform(0.8, 1.1)
        draw.ellipse((x - size, y - size, x + size, y + size), fill=int(rng.integers(140, 255)))
    bumps = blur(np.asarray(seeds, np.float32) / 255, 1.2)
    dark, bright = (colour(name) for name in look.seeds)
    dome = np.clip(radius / look.heart, 0, 1)
    tone = (0.25 + 0.75 * bumps) * (1 - 0.45 * (1 - dome) ** 2)
    florets = dark + (bright - dark) * tone[..., None]
    around = smoothstep(look.heart * 1.5, look.heart * 0.9, radius)
    shaded = picture * (1 - 0.45 * around)[..., None]
    return blend(shaded, florets, smoothstep(look.heart, look.heart * 0.94, radius))
