"""Both services as processes, over a small store of a fake network, and clients of several addresses."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.conftest import REPOSITORY
from tests.extractor_service.serving import Folder, png, textured

PHOTOS = 40
SERVICE = "tests.extractor_service.transport.serve_slowly"
LISTENING = re.compile(r"listening on (?:http://)?127\.0\.0\.1:(\d+)")


@dataclass
class Program:
    """One of the two services."""

    arguments: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] = field(init=False)
    port: int = 0

    def start(self) -> None:
        """Where it listened before, if it did."""
        environment = {**os.environ, **self.environment}
        if self.port:
            environment[next(key for key in self.environment if key.endswith("_PORT"))] = str(self.port)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.arguments],
                cwd=REPOSITORY,
                env=environment,
                stdout=log,
                stderr=log,
            )
        wait_for(lambda: LISTENING.search(self.log.read_text()) is not None)
        found = LISTENING.search(self.log.read_text())
        assert found
        self.port = int(found[1])

    def restart(self) -> None:
        """Once it has stopped as it does by itself."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.start()


@dataclass
class Site:
    folder: Folder
    service: Program
    gateway: Program

    def client(self, address: str = "127.0.0.1") -> httpx.Client:
        """address: where it calls from; all of 127.0.0.0/8 is this machine."""
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.gateway.port}",
            transport=httpx.HTTPTransport(local_address=address),
            timeout=60,
            trust_env=False,
        )

    def wait_until_ready(self) -> None:
        with self.client() as client:
            wait_for(lambda: client.get("/readyz").status_code == 200)


@contextmanager
def site(root: Path, photos: int = PHOTOS, **gateway: str) -> Iterator[Site]:
    """gateway: its settings, as in GATEWAY_<NAME>."""
    folder = Folder.at(root)
    for seed in range(photos):
        folder.add(f"{seed:03d}.png", png(textured(seed)))
    folder.publish(local_features=True, localization=True)
    store = {
        "EXTRACTOR_STORE_DIR": str(folder.store_dir),
        "EXTRACTOR_IMAGES_DIR": str(folder.images_dir),
        "EXTRACTOR_PORT": "0",
        "EXTRACTOR_LOG_LEVEL": "INFO",
    }
    service = Program([SERVICE, "0"], store, root / "service.log")
    service.start()
    wanted = {f"GATEWAY_{name}": value for name, value in gateway.items()}
    address = {"GATEWAY_PORT": "0", "GATEWAY_EXTRACTOR_ADDRESS": f"127.0.0.1:{service.port}"}
    program = Program(["gateway"], {**address, **wanted}, root / "gateway.log")
    try:
        program.start()
        running = Site(folder, service, program)
        running.wait_until_ready()
        yield running
    finally:
        for each in (program, service):
            if hasattr(each, "process"):
                each.process.kill()
                each.process.wait()


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Raises TimeoutError."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        try:
            if condition():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise TimeoutError
