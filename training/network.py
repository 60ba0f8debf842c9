"""The network with what training adds to it, and the way back to a weights' file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones.making import keras_network, keras_vgg
from imagesearch.backbones.making.layout import Weights
from imagesearch.backbones.making.vgg_layout import VggLayout
from training import losses
from training.recipes import Objective


class Trainable(keras.Model):  # type: ignore[misc]  # Keras has no types
    """From uint8 RGB pictures (B, H, W, 3) to "logits" (B, labels), "gem" and "fc6", none normalised."""

    def __init__(
        self,
        layout: VggLayout,
        label_count: int,
        objective: Objective,
        *,
        batch_normalisation: bool,
    ) -> None:
        unit = _normalised_conv_relu if batch_normalisation else keras_vgg.conv_relu
        self.convolutions = keras_vgg.convolutions(layout, unit)
        size_px = layout.input_size_px if layout.head == "flatten" else None
        pixels = keras.Input((size_px, size_px, 3), dtype="uint8", name="rgb")
        maps = keras.ops.cast(self.convolutions(_network_input(layout, pixels)), "float32")
        fc6 = keras_vgg.fc6(layout)(keras_vgg.head(layout, maps))
        logits = keras.layers.Dense(  # zeros: untrained, it sends no noise into a trained network
            label_count, kernel_initializer="zeros", dtype="float32", name="logits"
        )(fc6)
        described = {
            "logits": logits,
            "gem": keras_vgg.gem(maps),
            "fc6": keras.ops.cast(fc6, "float32"),
        }
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
            block = layer.name.removeprefix("block").split("_")[0]
            layer.trainable = not (block.isdecimal() and int(block) <= blocks)

    def start_from(self, weights: Weights) -> None:
        keras_network.set_weights(self.layers, weights)
        if not self._is_normalised:
            keras_network.set_weights(self.convolutions.layers, weights)
            return
        for name, _, _ in self.layout.conv_layers():
            self.convolutions.get_layer(name).set_weights([weights[f"{name}/kernel"]])

    @property
    def _is_normalised(self) -> bool:
        return not self.convolutions.get_layer("block1_conv1").use_bias

    def to_weights(self) -> Weights:
        """In the layout of a weights' file, batch normalisation folded into the convolutions."""
        weights: Weights = {}
        for name, _, _ in self.layout.conv_layers():
            kernel, *bias = self.convolutions.get_layer(name).get_weights()
            if self._is_normalised:
                kernel, bias = _folded(kernel, self.convolutions.get_layer(f"{name}_norm"))
            weights |= {f"{name}/kernel": kernel, f"{name}/bias": bias[0]}
        kernel, fc6_bias = self.get_layer(self.layout.fc6_layer).get_weights()
        fc6_name = self.layout.fc6_layer
        return weights | {f"{fc6_name}/kernel": kernel, f"{fc6_name}/bias": fc6_bias}


def _network_input(layout: VggLayout, pixels: Any) -> Any:
    centred = keras.ops.cast(pixels, "float32") - np.array(layout.mean_rgb, np.float32)
    scaled = centred / layout.scale
    return keras.ops.flip(scaled, axis=-1) if layout.channel_order == "bgr" else scaled


def _normalised_conv_relu(name: str, width: int) -> keras_vgg.Layer:
    """Ioffe & Szegedy 2015: without it thirteen convolutions do not learn from random weights."""

    def apply(maps: Any) -> Any:
        maps = keras.layers.Conv2D(width, 3, padding="same", use_bias=False, name=name)(maps)
        maps = keras.layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(maps)
        return keras.layers.ReLU(name=f"{name}_relu")(maps)

    return apply


def _folded(
    kernel: NDArray[np.float32], norm: keras.layers.BatchNormalization
) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
    gamma, beta, mean, variance = norm.get_weights()
    factor = gamma / np.sqrt(variance + norm.epsilon)
    return kernel * factor, [beta - mean * factor]


def random_weights(layout: VggLayout, seed: int) -> Weights:
    """He et al. 2015, equation 10: normal, of variance 2 / inputs; biases zero."""
    rng = np.random.default_rng(seed)
    weights: Weights = {}
    for key, shape in layout.weight_shapes().items():
        if key.endswith("/bias"):
            weights[key] = np.zeros(shape, np.float32)
        else:
            deviation = np.sqrt(2 / np.prod(shape[:-1]))
            weights[key] = rng.normal(0, deviation, shape).astype(np.float32)
    return weights


@contextmanager
def arithmetic(bf16: bool) -> Iterator[None]:
    """Networks made inside compute in bf16 and keep their weights in f32, or do both in f32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if bf16 else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
