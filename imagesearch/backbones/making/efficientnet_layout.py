"""EfficientNet-Lite, as its convolutions follow one another, and its weights from PyTorch's names to ours.

Tan & Le 2019, "EfficientNet", table 1, without squeeze-and-excitation, with ReLU6 in place of swish, and with
the stem and the head not scaled. Each batch normalisation is folded into the convolution before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np

from imagesearch.backbones.making.layout import Layout, Weights
from imagesearch.backbones.making.torch_weights import Tensors

NORMALISATION_EPSILON = 1e-3


@dataclass(frozen=True, slots=True)
class Block:
    """An inverted residual: 1x1 to more channels, one k x k for each of them, 1x1 to fewer (Sandler et al.
    2018, figure 3)."""

    name: str
    inputs: int
    kernel_px: int
    stride: int
    expansion: int
    """How many times the inputs the channels in between are; 1: without the first convolution."""
    outputs: int

    @property
    def wide(self) -> int:
        """Channels in between."""
        return self.inputs * self.expansion

    @property
    def has_shortcut(self) -> bool:
        return self.stride == 1 and self.inputs == self.outputs


@dataclass(frozen=True, slots=True)
class EfficientNetLayout(Layout):
    """A stem, stages of blocks, and a head that makes the last map; the descriptor is the mean of that."""

    stem_width: int
    stages: tuple[tuple[int, int, int, int, int], ...]
    """Of each: kernel in pixels, stride of its first block, expansion, output channels, blocks."""
    head_width: int

    @property
    def head_layers(self) -> tuple[str, ...]:
        """See `Layout`."""
        return ()

    def blocks(self) -> list[Block]:
        found: list[Block] = []
        channels = self.stem_width
        for stage, (kernel_px, stride, expansion, width, count) in enumerate(self.stages, start=1):
            for number in range(count):
                name = f"block{stage}{ascii_lowercase[number]}"
                found.append(Block(name, channels, kernel_px, 1 if number else stride, expansion, width))
                channels = width
        return found

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """See `Layout`."""
        kernels: dict[str, tuple[int, ...]] = {"stem": (3, 3, 3, self.stem_width)}
        for block in self.blocks():
            if block.expansion > 1:
                kernels[f"{block.name}_expand"] = (1, 1, block.inputs, block.wide)
            kernels[f"{block.name}_depthwise"] = (block.kernel_px, block.kernel_px, block.wide, 1)
            kernels[f"{block.name}_project"] = (1, 1, block.wide, block.outputs)
        kernels["head"] = (1, 1, self.stages[-1][3], self.head_width)
        shapes: dict[str, tuple[int, ...]] = {}
        for name, kernel in kernels.items():
            shapes[f"{name}/kernel"] = kernel
            shapes[f"{name}/bias"] = (kernel[2] if name.endswith("_depthwise") else kernel[3],)
        return shapes


EFFICIENTNET_LITE0_LAYOUT = EfficientNetLayout(
    name="efficientnet-lite0",
    stem_width=32,
    stages=(
        (3, 1, 1, 16, 1),
        (3, 2, 6, 24, 2),
        (5, 2, 6, 40, 2),
        (3, 2, 6, 80, 3),
        (5, 1, 6, 112, 3),
        (5, 2, 6, 192, 4),
        (3, 1, 6, 320, 1),
    ),
    head_width=1280,
    input_size_px=224,
    mean_rgb=(127.0, 127.0, 127.0),
    scale=128.0,
    channel_order="rgb",
    file_suffix=".npz",
)


def weights_of(layout: EfficientNetLayout, tensors: Tensors) -> Weights:
    """tensors: by the names of the published PyTorch port. Raises LookupError or ValueError where they are
    another network's."""
    weights: Weights = {}
    for name, (convolution, normalisation) in _torch_names(layout).items():
        kernel = tensors[f"{convolution}.weight"].astype(np.float64)
        gain, shift, mean, variance = (
            tensors[f"{normalisation}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        with np.errstate(invalid="ignore"):  # what comes out as no number is refused later, by name
            factor = gain / np.sqrt(variance + NORMALISATION_EPSILON)
        folded = kernel * factor[:, np.newaxis, np.newaxis, np.newaxis]
        axes = (2, 3, 0, 1) if name.endswith("_depthwise") else (2, 3, 1, 0)
        weights[f"{name}/kernel"] = folded.transpose(axes).astype(np.float32)
        weights[f"{name}/bias"] = (shift - mean * factor).astype(np.float32)
    return weights


def _torch_names(layout: EfficientNetLayout) -> dict[str, tuple[str, str]]:
    """Convolution and batch normalisation of each of our layers."""
    names = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
    for number, block in enumerate(layout.blocks()):
        for part, normalisation in (("expand", "_bn0"), ("depthwise", "_bn1"), ("project", "_bn2")):
            if part != "expand" or block.expansion > 1:
                prefix = f"_blocks.{number}"
                names[f"{block.name}_{part}"] = (f"{prefix}._{part}_conv", f"{prefix}.{normalisation}")
    return names
