"""Outlines and veins of leaves on the unit square: tip up, stalk from about (0.5, 0.7) down."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from samples.canvas import Line, Point

Leaf = tuple[list[Point], list[Line]]


def _maple(rng: np.random.Generator) -> Leaf:
    """Five pointed lobes, each with two side teeth."""
    centre = (0.5, 0.66)
    lobes = ((-1.95, 0.3), (-1.0, 0.48), (0.0, 0.62), (1.0, 0.48), (1.95, 0.3))
    half_lobe = ((-0.34, 0.5), (-0.27, 0.78), (-0.12, 0.72))
    lobe = (*half_lobe, (0.0, 1.0), *[(-turn, share) for turn, share in half_lobe[::-1]], (0.48, 0.34))
    rim: list[Point] = []
    veins: list[Line] = []
    for angle, length in lobes:
        reach = length * float(rng.uniform(0.93, 1.05))
        rim += [_out(centre, angle + turn, reach * share) for turn, share in lobe]
        veins.append(([centre, _out(centre, angle, length * 0.92)], 0.011))
        for side in (-0.24, 0.24):
            fork = _out(centre, angle, length * 0.45), _out(centre, angle + side, length * 0.7)
            veins.append((list(fork), 0.006))
    return rim, veins


def _oak(rng: np.random.Generator) -> Leaf:
    lobes = 0.7 + 0.5 * np.abs(np.sin(5 * np.pi * _ALONG)) ** 0.8
    return _feathered(rng, (0.02, 0.13, 0.19, 0.22, 0.21, 0.17, 0.12, 0.07, 0.015), lobes)


def _birch(rng: np.random.Generator) -> Leaf:
    teeth = 1 + 0.06 * np.abs(np.sin(16 * np.pi * _ALONG))
    return _feathered(rng, (0.0, 0.05, 0.12, 0.19, 0.25, 0.28, 0.27, 0.18, 0.01), teeth)


def _ginkgo(rng: np.random.Generator) -> Leaf:
    """A fan with a notch, veins from the foot."""
    centre = (0.5, 0.76)
    angles = np.linspace(-1.15, 1.15, 61)
    radii = 0.6 * (1 - 0.1 * np.abs(angles)) * (1 + 0.02 * np.sin(19 * angles + rng.uniform(0, 6)))
    radii *= 1 - 0.35 * np.exp(-((angles / 0.05) ** 2))
    rim = [_out(centre, angle, radius) for angle, radius in zip(angles.tolist(), radii.tolist(), strict=True)]
    veins: list[Line] = [([centre, _out(centre, angle, 0.54)], 0.004) for angle in angles[::3].tolist()]
    return [centre, *rim], veins


OUTLINES: dict[str, Callable[[np.random.Generator], Leaf]] = {
    "maple": _maple,
    "oak": _oak,
    "birch": _birch,
    "ginkgo": _ginkgo,
}

_ALONG = np.linspace(0, 1, 121)
"""From the tip of a feathered leaf to its foot."""


def _feathered(rng: np.random.Generator, half_widths: Sequence[float], rim: NDArray[np.float64]) -> Leaf:
    """A leaf with one midrib: half widths from tip to foot, a factor that lobes the rim, side veins."""
    half = np.interp(_ALONG, np.linspace(0, 1, len(half_widths)), half_widths)
    middle = 0.5 + 0.012 * np.sin(7 * _ALONG + rng.uniform(0, 6))
    y = 0.08 + 0.66 * _ALONG
    veins: list[Line] = [(_points(middle[::10], y[::10]), 0.012)]
    for share in np.linspace(0.2, 0.9, 7).tolist():
        reach = 0.9 * float(np.interp(share - 0.1, _ALONG, half))
        root, tip = 0.08 + 0.66 * share, 0.08 + 0.66 * (share - 0.12)
        veins += [([(0.5, root), (0.5 + side * reach, tip)], 0.006) for side in (-1, 1)]
    return _points(middle + half * rim, y) + _points(middle - half * rim, y)[::-1], veins


def _points(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[Point]:
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _out(centre: Point, angle: float, radius: float) -> Point:
    """The point at that distance, the angle clockwise from straight up."""
    return centre[0] + radius * math.sin(angle), centre[1] - radius * math.cos(angle)
