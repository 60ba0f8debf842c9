"""Fixtures that more than one room's tests use."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import PIL
import pytest
from hypothesis import settings

from samples.gallery import draw_gallery

# So that a failed assertion in them says what was compared, as in the tests themselves.
pytest.register_assert_rewrite("tests.imagesearch.pictures.drawn", "tests.gateway.searching")

# The same examples in every run: what fails on one machine fails on all.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

REPOSITORY = Path(__file__).parents[1]

# The same examples in every run, so that a failure is the fault of the change. To look for new ones:
# HYPOTHESIS_PROFILE=thorough.
settings.register_profile("same", deadline=None, derandomize=True, database=None)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def evaluation_photos() -> Path:
    """Where the evaluation photos lie: EVAL_PHOTOS, or beside the checkout."""
    return Path(os.environ.get("EVAL_PHOTOS", REPOSITORY.parent / "shared" / "data" / "eval"))


@pytest.fixture(scope="session")
def holidays_dir() -> Path:
    directory = evaluation_photos() / "holidays"
    if not directory.is_dir():
        pytest.skip("the evaluation photos are not on this machine")
    return directory


@pytest.fixture(scope="session")
def gallery_dir(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample pictures and their ground truth; to be read only.

    Kept in pytest's cache from run to run, until what draws them changes.
    """
    cache = getattr(pytestconfig, "cache", None)
    folder = cache.mkdir("sample-gallery") if cache else tmp_path_factory.mktemp("sample-gallery")
    digest = hashlib.sha256(f"{np.__version__} {PIL.__version__}".encode())
    for source in sorted((REPOSITORY / "samples").rglob("*.py")):
        digest.update(source.read_bytes())
    gallery = folder / digest.hexdigest()[:16]
    for other in folder.iterdir():
        if other != gallery and not other.name.startswith("."):
            shutil.rmtree(other, ignore_errors=True)
    draw_gallery(gallery)
    return gallery
