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
from training.losses import contrastive
from training.model_file import write_weights
from training.network import Trainable
from training.recipes import FinetuneRecipe

SMALL_VGG16 = replace(VGG16_LAYOUT, block_widths=(4, 4, 4, 4, 4), fc6_dim=8, input_size_px=64)


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)


def trainable(layout: Layout, frozen_blocks: int = 0) -> Trainable:
    recipe = FinetuneRecipe(frozen_blocks=frozen_blocks)
    return Trainable(layout, random_weights(layout, seed=1), recipe, label_count=5)


def as_converted(layout: Layout, network: Trainable, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The descriptor of the network that the indexer would convert, prepared as it prepares pictures."""
    prepared = (pixels.astype(np.float32) - np.array(layout.mean_rgb, np.float32)) / layout.scale
    if layout.channel_order == "bgr":
        prepared = prepared[..., ::-1]
    return np.asarray(build(layout, network.to_weights())[1].predict_on_batch(prepared))


@pytest.mark.parametrize("layout", [SMALL, SMALL_VGG16], ids=["efficientnet", "vgg16"])
def test_what_is_exported_computes_what_was_trained(layout: Layout, pixels: NDArray[np.uint8]) -> None:
    network = trainable(layout)
    np.testing.assert_allclose(
        as_converted(layout, network, pixels),
        network.describing.predict_on_batch(pixels),
        rtol=1e-4,
        atol=1e-4,
    )


def test_frozen_blocks_keep_their_weights_and_the_others_learn(pixels: NDArray[np.uint8]) -> None:
    network = trainable(SMALL_VGG16, frozen_blocks=3)
    before = network.to_weights()
    network.learning.compile(keras.optimizers.AdamW(1e-2), loss=contrastive, jit_compile=False)
    network.learning.train_on_batch(pixels, np.array([0, 0, 1]))
    after = network.to_weights()
    changed = {name.split("_")[0] for name in before if not np.array_equal(before[name], after[name])}
    assert changed == {"block4", "block5", "fc1/kernel", "fc1/bias"}


def test_what_comes_before_the_first_block_is_frozen_with_it() -> None:
    network = trainable(SMALL, frozen_blocks=2)
    trained = {weight.path.split("_")[0] for weight in network.learning.trainable_weights}
    assert {name.split("/")[0] for name in trained} == {"block3a", "block4a", "block4b", "head"}


def test_a_weights_file_is_read_back(small_weights: Path, tmp_path: Path) -> None:
    weights = trainable(SMALL).to_weights()
    path = tmp_path / f"model{SMALL.file_suffix}"
    write_weights(path, weights)
    found, read = read_weights(path)
    assert found == SMALL
    for name, array in weights.items():
        np.testing.assert_allclose(read[name], array, rtol=1e-3, atol=1e-4)
