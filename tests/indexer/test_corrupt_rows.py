"""A bit that flips in the ledger does not reach a search: the photo is described again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from imagesearch.errors import StoreError
from imagesearch.store.layout import StoreLayout
from imagesearch.store.snapshot import current_version
from indexer import build
from indexer.inspection import damage
from indexer.publication import publish_if_behind
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw, draw_many

PHOTO = "1/0001.png"


@pytest.fixture
def workplace(workplace: Workplace) -> Workplace:
    draw_many(workplace.images, range(6))
    workplace.build(local_features=True, localization=True)
    return workplace


def flip(layout: StoreLayout, column: str = "descriptor", table: str = "images") -> None:
    """A bit of what the ledger holds of the photo."""
    with closing(sqlite3.connect(layout.ledger_path)) as connection:
        owner = connection.execute("SELECT image_id FROM paths WHERE path = ?", (PHOTO,)).fetchone()
        query = f"SELECT {column} FROM {table} WHERE image_id = ?"
        blob = bytearray(connection.execute(query, owner).fetchone()[0])
        blob[len(blob) // 2] ^= 0x40
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE image_id = ?", (bytes(blob), *owner))
        connection.commit()


def assert_mended(workplace: Workplace, before: dict[str, np.ndarray]) -> None:
    after = workplace.indexed()
    assert after.keys() >= before.keys()
    for path, descriptor in before.items():
        np.testing.assert_array_equal(after[path], descriptor)
    assert damage(workplace.layout, workplace.networks) == []


@pytest.mark.parametrize(
    ("column", "table"),
    [("descriptor", "images"), ("features", "local_features"), ("map", "conv_maps")],
)
def test_verify_finds_it_and_the_next_build_describes_the_photo_again(
    workplace: Workplace, column: str, table: str
) -> None:
    before, maps = workplace.indexed(), workplace.conv_maps()
    flip(workplace.layout, column, table)
    [sentence] = damage(workplace.layout, workplace.networks)
    assert "no longer holds 1 images as they were written" in sentence
    assert "build describes them again" in sentence
    summary = workplace.build()
    assert (summary.described, summary.kept, summary.added, summary.dropped) == (1, 6, 0, 0)
    assert_mended(workplace, before)
    np.testing.assert_array_equal(workplace.conv_maps()[PHOTO], maps[PHOTO])


@pytest.mark.parametrize("new", [1, 20], ids=["added to the snapshot", "all written again"])
def test_nor_does_it_where_other_photos_are_published(workplace: Workplace, new: int) -> None:
    before = workplace.indexed()
    flip(workplace.layout)
    for seed in range(new):
        draw(workplace.images / f"new-{seed}.png", 100 + seed)
    assert workplace.build().described == 1 + new
    assert_mended(workplace, before)


def test_a_photo_that_is_gone_as_well_leaves_the_index(workplace: Workplace) -> None:
    flip(workplace.layout)
    (workplace.images / PHOTO).unlink()
    summary = workplace.build()
    assert (summary.images, summary.dropped, summary.described) == (5, 1, 0)
    assert PHOTO not in workplace.indexed()
    assert damage(workplace.layout, workplace.networks) == []


def test_a_flip_during_the_build_publishes_nothing_and_the_next_build_mends_it(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = workplace.indexed()
    draw_many(workplace.images, range(10, 30))

    def flip_and_publish(*arguments: object) -> bool:
        flip(workplace.layout)
        return publish_if_behind(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched, pytest.raises(StoreError, match="build again"):
        patched.setattr(build, "publish_if_behind", flip_and_publish)
        workplace.build()
    assert current_version(workplace.layout) == "000001"
    assert workplace.build().described == 1
    assert_mended(workplace, before)


def test_a_rebuild_that_was_interrupted_goes_on_without_what_is_corrupt(
    workplace: Workplace, tmp_path: Path
) -> None:
    layout = workplace.layout
    before = workplace.indexed()
    layout.ledger_path.rename(layout.rebuild_ledger_path)
    flipped = StoreLayout(tmp_path / "elsewhere")
    flipped.root.mkdir()
    layout.rebuild_ledger_path.rename(flipped.ledger_path)
    flip(flipped)
    flipped.ledger_path.rename(layout.rebuild_ledger_path)
    summary = workplace.build(rebuild=True, local_features=True, localization=True)
    assert (summary.images, summary.described) == (6, 1)
    assert_mended(workplace, before)
