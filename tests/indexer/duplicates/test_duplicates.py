"""Duplicates as a build finds them and the command lists them."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageOps

from indexer.__main__ import main
from indexer.duplicates.judge import Judge
from tests.indexer.conftest import Workplace
from tests.indexer.fake_networks import FakeNetworks
from tests.indexer.pictures import draw_texture

PHOTOS = 4


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("INDEXER_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def photos(workplace: Workplace) -> Workplace:
    """Textures, one of them twice, and of another one a mirrored and recompressed copy."""
    for seed in range(PHOTOS):
        draw_texture(workplace.images / f"{seed}.png", seed)
    shutil.copy(workplace.images / "1.png", workplace.images / "1 again.png")
    ImageOps.mirror(Image.open(workplace.images / "2.png")).save(
        workplace.images / "2 mirrored.jpg", quality=70
    )
    return workplace


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The pairs of paths that have been compared."""
    seen: list[tuple[str, str]] = []
    judged: Callable[..., Any] = Judge.kinship

    def watched(self: Judge, rows: Any, records: Any, distance: float) -> Any:
        seen.append((records[0].paths[0], records[1].paths[0]))
        return judged(self, rows, records, distance)

    monkeypatch.setattr(Judge, "kinship", watched)
    return seen


def listed(workplace: Workplace, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    given = ["duplicates", "--store", str(workplace.store), *arguments]
    assert main(given, provide=lambda settings: FakeNetworks()) == 0
    return capsys.readouterr().out


def groups(workplace: Workplace, capsys: pytest.CaptureFixture[str]) -> dict[str, list[list[str]]]:
    answer = json.loads(listed(workplace, capsys, "--json"))
    return {
        kind: [[image["path"] for image in group["images"]] for group in found["groups"]]
        for kind, found in answer.items()
    }


@pytest.mark.parametrize("local_features", [False, True])
def test_a_build_finds_copies_and_altered_ones(
    photos: Workplace, capsys: pytest.CaptureFixture[str], local_features: bool
) -> None:
    photos.build(local_features=local_features)
    assert groups(photos, capsys) == {
        "identical": [["1.png", "1 again.png"]],
        "altered": [["2.png", "2 mirrored.jpg"]],
        "similar": [],
    }


def test_only_what_is_new_is_compared(
    photos: Workplace, capsys: pytest.CaptureFixture[str], compared: list[tuple[str, str]]
) -> None:
    photos.build()
    assert compared
    compared.clear()
    photos.build()
    assert compared == []
    picture = Image.open(photos.images / "3.png")
    picture.crop((20, 20, 300, 230)).save(photos.images / "3 cut.png")
    photos.build()
    assert compared
    assert all("3 cut.png" in pair for pair in compared)
    assert groups(photos, capsys)["altered"] == [["2.png", "2 mirrored.jpg"], ["3.png", "3 cut.png"]]


def test_what_is_gone_is_in_no_group(photos: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    photos.build()
    (photos.images / "2 mirrored.jpg").unlink()
    (photos.images / "1 again.png").unlink()
    photos.build()
    assert groups(photos, capsys) == {"identical": [], "altered": [], "similar": []}


def test_the_same_pixels_in_another_file_are_identical(
    photos: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.open(photos.images / "0.png").save(photos.images / "0.webp", lossless=True)
    photos.build()
    assert ["0.png", "0.webp"] in [sorted(group) for group in groups(photos, capsys)["identical"]]


def test_the_csv_and_the_table_say_which_to_keep(
    photos: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    photos.build()
    rows = list(csv.DictReader(io.StringIO(listed(photos, capsys, "--csv"))))
    assert [(row["kind"], row["keep"], row["path"]) for row in rows] == [
        ("identical", "keep", "1.png"),
        ("identical", "", "1 again.png"),
        ("altered", "keep", "2.png"),
        ("altered", "", "2 mirrored.jpg"),
    ]
    assert "  keep  1.png\n        1 again.png" in listed(photos, capsys)


def test_a_lost_thumbnail_costs_no_build(photos: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    photos.build()
    photos.layout.duplicates_path.unlink()
    for thumbnail in photos.layout.thumbnails_dir.glob("*/*.webp"):
        thumbnail.unlink()
    photos.build()
    assert groups(photos, capsys)["altered"] == []
