"""Files of a run, each under its name only once it is whole."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from training.errors import DiskFull


@contextmanager
def disk_full_told(folder: Path) -> Iterator[None]:
    """Raises DiskFull."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull(
                f"The disk is full: {folder} has no room for what training writes. Free some space, and the "
                "same command goes on from the last whole checkpoint."
            ) from error
        raise


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write; nothing unfinished stays behind a failure. Raises DiskFull."""
    unfinished = path.with_name(f".{path.name}.tmp")
    try:
        with disk_full_told(path.parent), unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
