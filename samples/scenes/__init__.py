"""The kinds of sample pictures, one module each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from samples.canvas import Field, Size
from samples.scenes import (
    balloons,
    blossoms,
    butterflies,
    cabins,
    dunes,
    fish,
    forests,
    fruit,
    leaves,
    lighthouses,
    mountains,
    planets,
    sailboats,
    seas,
    skylines,
    tiles,
    townhouses,
    vases,
)

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
    "balloons": _kind(balloons.LOOKS, balloons.draw),
    "blossoms": _kind(blossoms.LOOKS, blossoms.draw),
    "butterflies": _kind(butterflies.LOOKS, butterflies.draw),
    "cabins": _kind(cabins.LOOKS, cabins.draw),
    "dunes": _kind(dunes.LOOKS, dunes.draw),
    "fish": _kind(fish.LOOKS, fish.draw),
    "forests": _kind(forests.LOOKS, forests.draw),
    "fruit": _kind(fruit.LOOKS, fruit.draw),
    "leaves": _kind(leaves.LOOKS, leaves.draw),
    "lighthouses": _kind(lighthouses.LOOKS, lighthouses.draw),
    "mountains": _kind(mountains.LOOKS, mountains.draw),
    "planets": _kind(planets.LOOKS, planets.draw),
    "sailboats": _kind(sailboats.LOOKS, sailboats.draw),
    "seas": _kind(seas.LOOKS, seas.draw),
    "skylines": _kind(skylines.LOOKS, skylines.draw),
    "tiles": _kind(tiles.LOOKS, tiles.draw),
    "townhouses": _kind(townhouses.LOOKS, townhouses.draw),
    "vases": _kind(vases.LOOKS, vases.draw),
}
