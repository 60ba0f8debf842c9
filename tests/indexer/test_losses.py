"""A large loss is said before it is taken."""

from __future__ import annotations

import os
import shutil

import pytest

from indexer import console
from indexer.errors import ImagesFolderError
from indexer.inspection import damage
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw, draw_many

YEAR_2300 = 10_413_792_000


@pytest.fixture
def workplace(workplace: Workplace) -> Workplace:
    """30 photos in the folders 0, 1 and 2."""
    draw_many(workplace.images, range(30))
    workplace.build()
    return workplace


def test_the_photos_of_a_disk_that_is_not_mounted_stay_until_the_loss_is_accepted(
    workplace: Workplace,
) -> None:
    shutil.move(workplace.images / "0", workplace.store.parent / "0")
    draw(workplace.images / "new.png", 100)
    summary = workplace.build()
    assert (summary.missing, summary.dropped, summary.added, summary.images) == (10, 0, 1, 31)
    assert "10 of 31 images are gone" in console.summary_text(summary)
    assert "--accept-loss" in console.summary_text(summary)
    assert len(workplace.indexed()) == 31
    assert workplace.build().missing == 10

    shutil.move(workplace.store.parent / "0", workplace.images / "0")
    assert workplace.build().missing == 0

    shutil.rmtree(workplace.images / "0")
    summary = workplace.build(accept_loss=True)
    assert (summary.missing, summary.dropped, summary.images) == (0, 10, 21)
    assert len(workplace.indexed()) == 21


def test_so_do_those_beside_a_sub_folder_given_by_mistake(workplace: Workplace) -> None:
    before = workplace.indexed().keys()
    assert workplace.build(images_dir=workplace.images / "0").missing == 20
    assert workplace.indexed().keys() >= before
    assert damage(workplace.layout, workplace.networks) == []
    summary = workplace.build()
    assert (summary.missing, summary.described) == (0, 0)
    assert workplace.indexed().keys() == before


def test_a_rebuild_does_not_lose_them_either(workplace: Workplace) -> None:
    shutil.rmtree(workplace.images / "0")
    with pytest.raises(ImagesFolderError, match=r"10 of the 30 .*--accept-loss"):
        workplace.build(rebuild=True)
    assert len(workplace.indexed()) == 30
    assert workplace.build(rebuild=True, accept_loss=True).images == 20


def test_moved_photos_are_no_loss(workplace: Workplace) -> None:
    (workplace.images / "0").rename(workplace.images / "3")
    assert workplace.build(rebuild=True).images == 30
    (workplace.images / "1").rename(workplace.images / "4")
    summary = workplace.build()
    assert (summary.missing, summary.dropped, summary.images) == (0, 10, 30)


def test_a_small_loss_is_taken(workplace: Workplace) -> None:
    for seed in range(0, 9):
        (workplace.images / f"{seed % 3}" / f"{seed:04d}.png").unlink()
    assert workplace.build().dropped == 9


def test_what_is_kept_meets_a_photo_that_has_changed(workplace: Workplace) -> None:
    shutil.rmtree(workplace.images / "0")
    draw(workplace.images / "1/0001.png", 100)
    summary = workplace.build()
    assert (summary.missing, summary.changed, summary.images) == (10, 1, 30)
    assert damage(workplace.layout, workplace.networks) == []


def test_a_photo_dated_2300_is_indexed_like_any_other(workplace: Workplace) -> None:
    draw(workplace.images / "future.png", 100)
    os.utime(workplace.images / "future.png", (YEAR_2300, YEAR_2300))
    assert workplace.build().added == 1
    (workplace.images / "future.png").rename(workplace.images / "later.png")
    assert workplace.build().described == 0
    summary = workplace.build()
    assert (summary.kept, summary.published) == (31, False)


def test_photos_that_are_to_be_passed_over_are_no_loss(workplace: Workplace) -> None:
    for settings in ({"exclude": "0"}, {"exclude": "0, 1/*.png", "rebuild": True}):
        summary = workplace.build(**settings)
        assert summary.missing == 0
    assert summary.images == 10
    assert {path.partition("/")[0] for path in workplace.indexed()} == {"2"}


def test_a_disk_that_is_not_mounted_is_missed_beside_them(workplace: Workplace) -> None:
    shutil.rmtree(workplace.images / "0")
    summary = workplace.build(exclude="1")
    assert (summary.missing, summary.images) == (10, 20)
