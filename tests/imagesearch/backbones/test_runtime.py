from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from imagesearch.backbones import Backbone, ModelIdentity, Precision, compiled, load_backbone, runtime
from imagesearch.errors import ModelUnavailable
from tests.conftest import REPOSITORY
from tests.imagesearch.backbones import numpy_network
from tests.imagesearch.backbones.conftest import Prepared
from tests.imagesearch.backbones.pictures import cosines, photos, smooth_pictures

LEAST_COSINE = {Precision.F32: 0.9999, Precision.BF16: 0.996}


@pytest.fixture(scope="module")
def f32(efficientnet: Prepared) -> Backbone:
    return load_backbone(efficientnet.models_dir, efficientnet.identity, Precision.F32, threads=2)


@pytest.mark.parametrize("precision", [Precision.F32, Precision.BF16])
def test_it_agrees_with_numpy(efficientnet: Prepared, precision: Precision) -> None:
    backbone = load_backbone(efficientnet.models_dir, efficientnet.identity, precision, threads=2)
    pictures = np.concatenate([smooth_pictures(4, 224, seed=1), photos(4, 224)])
    maps, embeddings = numpy_network.efficientnet(pictures)
    assert cosines(backbone.conv_map(pictures), maps.astype(np.float32)).min() >= LEAST_COSINE[precision]
    assert cosines(backbone.embed(pictures), embeddings.astype(np.float32)).min() >= LEAST_COSINE[precision]


def test_f32_is_f32(f32: Backbone) -> None:
    pictures = smooth_pictures(2, 224, seed=2)
    _, embeddings = numpy_network.efficientnet(pictures)
    np.testing.assert_allclose(f32.embed(pictures), embeddings, rtol=1e-3, atol=1e-4)


def test_red_and_blue_are_not_confused(f32: Backbone) -> None:
    red = np.zeros((1, 224, 224, 3), dtype=np.uint8)
    red[..., 0] = 200
    _, embeddings = numpy_network.efficientnet(red)
    assert cosines(f32.embed(red), embeddings.astype(np.float32)).min() >= 0.9999
    assert cosines(f32.embed(red), f32.embed(red[..., ::-1])).max() < 0.99


