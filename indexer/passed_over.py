"""Which folders and files are passed over, and what they are called in the summary."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

from imagesearch.store.layout import StoreLayout

SYSTEM_FOLDERS = ("@eaDir", "#recycle", "$RECYCLE.BIN", ".Trash*", "__MACOSX", ".thumbnails")
"""What network storage, desktops and archives put among photos: copies of them, and what was thrown away."""

HIDDEN = "hidden folder"
STORE = "folder of a store"
EXCLUDED = "excluded by INDEXER_EXCLUDE"
LINKED = "link to a folder that is indexed where it is"
OTHER_FILES = "other file"
"""No photo by its name, or hidden."""


class Exclusion:
    """Knows what to pass over by its name. Case does not count."""

    def __init__(self, patterns: str) -> None:
        """patterns: of INDEXER_EXCLUDE, separated by commas."""
        self._patterns = [pattern.strip().strip("/").lower() for pattern in patterns.split(",")]

    def kind_of_folder(self, path: str) -> str | None:
        """path: relative to the images folder. None where it is not passed over."""
        name = _name(path)
        for folder in SYSTEM_FOLDERS:
            if fnmatchcase(name, folder.lower()):
                return folder
        return HIDDEN if name.startswith(".") else self.kind_of_file(path)

    def kind_of_file(self, path: str) -> str | None:
        """The same of a file."""
        return EXCLUDED if any(self._matches(path.lower(), pattern) for pattern in self._patterns) else None

    def passes_over(self, path: str) -> bool:
        """Whether a file, by its own name or that of a folder that it is in."""
        parts = path.split("/")
        folders = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
        return self.kind_of_file(path) is not None or any(map(self.kind_of_folder, folders))

    def _matches(self, path: str, pattern: str) -> bool:
        return fnmatchcase(path if "/" in pattern else _name(path), pattern)


def is_store(folder: Path) -> bool:
    """Whether an indexer writes, or has written, its store there."""
    layout = StoreLayout(folder)
    try:
        return layout.ledger_path.is_file() or layout.current_path.is_file()
    except OSError:  # closed to us
        return False


def _name(path: str) -> str:
    return path.rpartition("/")[2].lower()
