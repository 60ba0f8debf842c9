"""What `make run` starts, as real processes: indexer, search service and gateway."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import REPOSITORY
from tests.indexer.pictures import draw_texture

PATIENCE_S = 120.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def fetched(address: str) -> bytes:
    """Empty where there is no answer, or none but a problem."""
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return bytes(answer.read())
    except OSError:
        return b""


def count(address: str) -> int:
    """Of the photos that can be searched."""
    index: dict[str, Any] = json.loads(fetched(f"{address}/index") or "{}")
    return int(index.get("count", 0))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_page_is_there_at_once_and_what_is_copied_later_is_found(tmp_path: Path) -> None:
    images, gateway_port = tmp_path / "images", free_port()
    images.mkdir()
    for seed in range(6):
        draw_texture(images / f"{seed}.png", seed)
    folders = {"IMAGES_DIR": str(images), "STORE_DIR": str(tmp_path / "store")}
    environment = {
        **{
            f"{program}_{name}": path
            for program in ("INDEXER", "EXTRACTOR")
            for name, path in folders.items()
        },
        "INDEXER_DESCRIPTOR": "vlad",  # which needs no network
        "INDEXER_WORDS": "8",
        "EXTRACTOR_PORT": str(free_port()),
        "GATEWAY_PORT": str(gateway_port),
    }
    running = subprocess.Popen(
        [sys.executable, "-m", "scripts.serve"],
        cwd=REPOSITORY,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    address = f"http://127.0.0.1:{gateway_port}"
    try:
        wait_until(lambda: fetched(f"{address}/healthz") != b"")
        wait_until(lambda: count(address) == 6)
        draw_texture(images / "new.png", 100)
        wait_until(lambda: count(address) == 7)
        assert b"7 photos" in fetched(address)
    finally:
        running.send_signal(signal.SIGTERM)
        output, errors = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0, errors
    assert f"Open {address}" in output
    assert "Traceback" not in errors
