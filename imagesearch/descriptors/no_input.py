"""The network input where there is no network: descriptors of local features need none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class NoInput:
    """An `InputPlan` that asks for nothing."""

    def least_scale(self, width: float, height: float) -> float:
        """See `InputPlan`."""
        return 0.0

    def prepare(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Returns shape=(0, 0, 3)."""
        return np.empty((0, 0, 3), np.uint8)
