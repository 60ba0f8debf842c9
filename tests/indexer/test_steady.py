"""What waits, and what does not."""

from __future__ import annotations

import time

import pytest

from imagesearch.store.ledger import FileState, KnownFile
from indexer.steady import SETTLE_S, Steady
from indexer.walk import Listing

LONG_AGO = 10**18


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def known(photo: FileState) -> dict[str, KnownFile]:
    return {photo.path: KnownFile(photo, "id")}


def listed(watcher: Steady, known: dict[str, KnownFile], *photos: FileState) -> list[FileState]:
    listing = Listing(photos=list(photos))
    watcher.hold_back(listing, known)
    return listing.photos


def test_at_first_only_what_was_modified_just_now_waits(clock: list[float]) -> None:
    old, future = FileState("a", 1, LONG_AGO), FileState("c", 1, time.time_ns() + 10**12)
    fresh = FileState("b", 1, time.time_ns())
    watcher = Steady()
    assert listed(watcher, {}, old, fresh, future) == [old, future]
    clock[0] += SETTLE_S
    assert listed(watcher, {}, old, fresh, future) == [old, fresh, future]


def test_later_whatever_is_new_waits_until_it_stays_the_same(clock: list[float]) -> None:
    watcher = Steady()
    assert listed(watcher, {}) == []
    growing = [FileState("a", size, LONG_AGO) for size in (1, 2)]
    assert listed(watcher, {}, growing[0]) == []
    clock[0] += SETTLE_S
    assert listed(watcher, {}, growing[1]) == []
    clock[0] += SETTLE_S / 2
    assert listed(watcher, {}, growing[1]) == []
    clock[0] += SETTLE_S / 2
    assert listed(watcher, {}, growing[1]) == [growing[1]]


def test_a_known_file_stays_as_it_was_while_it_changes(clock: list[float]) -> None:
    before, after = FileState("b", 1, 1), FileState("b", 2, 2)
    watcher = Steady()
    listed(watcher, known(before), before)
    other = FileState("a", 1, 1)
    assert listed(watcher, known(before) | known(other), after, other) == [other, before]
    clock[0] += SETTLE_S
    assert listed(watcher, known(before) | known(other), after, other) == [after, other]
