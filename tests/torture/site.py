"""Both services as processes, over a small store of a fake network, and clients of several addresses."""

from __future__ import annotations

import os
import re
import signal
import socket
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
ALL = "tests.torture.run_all"


@dataclass
class Program:
    """One of the two services, or both at once."""

    arguments: list[str]
    environment: dict[str, str]
    log: Path
    listening: re.Pattern[str] = LISTENING
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
        wait_for(lambda: self.listening.search(self.log.read_text()) is not None)
        found = self.listening.search(self.log.read_text())
        assert found
        self.port = int(found[1])

    def restart(self) -> None:
        """Once it has stopped as it does by itself."""
        self.stop()
        self.start()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(180)

    def kill(self) -> None:
        if hasattr(self, "process"):
            self.process.kill()
            self.process.wait()


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
    folder = filled(root, photos)
    service = Program([SERVICE, "0"], {**store_of(folder), "EXTRACTOR_PORT": "0"}, root / "service.log")
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
        program.kill()
        service.kill()


@contextmanager
def whole(root: Path) -> Iterator[Site]:
    """Both services as one program, as `make run` runs them."""
    folder = filled(root, PHOTOS)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    ports = {"GATEWAY_PORT": "0", "GATEWAY_EXTRACTOR_ADDRESS": address, "EXTRACTOR_PORT": address[10:]}
    settings = {**ports, **store_of(folder), "GATEWAY_RATE_LIMIT_PER_MINUTE": "0"}
    program = Program(
        [ALL], settings, root / "all.log", re.compile(r"listening on http://127\.0\.0\.1:(\d+)")
    )
    try:
        program.start()
        running = Site(folder, program, program)
        running.wait_until_ready()
        yield running
    finally:
        program.stop()


def filled(root: Path, photos: int) -> Folder:
    folder = Folder.at(root)
    for seed in range(photos):
        folder.add(f"{seed:03d}.png", png(textured(seed)))
    folder.publish(local_features=True, localization=True)
    return folder


def store_of(folder: Folder) -> dict[str, str]:
    return {"EXTRACTOR_STORE_DIR": str(folder.store_dir), "EXTRACTOR_IMAGES_DIR": str(folder.images_dir)}


def wait_for(condition: Callable[[], bool], seconds: float = 180) -> None:
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
