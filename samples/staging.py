"""Folders that appear whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(target: Path) -> Iterator[None]:
    """Holds off other processes that make folders beside the target, until the block ends.

    Removes what a killed process left there. The lock is on the parent folder, so no lock file stays behind.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    parent = os.open(target.parent, os.O_RDONLY)
    try:
        fcntl.flock(parent, fcntl.LOCK_EX)
        for leftover in target.parent.glob(_prefix(target) + "*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield
    finally:
        os.close(parent)


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A new folder beside the target, which replaces the target when the block ends without an exception.

    Only under `alone`. Otherwise the folder is removed and the target stays as it was.
    """
    folder = Path(tempfile.mkdtemp(prefix=_prefix(target), dir=target.parent))
    try:
        yield folder
        folder.chmod(0o755)
        _replace(target, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _replace(target: Path, folder: Path) -> None:
    """Two renames where there is an old folder; after a kill between them the next run makes it again."""
    if target.exists():
        target.rename(folder.with_name(folder.name + ".old"))
    folder.rename(target)
    shutil.rmtree(folder.with_name(folder.name + ".old"), ignore_errors=True)


def _prefix(target: Path) -> str:
    return f".{target.name}.partial-"
