"""Filters and folders, asked of a published snapshot."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from imagesearch.errors import InvalidOption, UnknownFolder
from imagesearch.store.filters import Filter
from imagesearch.store.layout import StoreLayout
from imagesearch.store.snapshot import Snapshot
from indexer.new_snapshot import publish
from tests.imagesearch.store.stores import content, descriptor, record

PHOTOS = {
    "top.jpg": "",
    "2019/a.jpg": "2019-07-14T00:00:00",
    "2019/summer/b.jpg": "2019-07-14T23:59:59",
    "2019/summer/sea/c.jpg": "2019-07-15T00:00:00",
    "2019 copies/d.jpg": "2020-01-01T12:00:00",
    "2019-/e.jpg": "",
    "写真/夏/f.jpg": "1998-12-31T08:00:00",
    "a_b/100%/g.jpg": "2021-02-03T04:05:06",
    "aXb/100x/h.jpg": "",
}


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """One of the photos twice: at the top and in a folder."""
    records = [
        replace(record(seed, *([path, "more/top.jpg"] if path == "top.jpg" else [path])), taken_at=taken_at)
        for seed, (path, taken_at) in enumerate(PHOTOS.items())
    ]
    rows = [(each, descriptor(seed)) for seed, each in enumerate(records)]
    rows.sort(key=lambda row: row[0].image_id)
    layout = StoreLayout(tmp_path)
    publish(layout, replace(content([]), count=len(rows), images=rows))
    return Snapshot.open(layout)


def found(snapshot: Snapshot, where: Filter) -> set[str]:
    rows = snapshot.selected(where).nonzero()[0].tolist()
    return {path for each in snapshot.records(rows) for path in each.paths}


@pytest.mark.parametrize(
    ("folder", "paths"),
    [
        ("2019", {"2019/a.jpg", "2019/summer/b.jpg", "2019/summer/sea/c.jpg"}),
        ("2019/summer", {"2019/summer/b.jpg", "2019/summer/sea/c.jpg"}),
        ("写真", {"写真/夏/f.jpg"}),
        ("a_b", {"a_b/100%/g.jpg"}),
        ("a_b/100%", {"a_b/100%/g.jpg"}),
        ("more", {"top.jpg", "more/top.jpg"}),
    ],
)
def test_a_folder_holds_what_is_below_it_and_nothing_of_like_names(
    snapshot: Snapshot, folder: str, paths: set[str]
) -> None:
    assert found(snapshot, Filter(folder)) == paths


def test_days_are_included_and_photos_without_a_date_are_not(snapshot: Snapshot) -> None:
    day = date(2019, 7, 14)
    assert found(snapshot, Filter(taken_from=day, taken_to=day)) == {"2019/a.jpg", "2019/summer/b.jpg"}
    assert found(snapshot, Filter(taken_to=day)) == {"2019/a.jpg", "2019/summer/b.jpg", "写真/夏/f.jpg"}
    since = found(snapshot, Filter(taken_from=date(2019, 7, 15)))
    assert since == {"2019/summer/sea/c.jpg", "2019 copies/d.jpg", "a_b/100%/g.jpg"}
    assert len(found(snapshot, Filter(taken_from=date.min, taken_to=date.max))) == 6


def test_all_that_a_filter_says_must_hold(snapshot: Snapshot) -> None:
    assert found(snapshot, Filter("2019/summer", taken_to=date(2019, 7, 14))) == {"2019/summer/b.jpg"}
    assert found(snapshot, Filter("2019", taken_from=date(2030, 1, 1))) == set()


@pytest.mark.parametrize(
    "folder", ["2018", "2019/a.jpg", "2019/summe", "SUMMER", "'; DROP TABLE images", "*"]
)
def test_a_folder_without_photos_is_unknown(snapshot: Snapshot, folder: str) -> None:
    with pytest.raises(UnknownFolder):
        snapshot.selected(Filter(folder))


@pytest.mark.parametrize(
    "folder", ["/etc", "../photos", "2019/../..", "./2019", "2019//summer", "/", "2019/"]
)
def test_a_folder_outside_the_indexed_one_is_refused(folder: str) -> None:
    with pytest.raises(InvalidOption, match="relative"):
        Filter(folder)


def test_days_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(InvalidOption, match="exchange"):
        Filter(taken_from=date(2020, 1, 2), taken_to=date(2020, 1, 1))


def test_folders_are_counted_with_what_is_below_them(snapshot: Snapshot) -> None:
    folders = snapshot.folders()
    assert folders == {
        "2019": 3, "2019/summer": 2, "2019/summer/sea": 1, "2019 copies": 1, "2019-": 1, "more": 1,
        "写真": 1, "写真/夏": 1, "a_b": 1, "a_b/100%": 1, "aXb": 1, "aXb/100x": 1,
    }  # fmt: skip
    for folder, count in folders.items():
        assert int(snapshot.selected(Filter(folder)).sum()) == count


def test_an_image_twice_below_a_folder_counts_once(tmp_path: Path) -> None:
    twice = record(1, "a/b/1.jpg", "a/c/1.jpg", "1.jpg")
    layout = StoreLayout(tmp_path)
    publish(layout, replace(content([]), count=1, images=[(twice, descriptor(1))]))
    with Snapshot.open(layout) as snapshot:
        assert snapshot.folders() == {"a": 1, "a/b": 1, "a/c": 1}
