"""What was described of a photo that is gone is kept for a time, in case it returns."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from imagesearch.store import departed
from imagesearch.store.ledger import Ledger
from indexer.inspection import damage, status
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw_many

KINDS = {"local_features": True, "localization": True}


@pytest.fixture
def workplace(workplace: Workplace) -> Workplace:
    """30 photos, of which ten are taken away for a while."""
    draw_many(workplace.images, range(30))
    workplace.build(keep_missing_days=30, **KINDS)
    return workplace


def away(workplace: Workplace) -> None:
    shutil.move(workplace.images / "0", workplace.store.parent / "0")


def back(workplace: Workplace) -> None:
    shutil.move(workplace.store.parent / "0", workplace.images / "0")


def test_photos_that_return_need_not_be_described_again(workplace: Workplace) -> None:
    before, maps = workplace.indexed(), workplace.conv_maps()
    away(workplace)
    summary = workplace.build(accept_loss=True, keep_missing_days=30, **KINDS)
    assert (summary.dropped, summary.images) == (10, 20)
    assert len(workplace.indexed()) == 20
    assert damage(workplace.layout, workplace.networks) == []

    workplace.networks.loaded.clear()
    back(workplace)
    summary = workplace.build(keep_missing_days=30, **KINDS)
    assert (summary.added, summary.described, summary.images) == (10, 0, 30)
    assert workplace.networks.loaded == []
    after = workplace.indexed()
    assert before.keys() == after.keys()
    for path, descriptor in before.items():
        np.testing.assert_array_equal(descriptor, after[path])
        np.testing.assert_array_equal(maps[path], workplace.conv_maps()[path])
    assert damage(workplace.layout, workplace.networks) == []
    assert not workplace.build(keep_missing_days=30, **KINDS).published


def test_they_may_go_and_return_as_often_as_they_like(workplace: Workplace) -> None:
    for _ in range(3):
        away(workplace)
        assert workplace.build(accept_loss=True, keep_missing_days=30, **KINDS).images == 20
        back(workplace)
        assert workplace.build(keep_missing_days=30, **KINDS).described == 0
    assert damage(workplace.layout, workplace.networks) == []


def test_after_that_time_nothing_is_left_of_them(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    away(workplace)
    workplace.build(accept_loss=True, keep_missing_days=30, **KINDS)
    with Ledger.open(workplace.layout.ledger_path) or pytest.fail("no ledger") as ledger:
        assert len(ledger.departed_ids()) == 10
        ledger.expire_departed(29)
        assert len(ledger.departed_ids()) == 10
        ledger.expire_departed(0)
        assert not ledger.departed_ids() and not ledger.departed_sizes()
    back(workplace)
    assert workplace.build(keep_missing_days=30, **KINDS).described == 10


def test_none_is_kept_where_none_is_to_be(workplace: Workplace) -> None:
    away(workplace)
    workplace.build(accept_loss=True, keep_missing_days=0, **KINDS)
    assert len({path.name[:32] for path in workplace.layout.thumbnails_dir.rglob("*.webp")}) == 20
    back(workplace)
    assert workplace.build(**KINDS).described == 10


def test_one_without_its_thumbnail_is_described_again(workplace: Workplace) -> None:
    away(workplace)
    workplace.build(accept_loss=True, keep_missing_days=30, **KINDS)
    shutil.rmtree(workplace.layout.thumbnails_dir)
    back(workplace)
    assert workplace.build(keep_missing_days=30, **KINDS).described == 10
    away(workplace)
    assert workplace.build(accept_loss=True, keep_missing_days=30, **KINDS).images == 20


def test_a_ledger_whose_tables_have_become_others_begins_again(workplace: Workplace) -> None:
    away(workplace)
    workplace.build(accept_loss=True, keep_missing_days=30, **KINDS)
    with Ledger.open(workplace.layout.ledger_path) or pytest.fail("no ledger") as ledger:
        connection = ledger._connection
        connection.execute("ALTER TABLE departed_images DROP COLUMN damaged")
        assert not departed.bring_back(connection, min(ledger.departed_ids()))
    back(workplace)
    assert workplace.build(keep_missing_days=30, **KINDS).described == 10
    away(workplace)
    workplace.build(accept_loss=True, keep_missing_days=30, **KINDS)
    back(workplace)
    assert workplace.build(keep_missing_days=30, **KINDS).described == 0
    assert status(workplace.layout).images == 30
