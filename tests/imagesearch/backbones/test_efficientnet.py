"""EfficientNet-Lite0 as it is served, against what an independent implementation answered."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.backbones import Precision, load_backbone
from imagesearch.backbones.making.efficientnet_layout import EFFICIENTNET_LITE0_LAYOUT
from imagesearch.backbones.making.prepare import packaged_efficientnet, prepare_model
from imagesearch.backbones.making.torch_weights import read_tensors
from imagesearch.backbones.making.weight_files import read_weights
from imagesearch.errors import ModelDamaged
from tests.conftest import REPOSITORY
from tests.imagesearch.backbones.conftest import Prepared
from tests.imagesearch.backbones.pictures import cosines
from tests.imagesearch.backbones.torch_files import write_arrays

LEAST_COSINE = {Precision.F32: 0.99999, Precision.BF16: 0.996}
"""bf16 costs most on the pictures of noise: 0.9962; those of squares have 0.9991 and more."""


@pytest.fixture(scope="module")
def reference() -> Mapping[str, NDArray[Any]]:
    file = REPOSITORY.parent / "shared" / "models" / "efficientnet-lite0-reference.npz"
    if not file.is_file():
        pytest.skip("the reference outputs of EfficientNet-Lite0 are not on this machine")
    with np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("precision", [Precision.F32, Precision.BF16])
def test_it_answers_as_the_published_network(
    precision: Precision, efficientnet: Prepared, reference: Mapping[str, NDArray[Any]]
) -> None:
    backbone = load_backbone(efficientnet.models_dir, efficientnet.identity, precision, threads=2)
    embeddings = backbone.embed(reference["pictures"])
    assert cosines(embeddings, reference["map_mean"]).min() >= LEAST_COSINE[backbone.precision]
    first = backbone.conv_map(reference["pictures"][4:5])[0]
    assert cosines(first, reference["map_first"]).mean() >= LEAST_COSINE[backbone.precision]
    classes = read_tensors(packaged_efficientnet())
    logits = embeddings @ classes["_fc.weight"].T + classes["_fc.bias"]
    np.testing.assert_array_equal(logits.argmax(axis=1), reference["logits"].argmax(axis=1))


def test_its_weights_are_those_of_the_layout() -> None:
    layout, weights = read_weights(packaged_efficientnet())
    assert layout is EFFICIENTNET_LITE0_LAYOUT
    assert {key: array.shape for key, array in weights.items()} == layout.weight_shapes()
    published, classes, folded = 4_652_008, 1_281_000, 21_008  # of batch normalisation one number a channel
    assert sum(array.size for array in weights.values()) == published - classes - folded


def test_weights_of_another_network_are_told_so(tmp_path: Path) -> None:
    file = write_arrays(tmp_path / "resnet.pth", {"conv1.weight": np.zeros((64, 3, 7, 7), np.float32)})
    with pytest.raises(ModelDamaged, match="resnet.pth does not hold the weights of EfficientNet-Lite0"):
        read_weights(file)


def test_weights_of_another_size_are_told_so(tmp_path: Path) -> None:
    tensors = read_tensors(packaged_efficientnet())
    tensors["_conv_head.weight"] = tensors["_conv_head.weight"][:, :300]
    with pytest.raises(ModelDamaged, match=r"head/kernel is \(1, 1, 300, 1280\) where \(1, 1, 320, 1280\)"):
        read_weights(write_arrays(tmp_path / "narrow.pth", tensors))


def test_planted_code_is_told_by_what_converts(tmp_path: Path) -> None:
    (tmp_path / "planted.pth").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(ModelDamaged, match="planted.pth holds something else than tensors"):
        prepare_model(str(tmp_path / "planted.pth"), tmp_path / "models")
