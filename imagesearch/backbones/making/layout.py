"""What conversion and training know of any network, however it is built."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.float32]]
"""Arrays by "layer/kernel" and "layer/bias"; kernels are (height, width, in, out), those of depthwise
convolutions (height, width, in, 1), those of fully connected layers (in, out)."""


@dataclass(frozen=True, slots=True)
class Layout(ABC):
    """Which layers with weights a network has, and how pixels enter it."""

    name: str
    """That of its card."""
    input_size_px: int
    """Height and width of the picture that the descriptor is made of."""
    mean_rgb: tuple[float, float, float]
    """Subtracted from the pixels, 0 to 255, in the order red, green, blue."""
    scale: float
    """The pixels are divided by it after the subtraction."""
    channel_order: Literal["rgb", "bgr"]
    """In which the first convolution takes the channels."""
    file_suffix: str
    """Of the files that training writes; by it a reader tells whose weights they are."""

    @abstractmethod
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every array that makes the network, by "layer/kernel" and "layer/bias"."""

    @property
    @abstractmethod
    def head_layers(self) -> tuple[str, ...]:
        """The layers with weights behind the last map."""
