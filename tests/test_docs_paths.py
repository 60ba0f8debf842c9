"""Every file and folder of this repository that the documents name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
FOLDERS = {
    *("benchmarks", "docs", "extractor_service", "gateway", "imagesearch", "indexer", "protos"),
    *("requirements", "samples", "scripts", "tests", "training"),
    *(".ci", ".github"),
}
"""Not models/, which a store has as well."""
QUOTED = re.compile(r"`([\w./*-]+)`")


def named_paths(text: str) -> list[str]:
    """Names in backticks that can be nothing but paths from the repository's root, or of a Python file."""
    return [
        name
        for name in QUOTED.findall(text)
        if name.endswith(".py") or ("/" in name and name.split("/")[0] in FOLDERS)
    ]


def exists(name: str) -> bool:
    """A bare name of a Python file may be anywhere."""
    if "/" in name:
        return any(REPOSITORY.glob(name.rstrip("/")))
    return any(path for folder in FOLDERS for path in (REPOSITORY / folder).rglob(name))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    assert [name for name in named_paths(page.read_text("utf-8")) if not exists(name)] == []


def test_a_path_that_is_gone_is_found() -> None:
    there = "`gateway/app.py`, `app.py`, `requirements/*.in`, `image/jpeg`, `python -m gateway`"
    text = there + "`gateway/gone.py`, `gone.py`, `room/gone.py`, `docs/gone/`"
    assert [name for name in named_paths(text) if not exists(name)] == [
        "gateway/gone.py",
        "gone.py",
        "room/gone.py",
        "docs/gone/",
    ]
