from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.backbones.making.keras_network import build
from imagesearch.backbones.making.layout import Layout
from imagesearch.backbones.making.vgg_layout import VGG16_LAYOUT
from imagesearch.backbones.making.weight_files import read_weights
from tests.training.conftest import SMALL, random_weights
from training.network import Trainable
from training.recipes import Objective
from training.weights_output import suffix_of, write_weights

SMALL_VGG16 = replace(VGG16_LAYOUT, block_widths=(4, 4, 4, 4, 4), fc6_dim=8, input_size_px=64)


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)


def trainable(layout: Layout) -> Trainable:
    network = Trainable(layout, 5, Objective(contrastive=1.0))
    network.start_from(random_weights(layout, seed=1))
    return network


def as_converted(network: Trainable, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The descriptor of the network that the indexer would convert, prepared as it prepares pictures."""
    layout = network.layout
    prepared = (pixels.astype(np.float32) - np.array(layout.mean_rgb, np.float32)) / layout.scale
    if layout.channel_order == "bgr":
        prepared = prepared[..., ::-1]
    return np.asarray(build(layout, network.to_weights())[1].predict_on_batch(prepared))


@pytest.mark.parametrize("layout", [SMALL, SMALL_VGG16], ids=["efficientnet", "vgg16"])
def test_what_is_exported_computes_what_was_trained(layout: Layout, pixels: NDArray[np.uint8]) -> None:
    network = trainable(layout)
    np.testing.assert_allclose(
        as_converted(network, pixels), network.predict_on_batch(pixels)["whole"], rtol=1e-4, atol=1e-4
    )


def test_frozen_blocks_keep_their_weights_and_the_others_learn(pixels: NDArray[np.uint8]) -> None:
    network = trainable(SMALL_VGG16)
    before = network.to_weights()
    network.freeze(3)
    network.compile(keras.optimizers.AdamW(1e-2), jit_compile=False)
    network.train_on_batch(pixels, {"labels": np.arange(3), "photos": np.array([0, 0, 1])})
    after = network.to_weights()
    changed = {name.split("_")[0] for name in before if not np.array_equal(before[name], after[name])}
    assert changed == {"block4", "block5", "fc1/kernel", "fc1/bias"}


def test_what_comes_before_the_first_block_is_frozen_with_it(pixels: NDArray[np.uint8]) -> None:
    network = trainable(SMALL)
    network.freeze(2)
    trained = {layer.name.split("_")[0] for layer in network.convolutions.layers if layer.trainable_weights}
    assert trained == {"block3a", "block4a", "block4b", "head"}


def test_a_weights_file_is_read_back(small_weights: Path, tmp_path: Path) -> None:
    weights = trainable(SMALL).to_weights()
    path = tmp_path / f"model{suffix_of(SMALL)}"
    write_weights(path, weights)
    found, read = read_weights(path)
    assert found == SMALL
    for name, array in weights.items():
        np.testing.assert_allclose(read[name], array, rtol=1e-3, atol=1e-4)
