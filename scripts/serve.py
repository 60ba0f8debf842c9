"""Runs the indexer and both services as one program until Ctrl-C: what `make run` does.

The page is there at once and shows how far indexing is. When one of the three ends by itself the others are
stopped too.
"""

from __future__ import annotations

import argparse
import errno
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from extractor_service.settings import ExtractorSettings
from gateway.settings import Settings as GatewaySettings
from imagesearch.host.command_line import first_problem

Settings = TypeVar("Settings", bound=BaseSettings)

STOP_TIMEOUT_S = 20.0  # more than either service takes to drain
POLL_S = 0.5


class Process:
    """A named child with a session of its own: Ctrl-C in the terminal reaches us alone, and we stop it."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self._popen = subprocess.Popen(command, start_new_session=True)

    def exit_code(self) -> int | None:
        return self._popen.poll()

    def stop(self) -> None:
        self._popen.terminate()
        try:
            self._popen.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.serve", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="only check the settings, and that the ports are free"
    )
    options = parser.parse_args(arguments)

    gateway, extractor = from_environment(GatewaySettings), from_environment(ExtractorSettings)
    for name, host, port in (
        ("GATEWAY_PORT", gateway.host, gateway.port),
        ("EXTRACTOR_PORT", extractor.host, extractor.port),
    ):
        if is_taken(host, port):
            return complain(
                f"Port {port} is taken: stop what uses it, or choose another with {name}={port + 1}"
            )
    if options.check:
        return 0
    os.environ.setdefault("GATEWAY_EXTRACTOR_ADDRESS", f"{extractor.host}:{extractor.port}")
    interrupt_like_ctrl_c()
    return serve(
        address_to_open(gateway.host, gateway.port),
        {
            "indexer": module("indexer", "watch"),
            "extractor service": module("extractor_service"),
            "gateway": module("gateway"),
        },
    )


def from_environment(kind: type[Settings]) -> Settings:
    try:
        return kind()
    except ValidationError as error:
        raise SystemExit(first_problem(error, kind)) from None


def is_taken(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def address_to_open(host: str, port: int) -> str:
    """The page's address on this machine, also where `host` stands for all of its addresses."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(address: str, commands: Mapping[str, Sequence[str]]) -> int:
    """Runs all commands until an interrupt (returns 0) or until one ends (returns its code, at least 1)."""
    services: list[Process] = []
    try:
        for name, command in commands.items():
            services.append(Process(name, command))
        if wait_until_up(f"{address}/healthz", services):
            say(f"\n  Open {address}\n  Ctrl-C stops it.\n")
        return wait_until_one_ends(services)
    except KeyboardInterrupt:
        say("\nStopping")
        return 0
    finally:
        ignore_further_interrupts()
        for service in reversed(services):
            service.stop()


def wait_until_up(url: str, services: Sequence[Process]) -> bool:
    """False when a service ended before."""
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while all(service.exit_code() is None for service in services):
        try:
            straight.open(url, timeout=5).close()
            return True
        except OSError:
            time.sleep(POLL_S)
    return False


def wait_until_one_ends(services: Sequence[Process]) -> int:
    while True:
        for service in services:
            if (code := service.exit_code()) is not None:
                how = f"with exit code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
                complain(f"The {service.name} ended {how}; its messages are above")
                return max(code, 1)
        time.sleep(POLL_S)


def interrupt_like_ctrl_c() -> None:
    """A polite kill and a closed terminal raise KeyboardInterrupt, as Ctrl-C does."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.default_int_handler)


def ignore_further_interrupts() -> None:
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)


def module(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def complain(line: str) -> int:
    sys.stderr.write(line + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
