"""Fixtures that more than one room's tests use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


def evaluation_photos() -> Path:
    """Where the evaluation photos lie: EVAL_PHOTOS, or beside the checkout."""
    return Path(os.environ.get("EVAL_PHOTOS", REPOSITORY.parent / "shared" / "data" / "eval"))


@pytest.fixture(scope="session")
def holidays_dir() -> Path:
    directory = evaluation_photos() / "holidays"
    if not directory.is_dir():
        pytest.skip("the evaluation photos are not on this machine")
    return directory
