from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from gateway.settings import Settings

REPOSITORY = Path(__file__).parents[2]


def started(**settings: str) -> subprocess.Popen[str]:
    """`python -m gateway` on a free port unless told otherwise."""
    given = {f"GATEWAY_{name}": value for name, value in {"PORT": "0", **settings}.items()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    return subprocess.Popen(
        [sys.executable, "-m", "gateway"],
        cwd=REPOSITORY,
        env={**kept, **given},
        stderr=subprocess.PIPE,
        text=True,
    )


def refused(**settings: str) -> str:
    """The one line that a gateway which cannot start ends with."""
    with started(**settings) as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors.count("\n") == 1
    return errors


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"PORT": "eighty"}, "GATEWAY_PORT: "),
        ({"TRUSTED_PROXIES": "everybody"}, "GATEWAY_TRUSTED_PROXIES: "),
        ({"EXTRACTOR_TLS_CA_FILE": "/no.pem"}, "GATEWAY_EXTRACTOR_TLS_CA_FILE: there is no file /no.pem"),
        ({"HOST": "192.0.2.1"}, "cannot listen on 192.0.2.1, port 0"),
        ({"HOST": "no such host"}, "cannot listen on no such host, port 0"),
    ],
)
def test_a_bad_setting_is_one_clear_line(settings: dict[str, str], words: str) -> None:
    assert refused(**settings).startswith(f"gateway: {words}")


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused(PORT=str(port))
    assert line == (
        f"gateway: cannot listen on 127.0.0.1, port {port}: Address already in use; "
        "set GATEWAY_HOST or GATEWAY_PORT\n"
    )


def test_help_names_every_setting() -> None:
    text = subprocess.run(
        [sys.executable, "-m", "gateway", "--help"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in Settings.model_fields:
        assert f"GATEWAY_{name.upper()}: " in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_and_leaves_in_good_order(number: signal.Signals) -> None:
    with started() as process:
        assert process.stderr is not None
        seen = process.stderr.readline()
        address = re.search(r"listening on (http://127\.0\.0\.1:\d+)", seen)
        assert address, seen
        assert answer(f"{address[1]}/healthz") == b'{"status":"alive"}'
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
        rest = process.stderr.read()
    assert "GET /healthz 200 in" in rest
    assert "Traceback" not in rest


def answer(address: str) -> bytes:
    """What is there, once somebody is."""
    for _ in range(100):
        try:
            with urllib.request.urlopen(address, timeout=30) as response:
                return bytes(response.read())
        except ConnectionError:
            time.sleep(0.1)
    raise AssertionError(f"nobody answers at {address}")