def test_a_picture_has_the_same_features_in_any_batch(f32: Backbone) -> None:
    pictures = smooth_pictures(7, 224, seed=3)
    together = f32.embed(pictures)
    alone = np.concatenate([f32.embed(picture[np.newaxis]) for picture in pictures])
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (96, 160), (100, 47), (257, 33)])
def test_the_last_map_is_a_32nd_of_any_picture(f32: Backbone, height: int, width: int) -> None:
    maps = f32.conv_map(np.zeros((2, height, width, 3), dtype=np.uint8))
    assert maps.shape == (2, -(-height // 32), -(-width // 32), 1280)
    assert maps.dtype == np.float32


def test_pictures_that_are_views_are_read_as_they_look(f32: Backbone) -> None:
    mirrored = smooth_pictures(2, 224, seed=4)[:, :, ::-1]
    np.testing.assert_array_equal(f32.embed(mirrored), f32.embed(np.ascontiguousarray(mirrored)))


def test_pictures_that_cannot_be_written_are_read(f32: Backbone) -> None:
    pictures = smooth_pictures(2, 224, seed=4)
    locked = np.frombuffer(pictures.tobytes(), dtype=np.uint8).reshape(pictures.shape)
    np.testing.assert_array_equal(f32.embed(locked), f32.embed(pictures))


def test_threads_that_share_a_network_get_their_own_answers(f32: Backbone) -> None:
    pictures = smooth_pictures(24, 224, seed=5)[:, np.newaxis]
    expected = [(f32.embed(picture), f32.conv_map(picture)) for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda picture: (f32.embed(picture), f32.conv_map(picture)), pictures))
    for answer, right in zip(answers, expected, strict=True):
        np.testing.assert_array_equal(answer[0], right[0])
        np.testing.assert_array_equal(answer[1], right[1])


def test_an_answer_stays_when_the_next_one_comes(f32: Backbone) -> None:
    first, second = smooth_pictures(2, 224, seed=6)[:, np.newaxis]
    answer = f32.embed(first)
    kept = answer.copy()
    f32.embed(second)
    np.testing.assert_array_equal(answer, kept)


def test_it_tells_what_it_is(efficientnet: Prepared, f32: Backbone) -> None:
    assert f32.identity == efficientnet.identity
    assert f32.precision is Precision.F32
    assert (f32.card.input.size_px, f32.dim) == (224, 1280)


def test_bf16_becomes_f32_where_the_processor_lacks_it(
    efficientnet: Prepared, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(runtime, "_has_bf16", lambda: False)
    with caplog.at_level(logging.WARNING):
        backbone = load_backbone(efficientnet.models_dir, efficientnet.identity, Precision.BF16, threads=1)
    assert backbone.precision is Precision.F32
    assert "bf16" in caplog.text


@pytest.mark.parametrize(("hardware", "chosen"), [(True, Precision.BF16), (False, Precision.F32)])
def test_auto_is_what_the_processor_does_best(
    monkeypatch: pytest.MonkeyPatch, hardware: bool, chosen: Precision
) -> None:
    monkeypatch.setattr(runtime, "_has_bf16", lambda: hardware)
    assert runtime.resolve_precision(Precision.AUTO) is chosen
    assert runtime.resolve_precision(Precision.F32) is Precision.F32


def test_the_compiled_network_is_kept_in_the_store_for_the_next_start(
    efficientnet: Prepared, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    models_dir = tmp_path / "models"
    shutil.copytree(efficientnet.models_dir, models_dir, ignore=shutil.ignore_patterns(compiled.FOLDER_NAME))
    picture = smooth_pictures(1, 224, seed=6)
    first, second = (
        load_backbone(models_dir, efficientnet.identity, Precision.F32, threads=2).embed(picture)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    kept = list((models_dir / compiled.FOLDER_NAME).glob("*.blob"))
    assert len(kept) == 1
    assert kept[0].stat().st_size < 1_000_000  # without the weights


def test_a_compiled_network_that_has_changed_is_found_and_compiled_again(
    efficientnet: Prepared, tmp_path: Path
) -> None:
    models_dir = tmp_path / "models"
    shutil.copytree(efficientnet.models_dir, models_dir, ignore=shutil.ignore_patterns(compiled.FOLDER_NAME))
    picture = smooth_pictures(1, 224, seed=6)
    expected = load_backbone(models_dir, efficientnet.identity, Precision.F32, threads=1).embed(picture)
    [blob] = (models_dir / compiled.FOLDER_NAME).glob("*.blob")
    whole = blob.read_bytes()
    assert compiled.damage(models_dir) == []
    rng = np.random.default_rng(1)
    blob.chmod(0o600)
    for place in rng.integers(0, len(whole), 20).tolist():
        blob.write_bytes(whole[:place] + bytes([whole[place] ^ 8]) + whole[place + 1 :])
        assert blob.name in compiled.damage(models_dir)[0]
    again = load_backbone(models_dir, efficientnet.identity, Precision.F32, threads=1).embed(picture)
    np.testing.assert_array_equal(again, expected)
    assert compiled.damage(models_dir) == []


def test_a_store_that_cannot_be_written_serves_without_a_cache(
    efficientnet: Prepared, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    models_dir = tmp_path / "models"
    shutil.copytree(efficientnet.models_dir, models_dir, ignore=shutil.ignore_patterns(compiled.FOLDER_NAME))
    (models_dir / compiled.FOLDER_NAME).touch()  # in the way, as a read-only file system would be
    caplog.set_level(logging.INFO)
    backbone = load_backbone(models_dir, efficientnet.identity, Precision.F32, threads=1)
    assert backbone.embed(smooth_pictures(1, 224, seed=6)).any()
    assert "Compiled networks cannot be kept in the store" in caplog.text


def test_a_model_that_the_store_lacks_is_named(efficientnet: Prepared) -> None:
    other = ModelIdentity("vgg16", "0123456789ab" + "0" * 52, "keras-vgg16-224-bicubic-3")
    with pytest.raises(ModelUnavailable, match="vgg16-0123456789ab"):
        load_backbone(efficientnet.models_dir, other, Precision.F32, threads=1)


def test_serving_imports_no_tensorflow(efficientnet: Prepared) -> None:
    program = """
import sys
from pathlib import Path
import numpy as np
from imagesearch.backbones import ModelIdentity, Precision, load_backbone
backbone = load_backbone(Path(sys.argv[1]), ModelIdentity(*sys.argv[2:5]), Precision.AUTO, threads=1)
backbone.embed(np.zeros((1, 224, 224, 3), dtype=np.uint8))
backbone.conv_map(np.zeros((1, 64, 64, 3), dtype=np.uint8))
sys.exit(bool({"tensorflow", "keras", "h5py"} & set(sys.modules)))
"""
    identity = efficientnet.identity
    arguments = [str(efficientnet.models_dir), identity.name, identity.digest, identity.preprocessing]
    subprocess.run([sys.executable, "-c", program, *arguments], check=True, cwd=REPOSITORY)
