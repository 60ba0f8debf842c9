"""The served VGG16 against Keras itself: the same weights' file, the same pixels, full size."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.backbones import Precision, load_backbone
from imagesearch.backbones.making import ModelChoice, prepare_model
from imagesearch.backbones.making.conversion import child_environment
from tests.imagesearch.backbones.pictures import cosines, photos, smooth_pictures

pytestmark = pytest.mark.network

LEAST_COSINE = {Precision.F32: 0.9999, Precision.BF16: 0.999}


@dataclass(frozen=True)
class Vgg16:
    models_dir: Path
    choice: ModelChoice
    pixels: NDArray[np.uint8]
    fc1: NDArray[np.float32]
    block5_conv3: NDArray[np.float32]


@pytest.fixture(scope="module")
def vgg16() -> Iterator[Vgg16]:
    """Keras' answers, and the network converted from the file that Keras read. 1.1 GB, gone afterwards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pixels = np.concatenate([smooth_pictures(4, 224, seed=0), photos(4, 224)])
        np.save(folder / "pixels.npy", pixels)
        files = [str(folder / file) for file in ("vgg16.h5", "pixels.npy", "answers.npz")]
        module = "tests.imagesearch.backbones.keras_reference"
        subprocess.run(
            [sys.executable, "-m", module, *files], env=child_environment(keras_home=name), check=True
        )
        choice = prepare_model("vgg16", folder / "models", vgg16_weights=folder / "vgg16.h5")
        with np.load(folder / "answers.npz") as answers:
            yield Vgg16(folder / "models", choice, pixels, answers["fc1"], answers["block5_conv3"])


@pytest.mark.parametrize("precision", [Precision.F32, Precision.BF16])
def test_vgg16_answers_as_keras_does(vgg16: Vgg16, precision: Precision) -> None:
    backbone = load_backbone(vgg16.models_dir, vgg16.choice.identity, precision, threads=2)
    assert (backbone.card.input.size_px, backbone.dim) == (224, 4096)
    fc6 = backbone.embed(vgg16.pixels)
    assert cosines(fc6, vgg16.fc1).min() >= LEAST_COSINE[precision]
    np.testing.assert_allclose(np.linalg.norm(fc6, axis=1), np.linalg.norm(vgg16.fc1, axis=1), rtol=0.01)
    assert cosines(backbone.conv_map(vgg16.pixels), vgg16.block5_conv3).min() >= LEAST_COSINE[precision]


def test_keras_tells_the_pictures_apart(vgg16: Vgg16) -> None:
    """Else the agreement above would say nothing: with these weights all pictures would look alike."""
    unlike = cosines(vgg16.fc1, np.roll(vgg16.fc1, 1, axis=0))
    assert unlike.max() < min(LEAST_COSINE.values())


def test_weights_that_are_not_the_published_ones_are_noted(vgg16: Vgg16) -> None:
    assert vgg16.choice.note == "VGG16 (ImageNet) with weights of one's own, not the published ones."


def test_a_converted_vgg16_is_taken_without_its_file(vgg16: Vgg16) -> None:
    assert prepare_model("vgg16", vgg16.models_dir) == vgg16.choice
