"""The local features of one picture, held compactly: 136 bytes a feature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

POSITION_STEPS_PER_PX = 16
"""Positions are kept to 1/16 pixel: detectors locate a feature to a tenth of a pixel at best."""

ORIENTATION_STEPS = 65_536
"""A full turn in the steps of an uint16."""

DESCRIPTOR_SCALE = 512.0
"""A RootSIFT value v in [0, 1] is kept as min(255, round(512 v)). Values above 0.5 mean that a quarter of all
gradients fell into one of 128 bins; they are rare and clipped."""

DIM = 128


@dataclass(frozen=True, slots=True)
class LocalFeatures:
    """N features of one picture in descending order of the detector's response."""

    width_px: int
    height_px: int
    """Size of the picture the features were found in, after bounding; positions are in its pixels."""
    positions: NDArray[np.uint16]
    """shape=(N, 2): x and y of the centres in 1/16 pixel."""
    scales: NDArray[np.float16]
    """shape=(N,): diameter of the meaningful neighbourhood in pixels."""
    orientations: NDArray[np.uint16]
    """shape=(N,): clockwise from the x axis, in 1/65536 of a turn; all 0 for upright features."""
    descriptors: NDArray[np.uint8]
    """shape=(N, 128): RootSIFT times 512."""

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def positions_px(self) -> NDArray[np.float32]:
        """shape=(N, 2), x and y in pixels."""
        return self.positions.astype(np.float32) * np.float32(1 / POSITION_STEPS_PER_PX)

    @property
    def root_sift(self) -> NDArray[np.float32]:
        """shape=(N, 128), rows L2-normalised but for the rounding (within 1%); an all-zero row stays zero."""
        return self.descriptors.astype(np.float32) * np.float32(1 / DESCRIPTOR_SCALE)

    def first(self, count: int) -> LocalFeatures:
        """The `count` features of strongest response."""
        return LocalFeatures(
            self.width_px,
            self.height_px,
            self.positions[:count],
            self.scales[:count],
            self.orientations[:count],
            self.descriptors[:count],
        )
