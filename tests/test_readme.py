"""What the README and the other pages tell people to type and to open exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
MAKE = re.compile(r"\bmake ([a-z]+(?:-[a-z]+)*)")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def shell_lines(page: Path) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return "".join(blocks).splitlines()


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text("utf-8"), flags=re.MULTILINE))


def test_every_make_command_in_the_pages_is_a_target() -> None:
    shown = {name for page in PAGES for line in shell_lines(page) for name in MAKE.findall(line)}
    assert {"run", "test"} <= shown <= make_targets()


def test_make_help_lists_every_target_that_is_for_people() -> None:
    listed = subprocess.run(
        ["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (REPOSITORY / "Makefile").read_text("utf-8"), flags=re.MULTILINE)
    assert phony
    assert set(MAKE.findall(listed)) == set(phony[1].split()) <= make_targets()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert [link for link in LINK.findall(page.read_text("utf-8")) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize(
    "command",
    [
        "gateway",
        "extractor_service",
        "indexer",
        "indexer build",
        "indexer watch",
        "indexer status",
        "indexer verify",
        "indexer prune",
        "indexer weights",
        "samples",
        "samples draw",
        "samples photos",
        "training",
        "training finetune",
    ],
)
def test_every_command_explains_itself(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command.split(), "--help"], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ")


def test_the_python_example_is_valid() -> None:
    blocks = re.findall(
        r"^```python\n(.*?)^```", (REPOSITORY / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert blocks
    for block in blocks:
        compile(block, "README.md", "exec")
