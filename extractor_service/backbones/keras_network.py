"""From a description and its weights to a Keras network: the one module here that imports TensorFlow."""

from __future__ import annotations

from typing import Any

import keras

from extractor_service.backbones.description import GEM_FLOOR, GEM_POWER, NetworkDescription
from extractor_service.backbones.weight_files import Weights


def build(description: NetworkDescription, weights: Weights) -> tuple[keras.Model, keras.Model]:
    """The convolutions alone, for pictures of any size, and the whole network up to fc6, sharing weights.

    Both take float32 (B, H, W, 3) in the network's own channel order, mean subtracted and scaled.
    """
    convolutions = _convolutions(description)
    pixels = keras.Input((description.input_size_px, description.input_size_px, 3), name="pixels")
    vector = _head(description, convolutions(pixels))
    fc6 = keras.layers.Dense(
        description.fc6_dim, activation="relu", kernel_initializer="zeros", name=description.fc6_layer
    )
    network = keras.Model(pixels, fc6(vector), name=description.name)
    for layer in [*convolutions.layers, fc6]:
        if layer.weights:
            layer.set_weights([weights[f"{layer.name}/kernel"], weights[f"{layer.name}/bias"]])
    return convolutions, network


def _convolutions(description: NetworkDescription) -> keras.Model:
    pixels = keras.Input((None, None, 3), name="pixels")
    maps = pixels
    for name, _, width in description.conv_layers():
        if name.endswith("_conv1") and name != "block1_conv1":
            maps = keras.layers.MaxPooling2D(2, name=f"pool_before_{name}")(maps)
        maps = keras.layers.Conv2D(
            width, 3, padding="same", activation="relu", kernel_initializer="zeros", name=name
        )(maps)
    return keras.Model(pixels, maps, name="convolutions")


def _head(description: NetworkDescription, maps: Any) -> Any:
    if description.pool_after_last_block:
        maps = keras.layers.MaxPooling2D(2, name="pool_after_last_block")(maps)
    if description.head == "flatten":
        return keras.layers.Flatten(name="flatten")(maps)
    powers = keras.ops.power(keras.ops.maximum(maps, GEM_FLOOR), GEM_POWER)
    return keras.ops.power(keras.ops.mean(powers, axis=(1, 2)), 1 / GEM_POWER)
