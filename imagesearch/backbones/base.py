"""What the rest of the program knows of a network: its card, its identity, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal, Protocol

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


Interpolation = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]


@dataclass(frozen=True, slots=True)
class NetworkInput:
    """How a picture becomes the input that stands for the whole of it; `pictures.plans` does it.

    Mean, scale, channel order and layout are no part of it: they belong to the served graph.
    """

    size_px: int
    """Height and width."""
    fit: Literal["squash", "crop"] = "squash"
    """How a picture of another shape comes to be square: "squash" gives up its aspect ratio, "crop" scales
    its short side to `short_side_px` and cuts the square out of the centre."""
    short_side_px: int = 0
    """Of the picture that a "crop" is cut out of; at least `size_px`."""
    interpolation: Interpolation = "bicubic"


@dataclass(frozen=True, slots=True)
class ConvMap:
    """The last convolutional map, an output that some networks have, of pictures of any size."""

    output: str
    """Its name, such as "conv5"; that of its graph's files, too."""
    stride_px: int
    """Pixels from one cell of the map to the next."""
    long_side_px: int
    """Of the pictures that pooled descriptors are best made of; see docs/quality.md."""


TEXT_OUTPUT = "text"
"""Name of a text tower's graph."""


@dataclass(frozen=True, slots=True)
class TextTower:
    """Words described in the space of the pictures, an output that some networks have."""

    max_tokens: int
    """T, tokens that its graph takes: shorter texts are padded, longer ones cut."""
    pad_id: int
    """The token that pads."""


@dataclass(frozen=True, slots=True)
class Card:
    """A network, described: all that differs between networks, but for how they are made and converted."""

    name: str
    """What INDEXER_MODEL calls it, or the name of the folder that it came in."""
    title: str
    """Its name for people, and in brackets what it has learnt from."""
    licence: str
    source: str
    digest: str
    """Of its published weights' file: the hash function and the hexadecimal digest, such as "md5:6437…"; of a
    folder's files."""
    preprocessing: str
    """Version of the way from pixels to network input; changes with `input` and with how that is prepared."""
    input: NetworkInput
    descriptor: str
    """The output that stands for a whole picture: "fc6" or "embedding". Name of the descriptor that is made
    of it, and of its graph's files, too."""
    conv_map: ConvMap | None = None
    """None for a network without one."""
    text: TextTower | None = None
    """None for a network without one."""
    precision: Precision = Precision.AUTO
    """What `auto` takes for it: f32 where bf16 was measured to cost results."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of all graphs that are served."""
        conv_map = (self.conv_map.output,) if self.conv_map else ()
        return (self.descriptor, *conv_map, *((TEXT_OUTPUT,) if self.text else ()))


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """What a descriptor depends on besides the picture; two stores with the same identity are comparable."""

    name: str
    """The card's."""
    digest: str
    """SHA-256 of the weights' file, hexadecimal."""
    preprocessing: str
    """Version of the way from pixels to network input, the card's."""
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
    """A network behind a runtime. Thread-safe."""

    @property
    def card(self) -> Card: ...

    @property
    def identity(self) -> ModelIdentity: ...

    @property
    def precision(self) -> Precision:
        """F32, BF16 or INT8, never AUTO."""
        ...

    @property
    def dim(self) -> int:
        """D, values of what `embed` returns of a picture."""
        ...

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The output that the card names `descriptor`: one vector for a whole picture.

        images: shape=(B, S, S, 3), dtype=uint8, RGB, S = card.input.size_px. Returns shape=(B, D),
        dtype=float32, not normalised.
        """
        ...

    def conv_map(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The output that the card names `conv_map`; only called where there is one.

        images: shape=(B, H, W, 3), dtype=uint8, RGB, any H and W from 32 up. Returns shape=(B, h, w, C),
        dtype=float32, >= 0, with h and w those of the input over the map's stride, rounded up or down.
        """
        ...

    def embed_text(self, text: str) -> NDArray[np.float32]:
        """What the card's text tower makes of words; only called where there is one. Returns shape=(D,),
        dtype=float32, not normalised."""
        ...
