from __future__ import annotations

from pathlib import Path

import pytest

from tests.extractor_service.serving import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Twelve indexed photos."""
    folder = Folder.at(tmp_path, seeds=range(12))
    folder.publish()
    return folder
