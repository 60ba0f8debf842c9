from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.serve import address_to_open, is_taken, serve

REPOSITORY = Path(__file__).parents[2]
NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing answers
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def noting_its_end(note: Path) -> list[str]:
    """A service that writes `note` when it has started, in one step, and when it is asked to stop."""
    program = f"""
import os, pathlib, signal, sys, time
note, draft = pathlib.Path({str(note)!r}), pathlib.Path({str(note.with_suffix(".draft"))!r})
def stop(*_):
    note.write_text("stopped")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
draft.write_text("started")
os.replace(draft, note)
time.sleep(600)
"""
    return [sys.executable, "-c", program]


def ending_after(note: Path, code: int) -> list[str]:
    """A service that ends by itself once `note` is there."""
    program = f"""
import pathlib, sys, time
while not pathlib.Path({str(note)!r}).exists():
    time.sleep(0.01)
sys.exit({code})
"""
    return [sys.executable, "-c", program]


@pytest.fixture(autouse=True)
def _signals_as_before() -> object:
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = [signal.getsignal(signum) for signum in signals]
    yield
    for signum, handler in zip(signals, handlers, strict=True):
        signal.signal(signum, handler)


@pytest.mark.parametrize(("code", "returned"), [(3, 3), (0, 1)])
def test_when_one_service_ends_the_other_is_stopped(
    code: int, returned: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = tmp_path / "note"
    assert serve(NOWHERE, {"one": ending_after(note, code), "other": noting_its_end(note)}) == returned
    assert note.read_text() == "stopped"
    assert f"The one ended with exit code {code}" in capsys.readouterr().err


def test_a_killed_service_is_said_to_be_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    killed = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
    assert serve(NOWHERE, {"one": killed, "other": noting_its_end(tmp_path / "note")}) == 1
    assert "The one ended by SIGKILL" in capsys.readouterr().err


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_both_services(signum: signal.Signals, tmp_path: Path) -> None:
    notes = [tmp_path / "first", tmp_path / "second"]
    commands = {note.name: noting_its_end(note) for note in notes}
    program = f"""
import sys
from scripts.serve import interrupt_like_ctrl_c, serve
interrupt_like_ctrl_c()
sys.exit(serve({NOWHERE!r}, {commands!r}))
"""
    running = subprocess.Popen(
        [sys.executable, "-c", program], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    while not all(note.exists() for note in notes):
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signum)
    output, _ = running.communicate(timeout=60)
    assert (running.returncode, output.strip()) == (0, "Stopping")
    assert [note.read_text() for note in notes] == ["stopped", "stopped"]


def test_a_taken_port_is_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert is_taken("127.0.0.1", port)
    assert not is_taken("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("photos.example", "http://photos.example:8000"),
    ],
)
def test_the_printed_address_can_be_opened(host: str, address: str) -> None:
    assert address_to_open(host, 8000) == address
