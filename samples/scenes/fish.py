"""Fish over a reef: light from above, corals, bubbles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from samples.canvas import (
    Field,
    Point,
    Size,
    blend,
    blur,
    colour,
    coordinates,
    fill,
    gradient,
    place,
    smooth_outline,
    smoothstep,
)
from samples.noise import fractal
from samples.underwater import bubbles, depths, reef

FISH_PX = 520


@dataclass(frozen=True, slots=True)
class Look:
    water: tuple[tuple[float, str], ...]
    """Colours from the surface (0) to the ground (1)."""
    back: str
    flank: str
    belly: str
    marks: str
    mark: str
    fin: str
    depth: float
    """Height of the body as a share of its length."""
    school: int
    corals: tuple[str, ...]
    size: float = 0.62


LOOKS = (
    Look(
        water=((0, "#8fe6f2"), (0.4, "#2fa8cf"), (1, "#0d4f86")),
        back="#e0560f",
        flank="#ff8a1f",
        belly="#ffb347",
        marks="bands",
        mark="#ffffff",
        fin="#f26a12",
        depth=0.46,
        school=4,
        corals=("#d94f7a", "#f2a7b8", "#8f4fa8"),
    ),
    Look(
        water=((0, "#7fd0ff"), (0.4, "#2166c9"), (1, "#0a1f5c")),
        back="#101a4a",
        flank="#2456e0",
        belly="#3f7bff",
        marks="sweep",
        mark="#0a0f2a",
        fin="#ffd21f",
        depth=0.52,
        school=3,
        corals=("#c98a3a", "#e0b56a", "#6a8a4a"),
    ),
    Look(
        water=((0, "#c9f2d9"), (0.4, "#4fbfae"), (1, "#12605f")),
        back="#f2c81f",
        flank="#ffe14a",
        belly="#fff3b0",
        marks="lines",
        mark="#2a2a3a",
        fin="#f2b81f",
        depth=0.66,
        school=4,
        corals=("#7a4fc9", "#c28af2", "#f26a8a"),
    ),
    Look(
        water=((0, "#a9d6e6"), (0.4, "#3f86a8"), (1, "#0f3048")),
        back="#4a6a80",
        flank="#b5cbd6",
        belly="#f0f6f8",
        marks="plain",
        mark="#2f4f6a",
        fin="#8aa6b5",
        depth=0.34,
        school=15,
        corals=("#3f5f5a", "#5f7f6a", "#2f4a55"),
        size=0.36,
    ),
    Look(
        water=((0, "#5fc9d9"), (0.35, "#1a6f8f"), (1, "#06202f")),
        back="#5a1f8a",
        flank="#a83fb5",
        belly="#ffb02f",
        marks="halves",
        mark="#ffc23a",
        fin="#7a2fa0",
        depth=0.42,
        school=5,
        corals=("#f2723a", "#ffb35a", "#c93f5a"),
    ),
)


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    width, height = size
    picture = depths(rng, size, look.water)
    sprites = [_fish(look, rng) for _ in range(2)]
    picture = reef(rng, picture, look.water, look.corals, 0.4)
    for number in range(look.school):
        nearness = (number + 1) / look.school
        side = int(height * look.size * (0.35 + 0.65 * nearness**1.5) * rng.uniform(0.92, 1.08))
        middle = (0.5, 0.44) if number == look.school - 1 else rng.uniform((0.08, 0.12), (0.92, 0.66))
        _swim(
            look, rng, picture, sprites[number % 2], side, (middle[0] * width, middle[1] * height), nearness
        )
    picture = reef(rng, picture, look.water, look.corals, 1.0)
    bubbles(rng, picture, 26)
    return picture


def _fish(look: Look, rng: np.random.Generator) -> tuple[Field, Field]:
    """A fish that looks to the left, on a square: colours and mask."""
    size = (FISH_PX, FISH_PX)
    x, y = coordinates(size)
    along = np.clip((x - 0.08) / 0.66, 0, 1)
    half = 0.5 * look.depth * 0.66 * np.clip(np.sin(np.pi * along**0.72), 0, 1) ** 0.75 + 0.028 * smoothstep(
        0.6, 1.0, along
    )
    centre = np.float32(0.5)
    down = np.clip((y - centre) / (half + 1e-4), -1.5, 1.5)
    body = smoothstep(0.003, -0.003, np.abs(y - centre) - half) * (x > 0.08) * (x < 0.745)
    fins, rays = _fins(look, size)
    back, flank, belly = (colour(name) for name in (look.back, look.flank, look.belly))
    tone = np.where(
        (down < 0)[..., None],
        blend(flank, back, np.clip(-down, 0, 1)),
        blend(flank, belly, np.clip(down, 0, 1)),
    )
    tone = _marked(look, tone.astype(np.float32), along, down)
    scale_row, scale_column = y * 70, x * 70
    scales = np.hypot(
        np.mod(scale_column + 0.5 * np.mod(np.floor(scale_row), 2), 1) - 0.5, np.mod(scale_row, 1) - 0.2
    )
    gloss = np.exp(-(((down + 0.42) / 0.3) ** 2)) * 0.3
    lit = (
        tone * (1.02 - 0.3 * np.clip(down, -1, 1) ** 2 * np.sign(down) - 0.1 * (scales > 0.45))[..., None]
        + gloss[..., None]
    )
    fin_tone = colour(look.fin) * (0.75 + 0.35 * rays + 0.1 * fractal(rng, size, (20, 20), 3))[..., None]
    picture = blend(fin_tone, lit, body)
    picture = _face(look, picture, x, y, body)
    return picture, np.maximum(body, fins * 0.92)


def _marked(look: Look, tone: Field, along: Field, down: Field) -> Field:
    mark = colour(look.mark)
    if look.marks == "bands":
        for middle, half in ((0.24, 0.05), (0.54, 0.065), (0.92, 0.035)):
            distance = np.abs(along - middle - 0.05 * np.cos(down * 2))
            tone = blend(tone, colour("#140a06"), smoothstep(half + 0.022, half + 0.012, distance))
            tone = blend(tone, mark, smoothstep(half, half - 0.012, distance))
        return tone
    if look.marks == "sweep":
        curve = np.abs(down + 0.35 - 1.1 * (along - 0.5) ** 2 * 4 * 0.25) - 0.3 * np.sin(np.pi * along)
        return blend(tone, mark, smoothstep(0.03, -0.03, curve) * smoothstep(0.2, 0.3, along) * 0.95)
    if look.marks == "lines":
        tone = blend(
            tone,
            mark,
            smoothstep(0.8, 0.92, np.cos(2 * np.pi * (along * 7 + 0.5 * down)))
            * smoothstep(0.3, 0.36, along)
            * 0.5,
        )
        return blend(
            tone,
            mark,
            smoothstep(0.035, 0.025, np.abs(along - 0.16)) + smoothstep(0.03, 0.02, np.abs(along - 0.95)),
        )
    if look.marks == "halves":
        return blend(tone, mark, smoothstep(0.44, 0.62, along + 0.08 * down))
    return blend(tone, mark, smoothstep(0.06, 0.02, np.abs(down + 0.1)) * 0.6)


def _fins(look: Look, size: Size) -> tuple[Field, Field]:
    """Tail, back and belly fins as one mask, and the rays in them."""
    half = 0.33 * look.depth
    tail = [
        (0.7, 0.5),
        (0.76, 0.44),
        (0.85, 0.35),
        (0.95, 0.3),
        (0.92, 0.42),
        (0.88, 0.5),
        (0.92, 0.58),
        (0.95, 0.7),
        (0.85, 0.65),
        (0.76, 0.56),
    ]
    dorsal = [
        (0.24, 0.5 - half * 0.5),
        (0.32, 0.48 - half * 1.05),
        (0.44, 0.47 - half * 1.28),
        (0.6, 0.47 - half * 1.15),
        (0.74, 0.45 - half * 0.45),
        (0.7, 0.5),
    ]
    anal = [
        (0.42, 0.5 + half * 0.4),
        (0.46, 0.53 + half * 0.95),
        (0.58, 0.54 + half * 1.15),
        (0.72, 0.56 + half * 0.5),
        (0.68, 0.5 + half * 0.1),
    ]
    x, y = coordinates(size)
    rays = 0.5 + 0.5 * np.cos(np.arctan2(y - 0.5, x - 0.45) * 90)
    return fill(size, [smooth_outline(outline) for outline in (tail, dorsal, anal)]), rays


def _face(look: Look, picture: Field, x: Field, y: Field, body: Field) -> Field:
    """Eye, gill and the breast fin."""
    gill = smoothstep(0.008, 0.0, np.abs(np.hypot(x - 0.12, (y - 0.5) * 0.8) - 0.15)) * (x > 0.2) * body
    picture = picture * (1 - 0.22 * gill)[..., None]
    eye = np.hypot(x - 0.165, y - 0.47)
    for radius, name in ((0.028, "#f4f0e0"), (0.023, look.fin), (0.016, "#08080c")):
        picture = blend(picture, colour(name), smoothstep(radius, radius - 0.004, eye))
    picture = picture + (0.9 * smoothstep(0.006, 0.002, np.hypot(x - 0.16, y - 0.463)))[..., None]
    size = (FISH_PX, FISH_PX)
    fin = fill(size, [smooth_outline([(0.3, 0.53), (0.38, 0.505), (0.45, 0.55), (0.43, 0.63), (0.35, 0.6)])])
    rays = 0.8 + 0.3 * np.cos(np.arctan2(y - 0.54, x - 0.3) * 60)
    picture = picture * (1 - 0.25 * np.roll(blur(fin, 6), 8, axis=0) * body)[..., None]
    return blend(picture, colour(look.fin) * rays[..., None], fin * 0.8)


def _swim(
    look: Look,
    rng: np.random.Generator,
    picture: Field,
    sprite: tuple[Field, Field],
    side: int,
    middle: Point,
    nearness: float,
) -> None:
    """A fish placed in the water: turned a little, bluer and softer the further off."""
    layers = [np.ascontiguousarray(layer) for layer in (*np.moveaxis(sprite[0], -1, 0), sprite[1])]
    flip, degrees = rng.random() < 0.3, float(rng.uniform(-12, 12))
    turned = []
    for layer in layers:
        image = Image.fromarray(layer[:, ::-1].copy() if flip else layer)
        small = image.resize((side, side), Image.Resampling.BILINEAR)
        turned.append(np.asarray(small.rotate(degrees, Image.Resampling.BILINEAR)))
    mask = np.clip(turned[3], 0, 1)
    veil = gradient(look.water, 0.5)
    fish = blend(np.stack(turned[:3], axis=-1), veil, 0.62 * (1 - nearness))
    soft = 2.5 * (1 - nearness)
    place(picture, blur(fish, soft), blur(mask, soft), int(middle[0]) - side // 2, int(middle[1]) - side // 2)
