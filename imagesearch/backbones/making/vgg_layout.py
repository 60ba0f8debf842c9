"""Networks of VGG's layout, as their weights' files hold them."""

from __future__ import annotations

from dataclasses import dataclass

from imagesearch.backbones.making.layout import Layout


@dataclass(frozen=True, slots=True)
class VggLayout(Layout):
    """A network of VGG's layout (Simonyan & Zisserman 2015) up to its first fully connected layer.

    Blocks of 3x3 convolutions with ReLU, 2x2 max pooling after each block, one fully connected layer with
    ReLU.
    """

    block_widths: tuple[int, ...]
    """Channels of each block."""
    block_depths: tuple[int, ...]
    """Convolutions in each block."""
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
        map_size = self.input_size_px >> len(self.block_widths)
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
    fc6_layer="fc1",
    fc6_dim=4096,
    input_size_px=224,
    mean_rgb=(123.68, 116.779, 103.939),
    scale=1.0,
    channel_order="bgr",
    file_suffix=".h5",
)
