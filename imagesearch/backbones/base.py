"""What the rest of the service knows of a network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Precision(StrEnum):
    """The arithmetic of the network. AUTO is bf16 where the processor has it in hardware, else f32.

    F32 and BF16 are two ways to compute one network; INT8 takes another form of it, see `quantisation`.
    """

    AUTO = "auto"
    F32 = "f32"
    BF16 = "bf16"
    INT8 = "int8"


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """What a descriptor depends on besides the picture; two stores with the same identity are comparable."""

    name: str
    """Such as "vgg16"."""
    digest: str
    """SHA-256 of the weights' file, hexadecimal."""
    preprocessing: str
    """Version of the way from pixels to network input, such as "keras-vgg16-224-bicubic-2"."""
    quantisation: str = ""
    """SHA-256 of the int8 form of the network, which depends on the photos it was calibrated with; empty for
    the network itself."""

    @property
    def unquantised(self) -> ModelIdentity:
        """The network itself."""
        return replace(self, quantisation="")


@dataclass(frozen=True, slots=True)
class Int8Quality:
    """How near the int8 form of a network comes to f32, on photos that it was not calibrated with."""

    cosine: float
    """Of a photo's descriptor in int8 to the same in f32; the mean, -1 to 1."""
    overlap_at_10: float
    """Share of a photo's ten nearest in f32 that are among its ten nearest in int8; the mean, 0 to 1."""
    photos: int
    """How many it was measured on."""


class Backbone(Protocol):
    """A convolutional network behind a runtime. Thread-safe."""

    @property
    def identity(self) -> ModelIdentity: ...

    @property
    def precision(self) -> Precision:
        """F32, BF16 or INT8, never AUTO."""
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
