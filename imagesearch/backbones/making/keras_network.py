"""From a layout and its weights to a Keras network."""

from __future__ import annotations

from typing import Any

import keras

from imagesearch.backbones.making import keras_efficientnet, keras_vgg
from imagesearch.backbones.making.efficientnet_layout import EfficientNetLayout
from imagesearch.backbones.making.layout import Layout, Weights
from imagesearch.backbones.making.vgg_layout import VggLayout

_ARCHITECTURES: dict[type[Layout], Any] = {VggLayout: keras_vgg, EfficientNetLayout: keras_efficientnet}


def build(layout: Layout, weights: Weights) -> tuple[keras.Model, keras.Model]:
    """The convolutions alone, for pictures of any size, and the whole network, sharing weights.

    Both take float32 (B, H, W, 3) in the network's own channel order, mean subtracted and scaled.
    """
    maps = convolutions(layout)
    pixels = keras.Input((layout.input_size_px, layout.input_size_px, 3), name="pixels")
    network = keras.Model(pixels, descriptor(layout, maps(pixels)), name=layout.name)
    set_weights([*maps.layers, *network.layers], weights)
    return maps, network


def convolutions(layout: Layout) -> keras.Model:
    """From pictures of any size to the last map, with all weights zero."""
    return _ARCHITECTURES[type(layout)].convolutions(layout)


def descriptor(layout: Layout, maps: Any) -> Any:
    """What the network's card calls `descriptor`. maps: the last, of pictures of the layout's size."""
    return _ARCHITECTURES[type(layout)].descriptor(layout, maps)


def set_weights(layers: list[keras.Layer], weights: Weights) -> None:
    """Gives the arrays to the layers that they are named after; layers of other names keep theirs."""
    for layer in layers:
        if f"{layer.name}/kernel" in weights:
            layer.set_weights([weights[f"{layer.name}/kernel"], weights[f"{layer.name}/bias"]])
