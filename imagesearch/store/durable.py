"""Durable writing by one writer at a time: a crash leaves the old or the new, a full disk is a StoreFull."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imagesearch.errors import StoreBusy, StoreFull
from imagesearch.store.layout import StoreLayout

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# SQLite says FULL for ENOSPC; a quota, a limit on file sizes and a full disk under its shared memory
# come out as failed writes.
_SQLITE_NO_SPACE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
_UNWRITABLE = "The store cannot be written: there is no space left for it, or its disk fails."
_FULL = "There is no space left for the store; free some or prune old snapshots, then index again."


@contextmanager
def full_disk_as_store_full() -> Iterator[None]:
    """Raises StoreFull where the operating system or SQLite reports that no more can be written."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        raise StoreFull(_FULL) from error
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode not in _SQLITE_NO_SPACE:
            raise
        in_doubt = error.sqlite_errorcode == sqlite3.SQLITE_IOERR_WRITE
        raise StoreFull(_UNWRITABLE if in_doubt else _FULL) from error


def sync_file(path: Path) -> None:
    _sync(path, os.O_RDONLY)


def sync_directory(path: Path) -> None:
    """Makes the names in a directory survive a power failure, not only what they name."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def replace_file(path: Path, content: bytes) -> None:
    """A reader sees the old content or the new, whole, and so does the next start after a power failure."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_directory(path.parent)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(layout: StoreLayout) -> Iterator[None]:
    """Holds the store, which is created where it is missing, against other writers; readers do not mind.

    The kernel lets go of it however the process ends. Raises StoreBusy at once.
    """
    layout.root.mkdir(parents=True, exist_ok=True)
    with layout.lock_path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreBusy("Another indexer is at work on this store; wait until it is done.") from error
        yield
