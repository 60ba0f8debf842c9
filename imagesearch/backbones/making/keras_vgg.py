"""Networks of VGG's layout in Keras, with all weights zero."""

from __future__ import annotations

from typing import Any

import keras

from imagesearch.backbones.making.vgg_layout import VggLayout


def convolutions(layout: VggLayout) -> keras.Model:
    """From pictures of any size to the last map, a 16th of them."""
    pixels = keras.Input((None, None, 3), name="pixels")
    maps = pixels
    for name, _, width in layout.conv_layers():
        if name.endswith("_conv1") and name != "block1_conv1":
            maps = keras.layers.MaxPooling2D(2, name=f"pool_before_{name}")(maps)
        maps = keras.layers.Conv2D(
            width, 3, padding="same", activation="relu", kernel_initializer="zeros", name=name
        )(maps)
    return keras.Model(pixels, maps, name="convolutions")


def descriptor(layout: VggLayout, maps: Any) -> Any:
    """fc6: the first fully connected layer, after its ReLU."""
    pooled = keras.layers.MaxPooling2D(2, name="pool_after_last_block")(maps)
    vector = keras.layers.Flatten(name="flatten")(pooled)
    return keras.layers.Dense(
        layout.fc6_dim, activation="relu", kernel_initializer="zeros", name=layout.fc6_layer
    )(vector)
