"""docs/settings.md names every setting, with its default and its description, and none that is gone."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from extractor_service.settings import ExtractorSettings
from gateway.settings import Settings as GatewaySettings
from indexer.settings import IndexerSettings
from training.settings import TrainingSettings

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"


def documented_rows() -> list[str]:
    return [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]


def expected_rows(settings: type[BaseSettings]) -> list[str]:
    prefix = settings.model_config["env_prefix"]
    return [
        f"| `{field.validation_alias or prefix + name.upper()}` "
        f"| {shown(name, field.default)} | {field.description} |"
        for name, field in settings.model_fields.items()
    ]


def shown(name: str, default: object) -> str:
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if default is None or default == "":
        return "unset"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, Enum):
        return f"`{default.value}`"
    if isinstance(default, int) and name.endswith("_bytes"):
        return f"`{default}` ({default / 2**20:g} MiB)"
    return f"`{default}`"


def test_the_page_lists_each_setting_as_it_is() -> None:
    expected = [
        row
        for settings in (GatewaySettings, ExtractorSettings, IndexerSettings, TrainingSettings)
        for row in expected_rows(settings)
    ]
    assert documented_rows() == expected, "docs/settings.md should hold these rows:\n" + "\n".join(expected)
