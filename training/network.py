"""The network with what training adds to it, and the way back to a weights' file."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from imagesearch.backbones.making import keras_network
from imagesearch.backbones.making.layout import Layout, Weights
from training.recipes import FinetuneRecipe
from training.views import views

GEM_POWER = 3.0  # Radenović et al. 2018, section 3.2: a fixed p = 3 does as well as a learned one
GEM_FLOOR = 1e-6  # keeps the root's gradient finite


class Trainable:
    """Two networks that share their weights, both from uint8 RGB pictures, shape=(B, S, S, 3)."""

    describing: keras.Model
    """To the descriptor that is adapted, shape=(B, D), not normalised."""
    learning: keras.Model
    """To what the loss looks at, of views of the pictures: the descriptor or the labels' logits."""

    def __init__(self, layout: Layout, weights: Weights, recipe: FinetuneRecipe, label_count: int) -> None:
        """The first blocks keep their weights."""
        self._layout, self._start = layout, weights
        self._convolutions = keras_network.convolutions(layout)
        pixels = keras.Input((layout.input_size_px, layout.input_size_px, 3), dtype="uint8", name="rgb")
        seen = views(recipe.seed)(keras.ops.cast(pixels, "float32"))
        maps = self._convolutions(_network_input(layout, seen))
        described = gem(maps) if recipe.descriptor == "gem" else keras_network.descriptor(layout, maps)
        described = keras.layers.Identity(dtype="float32")(described)
        logits = keras.layers.Dense(  # zeros: untrained, it sends no noise into a trained network
            label_count, kernel_initializer="zeros", dtype="float32", name="logits"
        )
        self.describing = keras.Model(pixels, described)
        self.learning = keras.Model(
            pixels, logits(described) if recipe.loss == "classification" else described
        )
        keras_network.set_weights(self._layers, weights)
        for layer in self._convolutions.layers:
            layer.trainable = _block(layer.name) > recipe.frozen_blocks

    def to_weights(self) -> Weights:
        """In the layout of a weights' file."""
        weights = dict(self._start)
        for layer in self._layers:
            if f"{layer.name}/kernel" in weights:
                weights[f"{layer.name}/kernel"], weights[f"{layer.name}/bias"] = layer.get_weights()
        return weights

    @property
    def _layers(self) -> list[keras.Layer]:
        return [*self._convolutions.layers, *self.learning.layers]


def _block(layer: str) -> float:
    """Which block a layer is of, from 1; 1 for what comes before the first, infinity for what comes after."""
    numbered = re.match(r"block(\d+)", layer)
    if numbered:
        return int(numbered[1])
    return 1 if layer == "stem" else math.inf


def _network_input(layout: Layout, pixels: Any) -> Any:
    scaled = (pixels - np.array(layout.mean_rgb, np.float32)) / layout.scale
    return keras.ops.flip(scaled, axis=-1) if layout.channel_order == "bgr" else scaled


def gem(maps: Any) -> Any:
    """Generalised mean over the map, (B, H, W, C) to (B, C). Radenović et al. 2018, equation 3."""
    powers = keras.ops.power(keras.ops.maximum(keras.ops.cast(maps, "float32"), GEM_FLOOR), GEM_POWER)
    return keras.ops.power(keras.ops.mean(powers, axis=(1, 2)), 1 / GEM_POWER)


@contextmanager
def arithmetic(bf16: bool) -> Iterator[None]:
    """Networks made inside compute in bf16 and keep their weights in f32, or do both in f32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if bf16 else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
