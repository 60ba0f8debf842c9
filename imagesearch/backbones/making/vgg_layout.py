"""Networks of VGG's layout, as their weights' files hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from imagesearch.backbones.making.layout import Layout

GEM_POWER = 3.0  # Radenović et al. 2018, section 3.2: a fixed p = 3 does as well as a learned one
GEM_FLOOR = 1e-6  # keeps the root's gradient finite; the compact network was trained with it


@dataclass(frozen=True, slots=True)
class VggLayout(Layout):
    """A network of VGG's layout (Simonyan & Zisserman 2015) up to its first fully connected layer.

    Blocks of 3x3 convolutions with ReLU, 2x2 max pooling after each block, a head that turns the last
    map into a vector, one fully connected layer with ReLU.
    """

    block_widths: tuple[int, ...]
    """Channels of each block."""
    block_depths: tuple[int, ...]
    """Convolutions in each block."""
    pool_after_last_block: bool
    head: Literal["flatten", "gem"]
    fc6_layer: str
    """The fully connected layer's name in the weights' file."""
    fc6_dim: int

    def conv_layers(self) -> list[tuple[str, int, int]]:
        """Name, input channels and output channels of each convolution, first to last."""
        layers = []
        channels = 3
        for block, (width, depth) in enumerate(
            zip(self.block_widths, self.block_depths, strict=True), start=1
        ):
            for conv in range(1, depth + 1):
                layers.append((f"block{block}_conv{conv}", channels, width))
                channels = width
        return layers

    @property
    def head_dim(self) -> int:
        """Length of the vector that the fully connected layer takes."""
        if self.head == "gem":
            return self.block_widths[-1]
        poolings = len(self.block_widths) - (0 if self.pool_after_last_block else 1)
        map_size = self.input_size_px >> poolings
        return map_size * map_size * self.block_widths[-1]

    @property
    def head_layers(self) -> tuple[str, ...]:
        """See `Layout`."""
        return (self.fc6_layer,)

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """See `Layout`."""
        shapes: dict[str, tuple[int, ...]] = {}
        for name, inputs, outputs in self.conv_layers():
            shapes[f"{name}/kernel"] = (3, 3, inputs, outputs)
            shapes[f"{name}/bias"] = (outputs,)
        shapes[f"{self.fc6_layer}/kernel"] = (self.head_dim, self.fc6_dim)
        shapes[f"{self.fc6_layer}/bias"] = (self.fc6_dim,)
        return shapes


VGG16_LAYOUT = VggLayout(
    name="vgg16",
    block_widths=(64, 128, 256, 512, 512),
    block_depths=(2, 2, 3, 3, 3),
    pool_after_last_block=True,
    head="flatten",
    fc6_layer="fc1",
    fc6_dim=4096,
    input_size_px=224,
    mean_rgb=(123.68, 116.779, 103.939),
    scale=1.0,
    channel_order="bgr",
)

COMPACT_LAYOUT = VggLayout(
    name="compact",
    block_widths=(32, 64, 128, 256, 320),
    block_depths=(2, 2, 3, 3, 3),
    pool_after_last_block=False,
    head="gem",
    fc6_layer="fc6",
    fc6_dim=512,
    input_size_px=96,
    mean_rgb=(123.0, 117.0, 104.0),
    scale=58.0,
    channel_order="rgb",
)
