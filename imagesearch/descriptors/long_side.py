"""The network input of descriptors that keep a picture's aspect ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imagesearch.pictures.decode import OVERSAMPLING, shrunk

MIN_SIDE_PX = 32
"""The least a convolutional map can be computed of; only panoramas beyond 7 to 32 to 1 are squeezed by it."""


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
