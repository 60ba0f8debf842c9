"""Walls of glazed tiles: each design folded into the symmetry of a square, hand painted, never quite even."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from samples.canvas import Field, Size, blend, blur, colour, coordinates, lit, smoothstep
from samples.noise import fractal


@dataclass(frozen=True, slots=True)
class Look:
    design: str
    inks: tuple[str, ...]
    """Ground first, then the inks in the order of the design's layers."""
    across: float
    """Tiles to the picture's height."""
    grout: str


LOOKS = (
    Look(design="star", inks=("#f1efe6", "#1f4fa3", "#e0b03a", "#2f8f83"), across=3.2, grout="#c9c2b2"),
    Look(design="flower", inks=("#f6efe0", "#c2452d", "#2a5a4a", "#e5a23a"), across=2.7, grout="#a89a86"),
    Look(design="scales", inks=("#0f5f6b", "#1f9aa0", "#8fd0c4", "#f2e3b3"), across=2.2, grout="#0a3a42"),
    Look(design="cube", inks=("#e9e4dc", "#2b2f36", "#8c3b33", "#c9a36b"), across=2.6, grout="#6a655e"),
    Look(design="lace", inks=("#213a7a", "#f4f2ec", "#9db4e6", "#f0cf6a"), across=3.6, grout="#1a2850"),
)


def draw(look: Look, rng: np.random.Generator, size: Size) -> Field:
    x, y = coordinates(size)
    column, row = x * look.across + 0.3, y * look.across + 0.2
    number = np.floor(column).astype(int) * 31 + np.floor(row).astype(int) * 17
    u, v = np.mod(column, 1) * 2 - 1, np.mod(row, 1) * 2 - 1
    wobble = fractal(rng, size, (24, 18), octaves=4) * np.float32(0.012)
    inks = [colour(name) for name in look.inks]
    picture = np.broadcast_to(inks[0], (size[1], size[0], 3)).astype(np.float32)
    strength = 0.86 + 0.1 * fractal(rng, size, (40, 30), octaves=4, gain=0.6)
    for mask, ink in DESIGNS[look.design](u + wobble, v - wobble):
        picture = blend(picture, inks[ink], np.clip(mask * strength, 0, 1))
    picture = picture * (1 + 0.07 * rng.standard_normal(1024).astype(np.float32)[number % 1024])[..., None]
    return _glazed(look, rng, picture, u, v, number, size)


def _glazed(
    look: Look, rng: np.random.Generator, picture: Field, u: Field, v: Field, number: Field, size: Size
) -> Field:
    """Rounded edges, grout and its shadow, crackle, a highlight that each tile catches in its own way."""
    edge = np.maximum(np.abs(u), np.abs(v)) + np.zeros_like(picture[..., 0])
    bevel = smoothstep(0.86, 0.97, edge)
    slope = np.where(np.abs(u) > np.abs(v), np.sign(u), np.sign(v)) * bevel
    tilt = rng.normal(0, 0.35, (2, 1024)).astype(np.float32)[:, number % 1024]
    x, y = coordinates(size)
    sheen = np.exp(
        -(((x - 0.35 * x[0, -1] + 0.3 * tilt[0]) / 0.5) ** 2 + ((y - 0.28 + 0.3 * tilt[1]) / 0.4) ** 2)
    )
    crackle = np.abs(fractal(rng, size, (60, 45), octaves=2))
    picture = picture * (1 - 0.1 * smoothstep(0.08, 0.02, crackle))[..., None]
    glazed = (
        picture * (0.84 - 0.22 * slope + 0.1 * sheen)[..., None] + (0.16 * sheen * (1 - bevel))[..., None]
    )
    gap = smoothstep(0.965, 0.985, edge)
    sand = 1 + 0.12 * fractal(rng, size, (200, 150), octaves=2)
    shadow = 1 - 0.45 * blur(gap, 5)
    glazed = blend(lit(glazed, shadow + 0.45 * gap), lit(colour(look.grout), 0.8 * sand), gap)
    return lit(glazed, 1.12 - 0.3 * np.hypot(x - 0.35 * x[0, -1], y - 0.25))


Layers = list[tuple[Field, int]]


def _line(distance: Field, half: float) -> Field:
    return smoothstep(half + 0.012, half - 0.012, np.abs(distance))


