"""What is remembered of duplicates, and the groups that are made of it."""

from __future__ import annotations

from pathlib import Path

from imagesearch.ranking.kinship import Kinship
from imagesearch.store.duplicate_groups import groups
from imagesearch.store.duplicates import Duplicates, Pair, read_duplicates, write_duplicates
from imagesearch.store.layout import StoreLayout
from imagesearch.store.records import ImageRecord

A, B, C, D, E = (letter * 32 for letter in "abcde")


def record(image_id: str, *paths: str, width: int = 64, size: int = 100, taken_at: str = "") -> ImageRecord:
    return ImageRecord(
        image_id, paths or (f"{image_id[0]}.jpg",), width, 48, "image/jpeg", size, False, taken_at
    )


def paths_of(pairs: dict[Pair, Kinship], kind: Kinship, *records: ImageRecord) -> list[list[str]]:
    """Of each group, the one to keep first."""
    found = groups(pairs, {each.image_id: each for each in records}, kind)
    assert all([file.keep for file in group] == [True] + [False] * (len(group) - 1) for group in found)
    return [[file.path for file in group] for group in found]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    layout = StoreLayout(tmp_path)
    known = Duplicates("1 model", {A, B, C}, {(A, B): Kinship.ALTERED, (B, C): Kinship.SIMILAR})
    write_duplicates(layout, known)
    assert read_duplicates(layout) == known
    assert known.among({A, B, E}) == Duplicates("1 model", {A, B}, {(A, B): Kinship.ALTERED})


def test_a_damaged_or_missing_file_holds_nothing(tmp_path: Path) -> None:
    layout = StoreLayout(tmp_path)
    assert read_duplicates(layout) == Duplicates()
    write_duplicates(layout, Duplicates("1", {A}, {(A, B): Kinship.ALTERED}))
    whole = layout.duplicates_path.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"PK" + bytes(100)):
        layout.duplicates_path.write_bytes(damaged)
        assert read_duplicates(layout) == Duplicates()


def test_copies_of_one_file_are_a_group_without_any_pair() -> None:
    copies = record(A, "album/x.jpg", "x.jpg")
    assert paths_of({}, Kinship.IDENTICAL, copies) == [["x.jpg", "album/x.jpg"]]
    assert paths_of({}, Kinship.ALTERED, copies) == []


def test_what_is_joined_by_a_closer_kind_stays_together() -> None:
    pairs = {(A, B): Kinship.IDENTICAL, (B, C): Kinship.ALTERED, (C, D): Kinship.SIMILAR}
    records = [record(each) for each in (A, B, C, D)]
    assert paths_of(pairs, Kinship.IDENTICAL, *records) == [["a.jpg", "b.jpg"]]
    assert paths_of(pairs, Kinship.ALTERED, *records) == [["a.jpg", "b.jpg", "c.jpg"]]
    assert paths_of(pairs, Kinship.SIMILAR, *records) == [["a.jpg", "b.jpg", "c.jpg", "d.jpg"]]


def test_the_one_to_keep_has_the_most_pixels_then_its_date_then_the_most_bytes() -> None:
    pairs = {(A, B): Kinship.ALTERED, (A, C): Kinship.ALTERED, (A, D): Kinship.ALTERED}
    records = [
        record(A, width=64, size=900),
        record(B, width=128, size=100),
        record(C, width=128, size=50, taken_at="2019-07-14T18:03:22"),
        record(D, width=128, size=500),
    ]
    assert paths_of(pairs, Kinship.ALTERED, *records) == [["c.jpg", "d.jpg", "b.jpg", "a.jpg"]]


def test_the_largest_group_comes_first() -> None:
    pairs = {(A, B): Kinship.ALTERED, (C, D): Kinship.ALTERED, (D, E): Kinship.ALTERED}
    found = paths_of(pairs, Kinship.ALTERED, *(record(each) for each in (A, B, C, D, E)))
    assert [len(group) for group in found] == [3, 2]
