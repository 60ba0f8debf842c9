from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from imagesearch.backbones import ModelIdentity, Precision, load_backbone
from imagesearch.backbones.base import Card
from imagesearch.backbones.cards import VGG16
from imagesearch.backbones.converted import (
    exclusively,
    file_names,
    folder_of,
    list_converted,
    open_converted,
    publish,
)
from imagesearch.errors import ModelDamaged, ModelMismatch, ModelUnavailable
from tests.imagesearch.backbones.conftest import Prepared

IDENTITY = ModelIdentity("vgg16", "ab" * 32, "keras-vgg16-224-bicubic-3")


def write_ir(folder: Path) -> Card:
    for name in file_names(VGG16):
        (folder / name).write_text(f"content of {name}")
    return VGG16


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with exclusively(tmp_path):
        return publish(tmp_path, IDENTITY, own_weights=False, write=write_ir).folder


def test_a_published_model_is_found_by_its_identity(folder: Path, tmp_path: Path) -> None:
    model = open_converted(tmp_path, IDENTITY)
    assert model.folder == folder == tmp_path / "vgg16-abababababab"
    assert model.identity == IDENTITY


def cut(folder: Path) -> None:
    (folder / "fc6.bin").write_text("content")


def change(folder: Path) -> None:
    content = (folder / "conv5.bin").read_bytes()
    (folder / "conv5.bin").write_bytes(content[:-1] + b"?")


def lose(folder: Path) -> None:
    (folder / "conv5.xml").unlink()


def lose_record(folder: Path) -> None:
    (folder / "model.json").unlink()


def garble_record(folder: Path) -> None:
    (folder / "model.json").write_text("{")


def age_record(folder: Path) -> None:
    record = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(record | {"format_version": 0}))


def rename_model(folder: Path) -> None:
    record = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(record | {"digest": "ab" * 6 + "00" * 26}))


@pytest.mark.parametrize(
    "damage",
    [cut, change, lose, lose_record, garble_record, age_record, rename_model],
    ids=lambda d: d.__name__,
)
def test_damage_is_noticed_and_told_with_what_to_do(
    damage: Callable[[Path], None], folder: Path, tmp_path: Path
) -> None:
    damage(folder)
    with pytest.raises(ModelDamaged, match=r"vgg16-abababababab is damaged: .* Run the indexer again"):
        open_converted(tmp_path, IDENTITY)


def test_a_network_that_the_runtime_cannot_read_is_damaged(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged, match="cannot be loaded"):
        load_backbone(tmp_path, IDENTITY, Precision.F32, threads=1)


def test_damage_keeps_a_network_from_serving(efficientnet: Prepared, tmp_path: Path) -> None:
    shutil.copytree(efficientnet.models_dir, tmp_path, dirs_exist_ok=True)
    weights = folder_of(tmp_path, efficientnet.identity) / "embedding.bin"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelDamaged, match="embedding.bin"):
        load_backbone(tmp_path, efficientnet.identity, Precision.F32, threads=1)


def test_a_failed_conversion_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> Card:
        write_ir(folder)
        raise ModelUnavailable("no")

    with exclusively(tmp_path), pytest.raises(ModelUnavailable):
        publish(tmp_path, IDENTITY, own_weights=False, write=fail)
    assert list(tmp_path.glob("*")) == [tmp_path / ".lock"]


def test_what_a_killed_conversion_left_is_removed_by_the_next(tmp_path: Path) -> None:
    leftover = tmp_path / ".converting-killed"
    leftover.mkdir()
    (leftover / "fc6.bin").touch()
    with exclusively(tmp_path):
        publish(tmp_path, IDENTITY, own_weights=False, write=write_ir)
    assert not leftover.exists()
    assert list_converted(tmp_path, "vgg16") == [open_converted(tmp_path, IDENTITY)]


def test_a_damaged_model_is_replaced(folder: Path, tmp_path: Path) -> None:
    cut(folder)
    with exclusively(tmp_path):
        publish(tmp_path, IDENTITY, own_weights=False, write=write_ir)
    assert open_converted(tmp_path, IDENTITY).folder == folder
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", folder.name]


def test_the_latest_converted_comes_first_and_damaged_ones_not_at_all(folder: Path, tmp_path: Path) -> None:
    later = ModelIdentity("vgg16", "cd" * 32, IDENTITY.preprocessing)
    damaged = ModelIdentity("vgg16", "ef" * 32, IDENTITY.preprocessing)
    with exclusively(tmp_path):
        publish(tmp_path, later, own_weights=True, write=write_ir)
        cut(publish(tmp_path, damaged, own_weights=True, write=write_ir).folder)
    assert [model.identity for model in list_converted(tmp_path, "vgg16")] == [later, IDENTITY]


def test_a_store_of_a_version_that_prepared_photos_otherwise_is_told_to_describe_them_anew(
    folder: Path, tmp_path: Path
) -> None:
    before = replace(IDENTITY, preprocessing="keras-vgg16-224-bicubic-1")
    with pytest.raises(ModelMismatch, match="bicubic-1, now .*bicubic-3.*--rebuild"):
        open_converted(tmp_path, before)


def test_a_network_converted_by_such_a_version_is_used_as_it_is(folder: Path, tmp_path: Path) -> None:
    record = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(record | {"preprocessing": "keras-vgg16-224-bicubic-1"}))
    assert [model.identity for model in list_converted(tmp_path, "vgg16")] == [IDENTITY]
    assert open_converted(tmp_path, IDENTITY).folder == folder


def test_a_store_of_a_network_that_is_no_more_is_told_what_to_do(folder: Path, tmp_path: Path) -> None:
    record = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(record | {"name": "gone"}))
    folder.rename(tmp_path / "gone-abababababab")
    with pytest.raises(
        ModelMismatch, match="the network gone, which this version does not have: .*--rebuild"
    ):
        open_converted(tmp_path, ModelIdentity("gone", "ab" * 32, "gone-96-1"))
    assert list_converted(tmp_path, "gone") == []
