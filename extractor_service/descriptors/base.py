"""From network input to descriptor: the seam behind which every global descriptor lives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class InputPlan(Protocol):
    """How pixels become network input. Picklable and cheap: it runs in the decoding processes."""

    def least_scale(self, width: float, height: float) -> float:
        """The factor by which a picture of this size may be scaled down before `prepare` without changing its
        descriptor; 1 or more where it must stay as it is."""
        ...

    def prepare(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """rgb: shape=(H, W, 3), dtype=uint8, upright. Returns shape=(h, w, 3), dtype=uint8."""
        ...


class Descriptor(Protocol):
    """One kind of global descriptor. Thread-safe."""

    @property
    def name(self) -> str:
        """Such as "fc6"."""
        ...

    @property
    def dim(self) -> int: ...

    @property
    def input_plan(self) -> InputPlan: ...

    def describe(self, inputs: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """inputs: B arrays as `input_plan` prepares them. Returns shape=(B, D), rows L2-normalised.

        A row whose network output is all zero stays zero: it is as far from everything as from nothing.
        """
        ...
