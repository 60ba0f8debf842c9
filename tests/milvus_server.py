"""A real Milvus server for tests: of the package `milvus`, with its data in a folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from imagesearch.index.milvus.server import MilvusAddress, connected

START_S = 120.0


class MilvusServer:
    """What it holds survives a kill."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._port = listener.getsockname()[1]
        self.address = MilvusAddress(f"http://127.0.0.1:{self._port}")

    def start(self) -> None:
        command = [sys.executable, "-c", "import sys, milvus; sys.exit(milvus.main())"]
        options = ["--data", str(self._data_dir), "--proxy-port", str(self._port)]
        self._process = subprocess.Popen(
            [*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def wait_until_it_answers(self) -> None:
        give_up_s = time.monotonic() + START_S
        while True:
            try:
                connected(self.address).client.list_collections(timeout=1)
                return
            except Exception:  # of whatever kind: it is not there yet
                assert time.monotonic() < give_up_s, "the server does not start"
                time.sleep(0.2)

    def kill(self) -> None:
        """The server and what has started it."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@contextmanager
def running_server(data_dir: Path) -> Iterator[MilvusServer]:
    pytest.importorskip("pymilvus", reason="needs requirements/milvus.txt")
    pytest.importorskip("milvus", reason="needs the package milvus, a server")
    server = MilvusServer(data_dir)
    server.start()
    try:
        server.wait_until_it_answers()
        yield server
    finally:
        server.kill()
