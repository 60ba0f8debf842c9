"""The kinds of sample pictures, one module each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from samples.canvas import Field, Size
from samples.scenes import blossoms, forests, fruit, lighthouses, planets, sailboats, tiles, vases

Look = TypeVar("Look")


@dataclass(frozen=True, slots=True)
class Kind:
    """What one module draws: `instances` scenes that differ in palette and layout."""

    instances: int
    draw: Callable[[int, np.random.Generator, Size], Field]
    """Instance (from 0), source of chance and size in pixels to a picture as in `samples.canvas`."""


def _kind(looks: Sequence[Look], draw: Callable[[Look, np.random.Generator, Size], Field]) -> Kind:
    return Kind(len(looks), lambda instance, rng, size: draw(looks[instance], rng, size))


KINDS = {
    "blossoms": _kind(blossoms.LOOKS, blossoms.draw),
    "forests": _kind(forests.LOOKS, forests.draw),
    "fruit": _kind(fruit.LOOKS, fruit.draw),
    "lighthouses": _kind(lighthouses.LOOKS, lighthouses.draw),
    "planets": _kind(planets.LOOKS, planets.draw),
    "sailboats": _kind(sailboats.LOOKS, sailboats.draw),
    "tiles": _kind(tiles.LOOKS, tiles.draw),
    "vases": _kind(vases.LOOKS, vases.draw),
}
