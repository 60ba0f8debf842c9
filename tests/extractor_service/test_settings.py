from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from extractor_service.settings import ExtractorSettings
from imagesearch.backbones.base import Precision


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ExtractorSettings.model_fields:
        monkeypatch.delenv(f"EXTRACTOR_{name.upper()}", raising=False)


def test_without_an_environment_the_service_listens_on_loopback_only() -> None:
    settings = ExtractorSettings()
    assert (settings.host, settings.port) == ("127.0.0.1", 50051)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTRACTOR_STORE_DIR", "/srv/store")
    monkeypatch.setenv("EXTRACTOR_PRECISION", "bf16")
    settings = ExtractorSettings()
    assert settings.store_dir == Path("/srv/store")
    assert settings.precision is Precision.BF16


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTRACTOR_BEARER_TOKEN", "")
    monkeypatch.setenv("EXTRACTOR_IMAGES_DIR", "")
    settings = ExtractorSettings()
    assert settings.bearer_token is None
    assert settings.images_dir == Path("photos")


def test_every_setting_is_described() -> None:
    assert all(field.description for field in ExtractorSettings.model_fields.values())


def test_the_token_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTRACTOR_BEARER_TOKEN", "open sesame")
    assert "sesame" not in repr(ExtractorSettings())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "65536"),
        ("PORT", "http"),
        ("PRECISION", "f8"),
        ("MAX_IN_FLIGHT", "0"),
        ("CALL_TIMEOUT_S", "0"),
        ("LOG_LEVEL", "loud"),
        ("TLS_CERT_FILE", "/only/the/certificate.pem"),
        ("TLS_KEY_FILE", "/only/the/key.pem"),
    ],
)
def test_a_bad_value_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"EXTRACTOR_{name}", value)
    with pytest.raises(ValidationError):
        ExtractorSettings()
