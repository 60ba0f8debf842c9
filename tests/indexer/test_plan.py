from __future__ import annotations

from imagesearch.store.ledger import FileState, KnownFile
from indexer.walk import Listing, Plan, Refusal, make_plan, unread

DETAIL = "The file cannot be read."
CONDITIONS = "at most 9 pixels"


def known(
    path: str, size: int = 1, mtime: int = 1, image_id: str | None = "id", refused_under: str | None = None
) -> dict[str, KnownFile]:
    return {path: KnownFile(FileState(path, size, mtime), image_id, refused_under)}


def planned(listing: Listing, known: dict[str, KnownFile]) -> Plan:
    return make_plan(listing, known, CONDITIONS)


def photo(path: str, size: int = 1, mtime: int = 1) -> FileState:
    return FileState(path, size, mtime)


def test_a_file_of_the_same_size_and_time_is_kept() -> None:
    plan = planned(Listing(photos=[photo("a.jpg")]), known("a.jpg"))
    assert (plan.changed, plan.vanished, plan.kept) == ([], [], 1)


def test_new_files_and_those_of_another_size_or_time_are_changed() -> None:
    listing = Listing(photos=[photo("a", size=2), photo("b", mtime=2), photo("c")])
    plan = planned(listing, known("a") | known("b"))
    assert plan.changed == listing.photos
    assert plan.kept == 0


def test_what_is_not_there_any_more_has_vanished() -> None:
    plan = planned(Listing(), known("b") | known("a") | known("c", image_id=None))
    assert plan.vanished == ["a", "b", "c"]
    assert plan.dropped == 2


def test_a_refused_file_is_not_tried_again_until_it_changes() -> None:
    before = known("bad.jpg", image_id=None, refused_under=CONDITIONS)
    assert planned(Listing(photos=[photo("bad.jpg")]), before).changed == []
    assert planned(Listing(photos=[photo("bad.jpg", mtime=2)]), before).changed != []


def test_or_until_it_is_another_build_that_would_refuse_it() -> None:
    listing = Listing(photos=[photo("bad.jpg")])
    for refused_under in ("at most 8 pixels", None):
        before = known("bad.jpg", image_id=None, refused_under=refused_under)
        assert planned(listing, before).changed == listing.photos
        assert planned(listing, before).kept == 0


def test_a_file_that_cannot_be_read_is_refused_once_and_tried_when_it_can() -> None:
    refusal = Refusal(unread("a.jpg"), "UNREADABLE_FILE", DETAIL)
    before = known("a.jpg", size=0, mtime=0, image_id=None)
    assert planned(Listing(refusals=[refusal]), {}).refusals == [refusal]
    assert planned(Listing(refusals=[refusal]), before).refusals == []
    assert planned(Listing(refusals=[refusal]), before).vanished == []
    assert planned(Listing(photos=[photo("a.jpg")]), before).changed == [photo("a.jpg")]


def test_what_lies_below_an_unreadable_folder_is_kept() -> None:
    refusal = Refusal(unread("closed"), "UNREADABLE_FILE", DETAIL)
    listing = Listing(refusals=[refusal], unreadable_folders=["closed"])
    plan = planned(listing, known("closed/a.jpg") | known("closed-too/b.jpg"))
    assert plan.vanished == ["closed-too/b.jpg"]
    assert (plan.kept, plan.dropped) == (1, 1)
