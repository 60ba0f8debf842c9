"""Networks of VGG's layout in Keras, with all weights zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from imagesearch.backbones.making.vgg_layout import GEM_FLOOR, GEM_POWER, VggLayout

Layer = Callable[[Any], Any]
"""From symbolic maps to symbolic maps."""


def conv_relu(name: str, width: int) -> Layer:
    """A 3x3 convolution and its ReLU."""
    layer: Layer = keras.layers.Conv2D(
        width, 3, padding="same", activation="relu", kernel_initializer="zeros", name=name
    )
    return layer


def convolutions(layout: VggLayout, unit: Callable[[str, int], Layer] = conv_relu) -> keras.Model:
    """From pictures of any size to the last map.

    unit: makes the layers of one convolution from its name and its output channels.
    """
    pixels = keras.Input((None, None, 3), name="pixels")
    maps = pixels
    for name, _, width in layout.conv_layers():
        if name.endswith("_conv1") and name != "block1_conv1":
            maps = keras.layers.MaxPooling2D(2, name=f"pool_before_{name}")(maps)
        maps = unit(name, width)(maps)
    return keras.Model(pixels, maps, name="convolutions")


def descriptor(layout: VggLayout, maps: Any) -> Any:
    """fc6. maps: of the last convolution."""
    return fc6(layout)(head(layout, maps))


def fc6(layout: VggLayout) -> keras.Layer:
    """The fully connected layer and its ReLU."""
    return keras.layers.Dense(
        layout.fc6_dim, activation="relu", kernel_initializer="zeros", name=layout.fc6_layer
    )


def head(layout: VggLayout, maps: Any) -> Any:
    """The vector that fc6 takes. maps: of the last convolution."""
    if layout.pool_after_last_block:
        maps = keras.layers.MaxPooling2D(2, name="pool_after_last_block")(maps)
    if layout.head == "flatten":
        return keras.layers.Flatten(name="flatten")(maps)
    return gem(maps)


def gem(maps: Any) -> Any:
    """Generalised mean over the map, (B, H, W, C) to (B, C). Radenović et al. 2018, equation 3."""
    powers = keras.ops.power(keras.ops.maximum(maps, GEM_FLOOR), GEM_POWER)
    return keras.ops.power(keras.ops.mean(powers, axis=(1, 2)), 1 / GEM_POWER)
