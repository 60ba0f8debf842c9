"""The int8 form of a network: made, measured, and taken or refused."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.backbones import Backbone, ModelIdentity, Precision, load_backbone
from imagesearch.backbones.converted import ConvertedModel, folder_of, list_converted, list_int8
from imagesearch.backbones.making import quantisation
from imagesearch.backbones.making.quantisation import compare, quantise
from imagesearch.descriptors.normalisation import l2_normalised
from imagesearch.errors import ModelDamaged, ModelUnavailable, PrecisionRefused
from tests.imagesearch.backbones.conftest import Prepared
from tests.imagesearch.backbones.pictures import cosines, smooth_pictures

PICTURES = smooth_pictures(24, 224, seed=11)


def describe(backbone: Backbone) -> NDArray[np.float32]:
    return l2_normalised(backbone.embed(PICTURES))


@pytest.fixture(scope="module")
def store(efficientnet: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    models_dir = tmp_path_factory.mktemp("quantised") / "models"
    shutil.copytree(efficientnet.models_dir, models_dir)
    return Prepared(models_dir, efficientnet.identity)


@pytest.fixture(scope="module")
def int8(store: Prepared) -> ConvertedModel:
    least, quantisation.LEAST_OVERLAP_AT_10 = quantisation.LEAST_OVERLAP_AT_10, 0.0  # clouds, not photos
    try:
        return quantise(store.models_dir, store.identity, smooth_pictures(24, 224, seed=12), describe, 2)
    finally:
        quantisation.LEAST_OVERLAP_AT_10 = least


def test_the_int8_form_lies_beside_the_network_and_knows_it(store: Prepared, int8: ConvertedModel) -> None:
    assert int8.identity.unquantised == store.identity
    assert int8.folder == folder_of(store.models_dir, int8.identity)
    assert [model.identity for model in list_int8(store.models_dir, store.identity)] == [int8.identity]
    assert [model.identity for model in list_converted(store.models_dir, "efficientnet-lite0")] == [
        store.identity
    ]
    assert not list(store.models_dir.glob(".quantising-*"))


def test_the_int8_form_describes_nearly_like_the_network(store: Prepared, int8: ConvertedModel) -> None:
    f32 = load_backbone(store.models_dir, store.identity, Precision.F32, threads=2)
    coarse = load_backbone(store.models_dir, int8.identity, Precision.AUTO, threads=2)
    assert coarse.precision is Precision.INT8
    assert (coarse.card.input.size_px, coarse.dim) == (f32.card.input.size_px, f32.dim)
    assert 0.98 < cosines(coarse.embed(PICTURES), f32.embed(PICTURES)).mean() < 0.99999
    wide = smooth_pictures(2, 160, seed=3)[:, :96]
    assert 0.98 < cosines(coarse.conv_map(wide), f32.conv_map(wide)).mean() < 0.99999
    assert int8.int8_quality is not None
    assert int8.int8_quality.cosine == pytest.approx(
        cosines(coarse.embed(PICTURES), f32.embed(PICTURES)).mean(), abs=1e-4
    )
    assert int8.int8_quality.photos == len(PICTURES)


def test_its_weights_are_bytes(int8: ConvertedModel) -> None:
    f32_bytes = (int8.folder.parent / int8.folder.name.partition("-int8")[0] / "embedding.bin").stat().st_size
    assert (int8.folder / "embedding.bin").stat().st_size < 0.4 * f32_bytes


def test_an_int8_form_that_was_changed_is_refused(int8: ConvertedModel, tmp_path: Path) -> None:
    models_dir = tmp_path / "models"
    shutil.copytree(int8.folder.parent, models_dir)
    weights = folder_of(models_dir, int8.identity) / "embedding.bin"
    content = bytearray(weights.read_bytes())
    content[1000] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelDamaged):
        load_backbone(models_dir, int8.identity, Precision.INT8, threads=1)


def test_int8_without_an_int8_form_is_unavailable(efficientnet: Prepared) -> None:
    with pytest.raises(ModelUnavailable, match="quantize"):
        load_backbone(efficientnet.models_dir, efficientnet.identity, Precision.INT8, threads=1)


def test_an_int8_form_that_changes_the_results_is_refused_and_leaves_nothing(
    efficientnet: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models_dir = tmp_path / "models"
    shutil.copytree(efficientnet.models_dir, models_dir)
    before = sorted(models_dir.glob("[!.]*"))
    rng = np.random.default_rng(0)
    monkeypatch.setattr(quantisation, "_quantise_apart", copy_ir)
    with pytest.raises(PrecisionRefused, match=r"only 0\.\d+ of a photo's ten nearest"):
        quantise(
            models_dir,
            efficientnet.identity,
            PICTURES,
            lambda _: l2_normalised(rng.standard_normal((60, 8), np.float32)),
            threads=1,
        )
    assert sorted(models_dir.glob("[!.]*")) == before
    assert not list(models_dir.glob(".quantising-*"))


def copy_ir(source: Path, outputs: Sequence[str], calibration: NDArray[np.uint8], target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True)


def test_a_failing_quantisation_is_told_without_its_trace(efficientnet: Prepared, tmp_path: Path) -> None:
    models_dir = tmp_path / "models"
    shutil.copytree(efficientnet.models_dir, models_dir)
    with pytest.raises(ModelUnavailable, match="the log has the details") as raised:
        quantise(models_dir, efficientnet.identity, np.zeros((2, 5, 7, 1), np.uint8), describe, threads=1)
    assert "Traceback" not in str(raised.value)
    assert [model.identity for model in list_int8(models_dir, efficientnet.identity)] == []


def test_without_nncf_it_says_what_to_install(
    efficientnet: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantisation, "find_spec", lambda name: None)
    with pytest.raises(ModelUnavailable, match="NNCF"):
        quantise(efficientnet.models_dir, efficientnet.identity, PICTURES, describe, threads=1)


def test_quality_is_what_the_definition_says() -> None:
    rng = np.random.default_rng(5)
    exact = l2_normalised(rng.standard_normal((40, 16), np.float32))
    coarse = l2_normalised(exact + 0.2 * rng.standard_normal((40, 16), np.float32))
    shared = []
    for photo in range(40):
        nearest = []
        for rows in (exact, coarse):
            distances = [(np.linalg.norm(rows[photo] - rows[k]), k) for k in range(40) if k != photo]
            nearest.append({k for _, k in sorted(distances)[:10]})
        shared.append(len(nearest[0] & nearest[1]) / 10)
    quality = compare(exact, coarse)
    assert quality.overlap_at_10 == pytest.approx(np.mean(shared))
    assert quality.cosine == pytest.approx((exact * coarse).sum(axis=1).mean(), abs=1e-6)
    assert quality.photos == 40


def test_two_int8_forms_of_one_network_are_two_models(store: Prepared) -> None:
    one = ModelIdentity("efficientnet-lite0", "ab" * 32, "efficientnet-lite0-224-bicubic-2", "01" * 32)
    other = ModelIdentity("efficientnet-lite0", "ab" * 32, "efficientnet-lite0-224-bicubic-2", "02" * 32)
    assert folder_of(store.models_dir, one) != folder_of(store.models_dir, other)
    assert one.unquantised == other.unquantised
