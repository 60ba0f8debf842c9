"""Both services and the indexer as processes of their own, as a user runs them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

READY_TIMEOUT_S = 120


def index(images_dir: Path, store_dir: Path, model: str) -> float:
    """Seconds of one `python -m indexer build` into a new or existing store, start-up included."""
    start = time.perf_counter()
    _run_indexer(images_dir, store_dir, model)
    return time.perf_counter() - start


def _run_indexer(images_dir: Path, store_dir: Path, model: str) -> None:
    command = [
        sys.executable,
        "-m",
        "indexer",
        "build",
        "--images",
        str(images_dir),
        "--store",
        str(store_dir),
    ]
    subprocess.run(command, env=os.environ | {"INDEXER_MODEL": model}, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def serving(store_dir: Path, images_dir: Path) -> Iterator[int]:
    """The gateway's port, once it is ready to answer. Ends both processes."""
    gateway_port, extractor_port = free_port(), free_port()
    environment = os.environ | {
        "EXTRACTOR_STORE_DIR": str(store_dir),
        "EXTRACTOR_IMAGES_DIR": str(images_dir),
        "EXTRACTOR_PORT": str(extractor_port),
        "GATEWAY_PORT": str(gateway_port),
        "GATEWAY_EXTRACTOR_ADDRESS": f"127.0.0.1:{extractor_port}",
        "GATEWAY_RATE_LIMIT_PER_MINUTE": "0",
        "EXTRACTOR_LOG_LEVEL": "WARNING",
    }
    processes = [
        subprocess.Popen([sys.executable, "-m", room], env=environment)
        for room in ("extractor_service", "gateway")
    ]
    try:
        wait_until_ready(gateway_port)
        yield gateway_port
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)


def wait_until_ready(gateway_port: int) -> None:
    """Raises TimeoutError."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{gateway_port}/readyz", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.02)
    raise TimeoutError("the services did not become ready")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
