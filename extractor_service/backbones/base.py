"""What the rest of the service knows of a network."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Precision(StrEnum):
    """The arithmetic of the network. AUTO is bf16 where the processor has it in hardware, else f32."""

    AUTO = "auto"
    F32 = "f32"
    BF16 = "bf16"


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """What a descriptor depends on besides the picture; two stores with the same identity are comparable."""

    name: str
    """Such as "vgg16"."""
    digest: str
    """SHA-256 of the weights' file, hexadecimal."""
    preprocessing: str
    """Version of the way from pixels to network input, such as "keras-vgg16-224-bicubic-1"."""


class Backbone(Protocol):
    """A convolutional network behind a runtime. Thread-safe."""

    @property
    def identity(self) -> ModelIdentity: ...

    @property
    def precision(self) -> Precision:
        """F32 or BF16, never AUTO."""
        ...

    @property
    def input_size_px(self) -> int:
        """Height and width of the input that `fc6` takes."""
        ...

    @property
    def fc6_dim(self) -> int: ...

    def fc6(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """First fully connected layer after its ReLU.

        images: shape=(B, S, S, 3), dtype=uint8, RGB, S = input_size_px. Mean subtraction, scaling and
        channel order belong to the network. Returns shape=(B, D), dtype=float32, >= 0, not normalised.
        """
        ...

    def conv_map(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Last convolutional map after its ReLU, before any pooling.

        images: shape=(B, H, W, 3), dtype=uint8, RGB, any H and W from 32 up.
        Returns shape=(B, H // 16, W // 16, C), dtype=float32, >= 0.
        """
        ...
