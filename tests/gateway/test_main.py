from __future__ import annotations

import asyncio
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

from gateway.__main__ import main
from gateway.settings import Settings, variable
from tests.gateway.fake_service import FakeService

REPOSITORY = Path(__file__).parents[2]


def started(command: str = "serve", **settings: str) -> subprocess.Popen[str]:
    """`python -m gateway` on a free port unless told otherwise."""
    given = {f"GATEWAY_{name}": value for name, value in {"PORT": "0", **settings}.items()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    return subprocess.Popen(
        [sys.executable, "-m", "gateway", command],
        cwd=REPOSITORY,
        env={**kept, **given},
        stderr=subprocess.PIPE,
        text=True,
    )


async def health(**settings: str) -> int:
    """The exit code of the question for health."""
    with started("health", **settings) as process:
        return await asyncio.to_thread(process.wait, 60)


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
        ({"ROOT_PATH": "photos"}, "GATEWAY_ROOT_PATH: must be a path such as /photos"),
        ({"ROOT_PATH": "/search"}, "GATEWAY_ROOT_PATH: must not begin with /search, "),
        ({"EXTRACTOR_TLS_CA_FILE": "/no.pem"}, "GATEWAY_EXTRACTOR_TLS_CA_FILE: there is no file /no.pem"),
        ({"HOST": "192.0.2.1"}, "cannot listen on 192.0.2.1, port 0"),
        ({"HOST": "no such host"}, "cannot listen on no such host, port 0"),
    ],
)
def test_a_bad_setting_is_one_clear_line(settings: dict[str, str], words: str) -> None:
    assert refused(**settings).startswith(f"gateway: {words}")


@pytest.mark.parametrize("setting", ["PORT", "METRICS_PORT"])
def test_a_port_in_use_is_one_clear_line(setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused(**{setting: str(port)})
    assert line == (
        f"gateway: cannot listen on 127.0.0.1, port {port}: Address already in use; "
        f"set GATEWAY_HOST or GATEWAY_{setting}\n"
    )


def test_a_bad_setting_of_all_programs_is_named_as_it_is_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOG_FORMAT", "xml")
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("gateway: LOG_FORMAT: ")


def test_help_names_every_setting() -> None:
    text = subprocess.run(
        [sys.executable, "-m", "gateway", "--help"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in Settings.model_fields:
        assert f"{variable(name)}: " in text


@pytest.mark.parametrize(
    ("host", "shown", "names"),
    [
        ("[::1]", "[::1]", ["::1"]),
        ("::1", "[::1]", ["::1"]),
        ("::", "[::]", ["::1", "127.0.0.1"]),
        ("0.0.0.0", "0.0.0.0", ["127.0.0.1"]),
    ],
)
def test_it_listens_on_addresses_of_either_kind(host: str, shown: str, names: list[str]) -> None:
    with started(HOST=host) as process:
        assert process.stderr is not None
        seen = process.stderr.readline()
        port = re.search(re.escape(f"listening on http://{shown}:") + r"(\d+)", seen)
        assert port, seen
        for name in names:
            in_brackets = f"[{name}]" if ":" in name else name
            assert answer(f"http://{in_brackets}:{port[1]}/healthz") == b'{"status":"alive"}'
        process.terminate()
        assert process.wait(timeout=30) == 0
        rest = process.stderr.read()
    assert "::ffff:" not in rest


async def test_health_is_whether_the_gateway_of_these_settings_would_answer(service: FakeService) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = {"PORT": str(port), "API_KEY": "a kéy", "EXTRACTOR_ADDRESS": service.address}
    with started(**settings) as process:
        assert process.stderr is not None
        assert "listening" in process.stderr.readline()
        assert await health(**settings) == 0
        assert await health(**settings | {"API_KEY": "another"}) == 1
        process.terminate()
        await asyncio.to_thread(process.wait, 30)
    assert await health(**settings) == 1


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
