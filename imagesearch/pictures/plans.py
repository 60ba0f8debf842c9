"""How pixels become network input: input plans run in the decoding processes, before any network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imagesearch.backbones.base import Interpolation, NetworkInput

OVERSAMPLING = 3.0
"""Pixels to be had for one of the network's, in each direction, where a picture is scaled down in two steps.
From here up the descriptor is that of one step: see docs/decisions/scaled-decoding.md."""
MIN_SIDE_PX = 32
"""The least a convolutional map can be computed of; only panoramas beyond 7 to 32 to 1 are squeezed by it."""


class InputPlan(Protocol):
    """How pixels become network input. Picklable and cheap: it runs in the decoding processes."""

    def least_scale(self, width: float, height: float) -> float:
        """The factor by which a picture of this size may be scaled down before `prepare` without changing its
        descriptor; 1 or more where it must stay as it is."""
        ...

    def prepare(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """rgb: shape=(H, W, 3), dtype=uint8, upright. Returns shape=(h, w, 3), dtype=uint8."""
        ...


@dataclass(frozen=True, slots=True)
class SquareInput:
    """The whole picture squeezed into a square, its aspect ratio given up. An `InputPlan`."""

    size_px: int
    interpolation: Interpolation = "bicubic"

    def least_scale(self, width: float, height: float) -> float:
        """See `InputPlan`."""
        return OVERSAMPLING * self.size_px / min(width, height)

    def prepare(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """rgb: shape=(H, W, 3). Returns shape=(size_px, size_px, 3), antialiased."""
        return np.array(shrunk(Image.fromarray(rgb), (self.size_px, self.size_px), self.interpolation))


@dataclass(frozen=True, slots=True)
class CroppedInput:
    """A square out of the picture's centre, its short side scaled first. An `InputPlan`."""

    size_px: int
    short_side_px: int
    """Of the scaled picture; at least `size_px`."""
    interpolation: Interpolation

    def least_scale(self, width: float, height: float) -> float:
        """See `InputPlan`."""
        return OVERSAMPLING * self.short_side_px / min(width, height)

    def prepare(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """rgb: shape=(H, W, 3). Returns shape=(size_px, size_px, 3), antialiased."""
        height, width, _ = rgb.shape
        left, right = self._cut(width, min(height, width))
        top, bottom = self._cut(height, min(height, width))
        size = (self.size_px, self.size_px)
        return np.array(shrunk(Image.fromarray(rgb), size, self.interpolation, (left, top, right, bottom)))

    def _cut(self, length: int, short: int) -> tuple[float, float]:
        """Of one side the part that is shown, in pixels of the picture: whole pixels of the scaled one."""
        scaled = self.short_side_px * length // short
        start = (scaled - self.size_px) // 2
        return start * length / scaled, (start + self.size_px) * length / scaled


@dataclass(frozen=True, slots=True)
class LongSideInput:
    """The whole picture scaled so that its long side has a given length. An `InputPlan`."""

    long_side_px: int
    """Small pictures are scaled up, too: networks see an object best at the size they were trained on."""

    def least_scale(self, width: float, height: float) -> float:
        """See `InputPlan`."""
        return OVERSAMPLING * self.long_side_px / max(width, height)

    def prepare(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """rgb: shape=(H, W, 3). Returns shape=(h, w, 3), bicubic, antialiased, both sides >= MIN_SIDE_PX."""
        height, width, _ = rgb.shape
        factor = self.long_side_px / max(height, width)
        size = (max(MIN_SIDE_PX, round(width * factor)), max(MIN_SIDE_PX, round(height * factor)))
        return np.array(shrunk(Image.fromarray(rgb), size))


@dataclass(frozen=True, slots=True)
class NoInput:
    """An `InputPlan` that asks for nothing."""

    def least_scale(self, width: float, height: float) -> float:
        """See `InputPlan`."""
        return 0.0

    def prepare(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Returns shape=(0, 0, 3)."""
        return np.empty((0, 0, 3), np.uint8)


def plan_for(network_input: NetworkInput) -> InputPlan:
    """The plan that prepares pictures as a network's card asks for."""
    size_px, interpolation = network_input.size_px, network_input.interpolation
    if network_input.fit == "crop":
        return CroppedInput(size_px, network_input.short_side_px, interpolation)
    return SquareInput(size_px, interpolation)


def shrunk(
    image: Image.Image,
    size: tuple[int, int],
    interpolation: Interpolation = "bicubic",
    box: tuple[float, float, float, float] | None = None,
) -> Image.Image:
    """Antialiased; what is far too large is brought near by averages of whole pixels first.

    box: the part to scale: left, top, right, bottom in pixels; None for the whole.
    """
    return image.resize(size, Image.Resampling[interpolation.upper()], box, reducing_gap=OVERSAMPLING)
