"""What is told of a folder, and how long to wait where nothing is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import watchfiles

from indexer import changes
from indexer.changes import RESCAN_S, SILENT_POLL_S, Changes, is_silent
from indexer.settings import IndexerSettings


@pytest.fixture
def settings(tmp_path: Path) -> IndexerSettings:
    (tmp_path / "images" / ".cache").mkdir(parents=True)
    return IndexerSettings(images_dir=tmp_path / "images", store_dir=tmp_path / "images" / "store")


def waited(watched: Changes, at_most_s: float) -> float:
    began = time.monotonic()
    watched.wait(at_most_s, look_s=0.0)
    return time.monotonic() - began


def test_a_change_is_told_within_seconds_and_no_other_than_of_the_photos(settings: IndexerSettings) -> None:
    settings.store_dir.mkdir()
    watched = Changes(settings)
    watched.wait(1, look_s=0.0)
    (settings.store_dir / "ledger.sqlite3").touch()
    (settings.images_dir / ".cache" / "a.jpg").touch()
    (settings.images_dir / ".a.jpg.part").touch()
    assert waited(watched, 2) >= 2
    (settings.images_dir / "a.jpg").touch()
    assert waited(watched, 60) < 30


def test_another_folder_in_its_place_is_a_change_and_followed(settings: IndexerSettings) -> None:
    watched = Changes(settings)
    settings.images_dir.rename(settings.images_dir.with_name("away"))
    assert waited(watched, 60) < 30
    assert waited(watched, 1) >= 1
    settings.images_dir.mkdir()
    assert waited(watched, 60) < 30
    (settings.images_dir / "a.jpg").touch()
    assert waited(watched, 60) < 30


def refuse(*_: object, **__: object) -> Iterator[object]:
    raise OSError("OS file watch limit reached.")
    yield


def test_where_the_system_tells_nothing_the_clock_does(
    settings: IndexerSettings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watchfiles, "watch", refuse)
    monkeypatch.setattr(changes, "SILENT_POLL_S", 1.0)
    watched = Changes(settings)
    assert "limit reached" in caplog.text
    assert 1 <= waited(watched, float("inf")) < 30
    began = time.monotonic()
    watched.wait(float("inf"), look_s=0.5)
    assert time.monotonic() - began >= 0.5 + 5 * 0.5, "a slow folder is looked through more rarely"


@pytest.mark.parametrize(
    ("kinds", "poll_s", "rest_s"),
    [
        ({"ext4"}, 0.0, RESCAN_S),
        ({"ext4", "nfs4"}, 0.0, SILENT_POLL_S),
        ({"fuse.sshfs"}, 0.0, SILENT_POLL_S),
        ({"nfs4"}, 60.0, 60.0),
    ],
)
def test_how_often_to_look_follows_from_the_file_system_unless_it_is_set(
    settings: IndexerSettings,
    monkeypatch: pytest.MonkeyPatch,
    kinds: set[str],
    poll_s: float,
    rest_s: float,
) -> None:
    monkeypatch.setattr(changes, "file_systems", lambda _: kinds)
    assert is_silent(settings.images_dir) is (kinds != {"ext4"})
    assert Changes(settings.model_copy(update={"poll_s": poll_s})).rest_s == rest_s
