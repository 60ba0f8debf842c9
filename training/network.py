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
from training import losses
from training.recipes import Objective

GEM_POWER = 3.0  # Radenović et al. 2018, section 3.2: a fixed p = 3 does as well as a learned one
GEM_FLOOR = 1e-6  # keeps the root's gradient finite


class Trainable(keras.Model):  # type: ignore[misc]  # Keras has no types
    """From uint8 RGB pictures (B, H, W, 3) to "logits" (B, labels), "gem" and "whole", none normalised.

    gem: the generalised mean of the last map; whole: what the network's card names `descriptor`.
    """

    def __init__(self, layout: Layout, label_count: int, objective: Objective) -> None:
        self.convolutions = keras_network.convolutions(layout)
        pixels = keras.Input((layout.input_size_px, layout.input_size_px, 3), dtype="uint8", name="rgb")
        maps = keras.ops.cast(self.convolutions(_network_input(layout, pixels)), "float32")
        whole = keras_network.descriptor(layout, maps)
        logits = keras.layers.Dense(  # zeros: untrained, it sends no noise into a trained network
            label_count, kernel_initializer="zeros", dtype="float32", name="logits"
        )(whole)
        described = {"logits": logits, "gem": gem(maps), "whole": keras.ops.cast(whole, "float32")}
        super().__init__(pixels, described)
        self.layout = layout
        self.objective = objective
        self.terms = {
            name: keras.metrics.Mean(name)
            for name in ("classification", "contrastive", "triplet")
            if getattr(objective, name)
        }

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: Any = True,
    ) -> Any:
        """y: labels and photos, each shape=(B,)."""
        total = keras.ops.cast(0.0, "float32")
        for name, value in self._terms(y, y_pred).items():
            self.terms[name].update_state(value)
            total = total + getattr(self.objective, name) * value
        return total

    def _terms(self, y: dict[str, Any], described: dict[str, Any]) -> dict[str, Any]:
        objective = self.objective
        terms = {}
        if objective.classification:
            terms["classification"] = losses.classification(
                y["labels"], described["logits"], objective.label_smoothing
            )
        groups = y[objective.groups]
        unit = [losses.l2_normalised(described[name]) for name in objective.descriptors]
        if objective.contrastive:
            terms["contrastive"] = sum(
                losses.contrastive(each, groups, objective.temperature) for each in unit
            ) / len(unit)
        if objective.triplet:
            terms["triplet"] = sum(losses.triplet(each, groups, objective.margin) for each in unit) / len(
                unit
            )
        return terms

    def freeze(self, blocks: int) -> None:
        """The first blocks keep their weights, and the labels' layer where no term looks at it.

        Before compiling.
        """
        self.get_layer("logits").trainable = bool(self.objective.classification)
        for layer in self.convolutions.layers:
            layer.trainable = _block(layer.name) > blocks

    def start_from(self, weights: Weights) -> None:
        keras_network.set_weights([*self.convolutions.layers, *self.layers], weights)

    def to_weights(self) -> Weights:
        """In the layout of a weights' file."""
        names = {key.partition("/")[0] for key in self.layout.weight_shapes()}
        weights: Weights = {}
        for layer in [*self.convolutions.layers, *self.layers]:
            if layer.name in names:
                weights[f"{layer.name}/kernel"], weights[f"{layer.name}/bias"] = layer.get_weights()
        return weights


def _block(layer: str) -> float:
    """Which block a layer is of, from 1; 1 for what comes before the first, infinity for what comes after."""
    numbered = re.match(r"block(\d+)", layer)
    if numbered:
        return int(numbered[1])
    return 1 if layer == "stem" else math.inf


def _network_input(layout: Layout, pixels: Any) -> Any:
    centred = keras.ops.cast(pixels, "float32") - np.array(layout.mean_rgb, np.float32)
    scaled = centred / layout.scale
    return keras.ops.flip(scaled, axis=-1) if layout.channel_order == "bgr" else scaled


def gem(maps: Any) -> Any:
    """Generalised mean over the map, (B, H, W, C) to (B, C). Radenović et al. 2018, equation 3."""
    powers = keras.ops.power(keras.ops.maximum(maps, GEM_FLOOR), GEM_POWER)
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
