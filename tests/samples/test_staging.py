from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

import pytest

from samples.staging import alone, staged


def hold(target: Path, log: Path) -> None:
    with alone(target), log.open("a") as stream:
        stream.write("in ")
        stream.flush()
        time.sleep(0.2)
        stream.write("out ")


def test_a_folder_appears_when_all_is_in_it(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "gallery"
    with alone(target):
        with staged(target) as folder:
            (folder / "a.txt").write_text("a")
            assert not target.exists()
        assert (target / "a.txt").read_text() == "a"
    assert [path.name for path in target.parent.iterdir()] == ["gallery"]


def test_an_old_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "gallery"
    target.mkdir()
    (target / "old.txt").write_text("old")
    with alone(target), staged(target) as folder:
        (folder / "new.txt").write_text("new")
        assert (target / "old.txt").exists()
    assert [path.name for path in target.iterdir()] == ["new.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["gallery"]


def test_a_failure_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "gallery"
    target.mkdir()
    with pytest.raises(KeyboardInterrupt), alone(target), staged(target) as folder:
        (folder / "half.txt").write_text("half")
        raise KeyboardInterrupt
    assert list(target.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["gallery"]


def test_what_a_killed_run_left_is_cleared_away(tmp_path: Path) -> None:
    target = tmp_path / "gallery"
    leftover = tmp_path / ".gallery.partial-xyz"
    leftover.mkdir()
    (tmp_path / ".other.partial-xyz").mkdir()
    with alone(target):
        assert not leftover.exists()
    assert (tmp_path / ".other.partial-xyz").exists()


def test_two_processes_take_turns(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    log = tmp_path / "log"
    workers = [context.Process(target=hold, args=(tmp_path / "gallery", log)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert log.read_text() == "in out in out "
