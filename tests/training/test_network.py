from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.backbones.making.keras_network import build
from imagesearch.backbones.making.vgg_layout import COMPACT_LAYOUT, VGG16_LAYOUT, VggLayout
from imagesearch.backbones.making.weight_files import read_weights
from training.network import Trainable, random_weights
from training.recipes import Objective
from training.weights_output import suffix_of, write_weights

SMALL = replace(COMPACT_LAYOUT, block_widths=(4, 6, 8, 10, 12), fc6_dim=16)
SMALL_VGG16 = replace(VGG16_LAYOUT, block_widths=(4, 4, 4, 4, 4), fc6_dim=8, input_size_px=32)


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)


def trainable(layout: VggLayout, *, batch_normalisation: bool = False) -> Trainable:
    network = Trainable(layout, 5, Objective(contrastive=1.0), batch_normalisation=batch_normalisation)
    network.start_from(random_weights(layout, seed=1))
    return network


def as_converted(network: Trainable, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """fc6 of the network that the indexer would convert, prepared as it prepares pictures."""
    layout = replace(network.layout, input_size_px=32)
    prepared = (pixels.astype(np.float32) - np.array(layout.mean_rgb, np.float32)) / layout.scale
    if layout.channel_order == "bgr":
        prepared = prepared[..., ::-1]
    return np.asarray(build(layout, network.to_weights())[1].predict_on_batch(prepared))


@pytest.mark.parametrize("layout", [SMALL, SMALL_VGG16], ids=["compact", "vgg16"])
def test_what_is_exported_computes_what_was_trained(layout: VggLayout, pixels: NDArray[np.uint8]) -> None:
    network = trainable(layout)
    np.testing.assert_allclose(
        as_converted(network, pixels), network.predict_on_batch(pixels)["fc6"], rtol=1e-4, atol=1e-4
    )


def test_batch_normalisation_is_folded_into_the_convolutions(pixels: NDArray[np.uint8]) -> None:
    network = trainable(SMALL, batch_normalisation=True)
    network.compile(keras.optimizers.AdamW(1e-2), jit_compile=False)
    targets = {"labels": np.arange(3), "photos": np.arange(3)}
    for _ in range(3):  # gives each layer a mean, a variance, a gamma and a beta of its own
        network.train_on_batch(pixels, targets)
    np.testing.assert_allclose(
        as_converted(network, pixels), network.predict_on_batch(pixels)["fc6"], rtol=1e-3, atol=1e-3
    )


def test_frozen_blocks_keep_their_weights_and_the_others_learn(pixels: NDArray[np.uint8]) -> None:
    network = trainable(SMALL)
    before = network.to_weights()
    network.freeze(3)
    network.compile(keras.optimizers.AdamW(1e-2), jit_compile=False)
    network.train_on_batch(pixels, {"labels": np.arange(3), "photos": np.array([0, 0, 1])})
    after = network.to_weights()
    changed = {name.split("_")[0] for name in before if not np.array_equal(before[name], after[name])}
    assert changed == {"block4", "block5", "fc6/kernel", "fc6/bias"}


@pytest.mark.parametrize("layout", [SMALL], ids=["compact"])
def test_a_weights_file_is_read_back(layout: VggLayout, tmp_path: Path) -> None:
    weights = trainable(layout).to_weights()
    path = tmp_path / f"model{suffix_of(layout)}"
    write_weights(path, weights)
    found, read = read_weights(path)
    assert found == layout
    for name, array in weights.items():
        np.testing.assert_allclose(read[name], array, rtol=1e-3, atol=1e-4)