def _star(u: Field, v: Field) -> Layers:
    """An eight-pointed star, a band around it, quarter stars in the corners."""

    def eight(a: Field, b: Field) -> Field:
        a, b = np.abs(a), np.abs(b)
        return np.minimum(np.maximum(a, b), (a + b) * np.float32(0.7071))

    middle, corner = eight(u, v), eight(1 - np.abs(u), 1 - np.abs(v))
    band = np.abs(np.abs(u) + np.abs(v) - 1)
    return [
        (smoothstep(0.3, 0.28, corner), 3),
        (_line(band, 0.09), 1),
        (_line(band, 0.03), 0),
        (smoothstep(0.56, 0.54, middle), 1),
        (smoothstep(0.47, 0.45, middle), 0),
        (smoothstep(0.4, 0.38, middle), 2),
        (smoothstep(0.26, 0.24, middle), 1),
        (smoothstep(0.12, 0.1, middle), 0),
    ]


def _flower(u: Field, v: Field) -> Layers:
    """A rosette with leaves on the diagonals, arcs that meet across the joints."""
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    petals = radius - 0.42 - 0.13 * np.cos(8 * angle)
    leaf = np.hypot((np.abs(u) + np.abs(v)) * 0.7071 - 0.78, (np.abs(u) - np.abs(v)) * 1.9) - 0.25
    arcs = np.hypot(1 - np.abs(u), 1 - np.abs(v))
    return [
        (_line(arcs - 0.42, 0.05), 1),
        (_line(arcs - 0.28, 0.02), 3),
        (smoothstep(0.02, 0, leaf), 2),
        (_line(leaf + 0.12, 0.015), 0),
        (smoothstep(0.02, 0, petals), 1),
        (smoothstep(0.02, 0, petals + 0.16), 3),
        (smoothstep(0.02, 0, petals + 0.24), 1),
        (smoothstep(0.13, 0.11, radius), 0),
    ]


def _scales(u: Field, v: Field) -> Layers:
    """Rows of overlapping fish scales; the fans repeat twice within a tile."""
    layers: Layers = []
    for shift in (0.0, 0.5):
        across = np.mod(u + shift, 1) - 0.5
        down = np.mod(v + 2 * shift * 0.5, 1)
        radius = np.hypot(across, down)
        fan = smoothstep(0.5, 0.485, radius)
        ribs = 0.5 + 0.5 * np.cos(np.arctan2(across, down) * 18)
        layers += [
            (fan, 0),
            (fan * smoothstep(0.46, 0.44, radius) * (0.35 + 0.6 * ribs), 1),
            (_line(radius - 0.3, 0.035) * fan, 2),
            (_line(radius - 0.47, 0.018), 3),
            (smoothstep(0.13, 0.11, radius), 3),
        ]
    return layers


def _cube(u: Field, v: Field) -> Layers:
    """Interlocking frames around turned squares."""
    turned = np.abs(u) + np.abs(v)
    square = np.maximum(np.abs(u), np.abs(v))
    half = (np.mod(np.arctan2(v, u) + np.pi / 4, np.pi) < np.pi / 2).astype(np.float32)
    return [
        (smoothstep(0.98, 0.96, turned), 1),
        (smoothstep(0.86, 0.84, turned), 3),
        (smoothstep(0.86, 0.84, turned) * half, 2),
        (smoothstep(0.46, 0.44, square), 0),
        (_line(square - 0.4, 0.02), 1),
        (smoothstep(0.3, 0.28, turned), 1),
        (smoothstep(0.16, 0.14, turned), 3),
        (smoothstep(0.42, 0.4, (1 - np.abs(u)) + (1 - np.abs(v))), 2),
        (smoothstep(0.24, 0.22, (1 - np.abs(u)) + (1 - np.abs(v))), 3),
    ]


def _lace(u: Field, v: Field) -> Layers:
    """White scrolls on a dark ground."""
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    corner, turn = np.hypot(1 - np.abs(u), 1 - np.abs(v)), np.arctan2(1 - np.abs(v), 1 - np.abs(u))
    wave = radius - 0.55 - 0.1 * np.cos(12 * angle)
    return [
        (_line(wave, 0.03), 1),
        (_line(radius - 0.38 - 0.05 * np.cos(12 * angle + 3.14), 0.022), 2),
        (smoothstep(0.02, 0, radius - 0.2 - 0.1 * np.cos(6 * angle)), 1),
        (smoothstep(0.09, 0.07, radius), 3),
        (_line(corner - 0.4 - 0.06 * np.cos(16 * turn), 0.028), 1),
        (_line(corner - 0.25, 0.02), 2),
        (smoothstep(0.14, 0.12, corner), 3),
        (smoothstep(0.88, 0.95, np.cos(12 * angle)) * _line(radius - 0.76, 0.035), 1),
    ]


DESIGNS: dict[str, Callable[[Field, Field], Layers]] = {
    "star": _star,
    "flower": _flower,
    "scales": _scales,
    "cube": _cube,
    "lace": _lace,
}
