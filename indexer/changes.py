"""Waits for something to happen in a folder: told by the system where it can, else by the clock."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import watchfiles

from imagesearch.host.files import file_systems
from indexer.settings import IndexerSettings

logger = logging.getLogger(__name__)

logging.getLogger(watchfiles.__name__).setLevel(logging.WARNING)  # else it tells of every change

DEBOUNCE_MS = 400
STEP_S = 0.5
"""Between two looks at whether the folder is another one: something was mounted over it, or is no more."""
SILENT_POLL_S = 10.0
LOOKS_APART = 5
"""Times as long as one takes, where the clock alone tells when to look again."""
RESCAN_S = 600.0
"""Where the system tells of changes: in case it missed some."""
SILENT = {
    "9p", "afs", "ceph", "cifs", "davfs", "drvfs", "fakeowner", "glusterfs", "lustre", "nfs", "nfs4",
    "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs",
}  # fmt: skip
"""File systems that do not tell of what others change in them."""


class Changes:
    """Of one folder, with all that is in it but the store and what is hidden."""

    def __init__(self, settings: IndexerSettings) -> None:
        self._folder = settings.images_dir
        self._store = settings.store_dir.resolve()
        self._poll_s = settings.poll_s
        self.rest_s = 0.0
        """Longest wait."""
        self._follow()

    def wait(self, at_most_s: float, look_s: float) -> None:
        """Returns when something has changed since the last time, or may have, or after so long.

        look_s: what a look through the folder takes, which is to be a small part of the time.
        """
        time.sleep(min(look_s, at_most_s))
        until = time.monotonic() + min(at_most_s, max(self.rest_s, LOOKS_APART * look_s))
        while time.monotonic() < until:
            if _identity(self._folder) != self._followed:
                self._follow()
                return
            if next(self._events):
                return

    def _follow(self) -> None:
        self._followed = _identity(self._folder)
        self._events = self._told()
        silent = is_silent(self._folder)
        try:
            next(self._events)
        except OSError as error:
            if self._followed is not None:
                logger.warning("The system does not tell of changes in %s: %s.", self._folder, error)
                silent = True
            self._events = _nothing_told()
        self.rest_s = self._poll_s or (SILENT_POLL_S if silent else RESCAN_S)

    def _told(self) -> Iterator[object]:
        """True in effect where there were events, after STEP_S at the latest."""
        return watchfiles.watch(
            self._folder.resolve(),
            watch_filter=self._matters,
            debounce=DEBOUNCE_MS,
            rust_timeout=int(STEP_S * 1_000),
            yield_on_timeout=True,
            ignore_permission_denied=True,
        )

    def _matters(self, _: watchfiles.Change, name: str) -> bool:
        path = Path(name)
        hidden = any(part.startswith(".") for part in path.relative_to(self._folder.resolve()).parts)
        return not hidden and not path.is_relative_to(self._store)


def is_silent(folder: Path) -> bool:
    """Whether changes in a part of the folder may not be told of."""
    return any(kind in SILENT or kind.startswith("fuse") for kind in file_systems(folder))


def _nothing_told() -> Iterator[object]:
    while True:
        time.sleep(STEP_S)
        yield None


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
