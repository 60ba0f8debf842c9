from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateway.settings import Settings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_PORT", "9000")
    monkeypatch.setenv("GATEWAY_MAX_UPLOAD_BYTES", "")
    settings = Settings()
    assert settings.port == 9000
    assert settings.max_upload_bytes == 10 * 2**20


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("MAX_UPLOAD_BYTES", "0"),
        ("MAX_PIXELS", "many"),
        ("SEARCH_TIMEOUT_S", "0"),
        ("RATE_LIMIT_PER_MINUTE", "-1"),
        ("MAX_CONCURRENT_SEARCHES", "0"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, everybody"),
    ],
)
def test_a_bad_value_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"GATEWAY_{name}", value)
    with pytest.raises(ValidationError):
        Settings()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


def test_the_token_is_not_shown() -> None:
    assert "hush" not in repr(Settings(extractor_token="hush"))


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
