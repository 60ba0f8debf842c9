"""int8 from the command line to the snapshot, with the real EfficientNet-Lite0 on real photos."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from imagesearch.backbones import Precision, load_backbone
from imagesearch.backbones.making import quantisation
from imagesearch.store.layout import StoreLayout
from imagesearch.store.snapshot import Snapshot
from indexer.__main__ import main

PHOTOS = 110


@pytest.fixture(scope="module")
def photos(holidays_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for path in sorted(holidays_dir.glob("*.jpg"))[:PHOTOS]:
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module")
def layout(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> StoreLayout:
    """A store built at int8 from the start; with so few photos, whatever is measured is taken."""
    store = tmp_path_factory.mktemp("int8") / "store"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INDEXER_MODEL", "efficientnet-lite0")
        patch.setenv("INDEXER_PRECISION", "int8")
        patch.setattr(quantisation, "LEAST_OVERLAP_AT_10", 0.5)
        assert main(["build", "--images", str(photos), "--store", str(store)]) == 0
    return StoreLayout(store)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_store_built_at_int8_says_so_and_what_it_costs(layout: StoreLayout) -> None:
    with Snapshot.open(layout) as snapshot:
        manifest = snapshot.manifest
    assert manifest.precision is Precision.INT8
    assert manifest.model.quantisation
    assert manifest.int8_quality is not None
    assert 0.5 <= manifest.int8_quality.overlap_at_10 < 1
    assert 0.95 < manifest.int8_quality.cosine < 1
    assert PHOTOS // 2 - 2 <= manifest.int8_quality.photos <= PHOTOS // 2  # two photos are there twice
    backbone = load_backbone(layout.models_dir, manifest.model, Precision.AUTO, threads=1)
    assert backbone.precision is Precision.INT8


def test_a_store_stays_at_int8(
    layout: StoreLayout, photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["build", "--images", str(photos), "--store", str(layout.root)]
    code, said, _ = run(capsys, *arguments, "--json")
    assert (code, json.loads(said)["kept"], json.loads(said)["published"]) == (0, PHOTOS, False)
    for name, value in (("INDEXER_PRECISION", "int8"), ("INDEXER_MODEL", "efficientnet-lite0")):
        monkeypatch.setenv(name, value)
        assert run(capsys, *arguments)[0] == 0
    monkeypatch.setenv("INDEXER_PRECISION", "bf16")
    code, _, complaint = run(capsys, *arguments)
    assert code == 1
    assert "built with precision int8, but bf16 is asked for" in complaint


def test_quantize_reports_what_it_measured(
    layout: StoreLayout, photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INDEXER_MODEL", "efficientnet-lite0")
    monkeypatch.setattr(quantisation, "LEAST_OVERLAP_AT_10", 0.5)
    arguments = ["quantize", "--images", str(photos), "--store", str(layout.root)]
    code, said, _ = run(capsys, *arguments, "--json")
    answer: dict[str, Any] = json.loads(said)
    with Snapshot.open(layout) as snapshot:
        assert code == 0
        assert answer["model"] == {
            "name": "efficientnet-lite0",
            "digest": snapshot.manifest.model.digest,
            "preprocessing": snapshot.manifest.model.preprocessing,
            "quantisation": snapshot.manifest.model.quantisation,  # the same photos, the same network
        }
        assert snapshot.manifest.int8_quality is not None
        assert answer["int8_quality"]["photos"] == snapshot.manifest.int8_quality.photos


@pytest.mark.parametrize("command", ["quantize", "build"])
def test_three_photos_are_too_few_for_int8(
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    layout: StoreLayout,
    command: str,
) -> None:
    monkeypatch.setenv("INDEXER_MODEL", "efficientnet-lite0")
    monkeypatch.setenv("INDEXER_PRECISION", "int8")
    few, store = tmp_path / "few", StoreLayout(tmp_path / "store")
    few.mkdir()
    for path in sorted(photos.iterdir())[:3]:
        shutil.copy(path, few)
    for folder in layout.models_dir.glob("efficientnet-lite0-*"):
        if "int8" not in folder.name:
            shutil.copytree(folder, store.models_dir / folder.name)
    code, said, complaint = run(capsys, command, "--images", str(few), "--store", str(store.root))
    assert (code, said) == (1, "")
    assert f"measured on 100 photos at least, and {few} has 3 that can be read" in complaint
    assert not store.current_path.exists()
    assert not list(store.models_dir.glob("*int8*"))


def test_int8_that_changes_too_many_results_is_refused(
    photos: Path, layout: StoreLayout, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INDEXER_MODEL", "efficientnet-lite0")
    monkeypatch.setattr(quantisation, "LEAST_OVERLAP_AT_10", 0.9999)
    code, _, complaint = run(capsys, "quantize", "--images", str(photos), "--store", str(layout.root))
    assert code == 1
    assert "of a photo's ten nearest stay the same" in complaint
    assert "Use bf16 or f32" in complaint
