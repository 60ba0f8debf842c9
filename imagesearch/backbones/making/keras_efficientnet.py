"""EfficientNet-Lite in Keras, with all weights zero."""

from __future__ import annotations

from typing import Any

import keras

from imagesearch.backbones.making.efficientnet_layout import Block, EfficientNetLayout


def convolutions(layout: EfficientNetLayout) -> keras.Model:
    """From pictures of any size to the last map, a 32nd of them."""
    pixels = keras.Input((None, None, 3), name="pixels")
    maps = _convolution("stem", layout.stem_width, 3, stride=2)(pixels)
    for block in layout.blocks():
        maps = _block(block, maps)
    maps = _convolution("head", layout.head_width, 1)(maps)
    return keras.Model(pixels, maps, name="convolutions")


def descriptor(_: EfficientNetLayout, maps: Any) -> Any:
    """The embedding: the mean over the map, (B, H, W, C) to (B, C)."""
    return keras.ops.mean(maps, axis=(1, 2))


def _block(block: Block, inputs: Any) -> Any:
    maps = inputs
    if block.expansion > 1:
        maps = _convolution(f"{block.name}_expand", block.wide, 1)(maps)
    maps = keras.layers.DepthwiseConv2D(
        block.kernel_px,
        block.stride,
        padding="same",
        activation="relu6",
        depthwise_initializer="zeros",
        name=f"{block.name}_depthwise",
    )(maps)
    maps = _convolution(f"{block.name}_project", block.outputs, 1, activation=None)(maps)
    return keras.layers.Add(name=f"{block.name}_add")([inputs, maps]) if block.has_shortcut else maps


def _convolution(
    name: str, width: int, kernel_px: int, stride: int = 1, activation: str | None = "relu6"
) -> keras.layers.Conv2D:
    return keras.layers.Conv2D(
        width,
        kernel_px,
        stride,
        padding="same",
        activation=activation,
        kernel_initializer="zeros",
        name=name,
    )
