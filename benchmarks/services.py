"""Both services and the indexer as processes of their own, as a user runs them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

from imagesearch.store.indexing import read_indexing
from imagesearch.store.layout import StoreLayout

READY_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Indexing:
    """One `python -m indexer build`."""

    seconds: float
    """Start-up included."""
    phases_s: dict[str, float]
    """How long it was in each phase that it tells of."""
    peak_mb: float
    """Memory of the indexer and its decoders together, what they share counted once."""


def index(images_dir: Path, store_dir: Path, model: str, local_features: bool = True) -> Indexing:
    """Into a new or existing store."""
    environment = {
        "INDEXER_IMAGES_DIR": str(images_dir),
        "INDEXER_STORE_DIR": str(store_dir),
        "INDEXER_MODEL": model,
        "INDEXER_LOCAL_FEATURES": str(local_features),
    }
    command = [sys.executable, "-m", "indexer", "build"]
    layout, phases_s = StoreLayout(store_dir), defaultdict[str, float](float)
    start = seen = time.perf_counter()
    peak_mb = 0.0
    with subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak_mb = max(peak_mb, memory_mb(process.pid))
            time.sleep(0.1)
            if indexing := read_indexing(layout):
                phases_s[indexing.phase] += time.perf_counter() - seen
            seen = time.perf_counter()
    if process.returncode:
        raise SystemExit(f"the indexer ended with {process.returncode}")
    return Indexing(time.perf_counter() - start, dict(phases_s), peak_mb)


def memory_mb(pid: int) -> float:
    """Of a process and all that it started: proportional shares, without the file cache's pages."""
    total = 0.0
    with suppress(OSError):  # it has just ended
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(("Pss_Anon:", "Pss_Shmem:")):
                total += int(line.split()[1]) / 1e3
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            total += sum(memory_mb(int(child)) for child in children.read_text().split())
    return total


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
