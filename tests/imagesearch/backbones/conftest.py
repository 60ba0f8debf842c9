from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from imagesearch.backbones import ModelIdentity
from imagesearch.backbones.making import prepare_model


@dataclass(frozen=True)
class Prepared:
    models_dir: Path
    identity: ModelIdentity


@pytest.fixture(scope="session")
def efficientnet(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """EfficientNet-Lite0, converted once for all tests. Tests that change files work on a copy."""
    models_dir = tmp_path_factory.mktemp("models")
    return Prepared(models_dir, prepare_model("efficientnet-lite0", models_dir).identity)
