"""The command line: exit codes and single clear lines."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from extractor_service.__main__ import main
from extractor_service.settings import ExtractorSettings


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ExtractorSettings.model_fields:
        monkeypatch.delenv(f"EXTRACTOR_{name.upper()}", raising=False)
    monkeypatch.setenv("EXTRACTOR_STORE_DIR", str(tmp_path / "store"))


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_help_names_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    output = capsys.readouterr().out
    for name, field in ExtractorSettings.model_fields.items():
        assert f"{field.validation_alias or f'EXTRACTOR_{name.upper()}'} " in output


def test_a_bad_setting_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTRACTOR_PORT", "http")
    assert main([]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "EXTRACTOR_PORT" in lines[0]


def test_a_certificate_without_its_key_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTRACTOR_TLS_CERT_FILE", "cert.pem")
    assert main([]) == 2
    assert capsys.readouterr().err.count("EXTRACTOR_TLS_KEY_FILE") == 1


def test_a_port_in_use_is_one_line_and_exit_code_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, taken_port: int
) -> None:
    monkeypatch.setenv("EXTRACTOR_PORT", str(taken_port))
    assert main([]) == 1
    sentences = [line for line in capsys.readouterr().err.splitlines() if "Cannot listen" in line]
    assert sentences == [
        f"extractor_service: Cannot listen on 127.0.0.1:{taken_port}: Address already in use."
    ]


def test_health_of_a_service_that_is_not_there_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free_port = listener.getsockname()[1]
    monkeypatch.setenv("EXTRACTOR_PORT", str(free_port))
    assert main(["health"]) == 1
    assert capsys.readouterr().out == "NOT_SERVING\n"


def test_health_with_an_unreadable_certificate_is_a_bad_setting(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTRACTOR_TLS_CERT_FILE", "/nowhere/cert.pem")
    monkeypatch.setenv("EXTRACTOR_TLS_KEY_FILE", "/nowhere/key.pem")
    assert main(["health"]) == 2
    assert capsys.readouterr().err.count("EXTRACTOR_TLS_CERT_FILE cannot be read") == 1
