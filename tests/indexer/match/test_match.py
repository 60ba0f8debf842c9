"""`match`, run in this process with a fake network."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps

from indexer.__main__ import main
from tests.indexer.conftest import Workplace
from tests.indexer.fake_networks import FakeNetworks
from tests.indexer.pictures import draw_texture


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("INDEXER_", "EXTRACTOR_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("INDEXER_WORKERS", "1")


@pytest.fixture
def collection(workplace: Workplace) -> Workplace:
    for seed in range(6):
        draw_texture(workplace.images / f"{seed}.png", seed)
    workplace.build()
    return workplace


@pytest.fixture
def others(tmp_path: Path, collection: Workplace) -> Path:
    """Files of another folder: a copy, two altered ones, a new one."""
    folder = tmp_path / "others"
    folder.mkdir()
    (folder / "a copy.png").write_bytes((collection.images / "3.png").read_bytes())
    picture = Image.open(collection.images / "4.png")
    picture.crop((30, 20, 300, 220)).save(folder / "b cut.png")
    ImageOps.mirror(picture).save(folder / "c mirrored.jpg", quality=70)
    draw_texture(folder / "d new.png", 77)
    return folder


def match(collection: Workplace, *arguments: str | Path) -> int:
    given = ["match", "--store", str(collection.store), *map(str, arguments)]
    return main(given, provide=lambda settings: FakeNetworks())


def found(
    collection: Workplace, capsys: pytest.CaptureFixture[str], *paths: Path
) -> dict[str, dict[str, Any]]:
    match(collection, "--json", *paths)
    return {Path(each["file"]).name: each for each in json.loads(capsys.readouterr().out)}


def test_each_file_is_told_by_what_it_is_to_the_collection(
    collection: Workplace, others: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = found(collection, capsys, others)
    assert [each["verdict"] for each in answer.values()] == ["identical", "altered", "altered", "new"]
    [copy] = answer["a copy.png"]["matches"]
    assert (copy["path"], copy["likeness"], copy["distance"]) == ("3.png", "identical", 0)
    assert answer["b cut.png"]["matches"][0]["path"] == "4.png"
    assert answer["c mirrored.jpg"]["matches"][0]["path"] == "4.png"
    assert answer["d new.png"]["matches"] == []


def test_the_exit_code_tells_whether_every_file_is_in_the_collection(
    collection: Workplace, others: Path, tmp_path: Path
) -> None:
    assert match(collection, others / "a copy.png", others / "b cut.png") == 0
    assert match(collection, others) == 3
    (others / "bad.jpg").write_bytes(b"no picture")
    assert match(collection, others) == 4


def test_what_cannot_be_read_is_refused_by_name_and_the_rest_is_answered(
    collection: Workplace, others: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (others / "bad.jpg").write_bytes(b"no picture")
    (others / "empty.jpg").write_bytes(b"")
    answer = found(collection, capsys, others, others / "nowhere.png")
    refused = {name: each["detail"] for name, each in answer.items() if each["verdict"] == "refused"}
    assert list(refused) == ["bad.jpg", "empty.jpg", "nowhere.png"]
    assert all(refused.values())
    assert answer["a copy.png"]["verdict"] == "identical"


def test_the_collections_own_folder_is_identical_throughout(
    collection: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = found(collection, capsys, collection.images)
    assert {name: each["matches"][0]["path"] for name, each in answer.items()} == {
        name: name for name in sorted(path.name for path in collection.images.iterdir())
    }


def test_a_folder_without_photos_is_bad_usage(
    collection: Workplace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert match(collection, tmp_path / "empty") == 2
    assert "no photo" in capsys.readouterr().err


def test_the_table_and_the_csv_name_files_and_where_they_are(
    collection: Workplace, others: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    match(collection, others)
    said = capsys.readouterr().out
    assert f"altered    {others / 'b cut.png'}  4.png" in said
    assert "4 files: 1 identical, 2 altered, 1 new." in said
    match(collection, others, "--csv")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["verdict"], row["path"]) for row in rows] == [
        ("identical", "3.png"), ("altered", "4.png"), ("altered", "4.png"), ("new", ""),
    ]  # fmt: skip


def test_without_a_store_it_says_so(workplace: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    draw_texture(workplace.images / "a.png", 1)
    assert match(workplace, workplace.images) == 1
    assert "Nothing has been indexed yet" in capsys.readouterr().err


def test_a_bad_setting_of_the_service_is_named(
    collection: Workplace, others: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTRACTOR_LOCALIZE_CANDIDATES", "0")
    assert match(collection, others) == 2
    assert "EXTRACTOR_LOCALIZE_CANDIDATES: " in capsys.readouterr().err
