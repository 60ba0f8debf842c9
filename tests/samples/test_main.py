from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from samples.__main__ import main

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def proc() -> None:
    if not Path("/proc/self/stat").exists():
        pytest.skip("this system does not list its processes in /proc")


def start_drawing(out: Path) -> subprocess.Popen[str]:
    """A drawing in a process of its own, with at least one picture done."""
    command = [sys.executable, "-m", "samples", "draw", "--out", str(out)]
    drawing = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: any(out.parent.glob(".gallery.partial-*/*/*.jpg")))
    return drawing


def wait_until(happens: Callable[[], bool], timeout_s: float = 180) -> None:
    end_s = time.monotonic() + timeout_s
    while not happens():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_gallery_that_is_there_is_reported_and_kept(
    gallery_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["draw", "--out", str(gallery_dir), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["pictures"] == 160
    assert said["drawn"] is False
    assert said["bytes"] > 1_000_000


def test_a_folder_that_is_taken_is_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.jpg").write_bytes(b"")
    assert main(["draw", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert str(tmp_path) in said.err


def test_a_folder_that_cannot_be_made_is_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["draw", "--out", str(tmp_path / "file" / "gallery")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--help"], ["draw", "--help"], ["photos", "--help"]])
def test_help_is_there(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_of:
        main(arguments)
    assert exit_of.value.code == 0
    assert "usage: python -m samples" in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_drawing_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    drawing = start_drawing(tmp_path / "gallery")
    drawing.send_signal(number)
    _, said = drawing.communicate(timeout=180)
    assert drawing.returncode == 130
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("proc")
def test_a_killed_drawing_leaves_no_gallery_and_no_workers(tmp_path: Path) -> None:
    drawing = start_drawing(tmp_path / "gallery")
    workers = children_of(drawing.pid)
    os.kill(drawing.pid, signal.SIGKILL)
    drawing.communicate()
    assert workers
    wait_until(lambda: not any(is_running(worker) for worker in workers))
    assert not (tmp_path / "gallery").exists()
