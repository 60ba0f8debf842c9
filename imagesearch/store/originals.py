"""Finds and reads the file of an indexed image: the very bytes that were indexed, never other ones."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path, PurePosixPath

from imagesearch.errors import OptionUnavailable, PhotoGone
from imagesearch.store.layout import image_id_of
from imagesearch.store.records import ImageRecord

logger = logging.getLogger(__name__)

_State = tuple[int, ...]
"""Of a file: which one it is, its size, and when its bytes and its entry changed last."""


@dataclass(frozen=True, slots=True)
class Original:
    """A file whose bytes were the indexed ones when it was found. Holds nothing open."""

    record: ImageRecord
    name: str
    """Of those it has in the record the one it was found by, without its folder."""
    path: Path
    """Absolute, links resolved."""
    state: _State

    def read(self, offset: int, count: int) -> bytes:
        """count: within the file. Raises PhotoGone where the file is not as it was when it was found."""
        try:
            with self.path.open("rb") as file:
                file.seek(offset)
                content = file.read(count)
                unchanged = _state(file) == self.state
        except OSError as error:
            logger.warning("cannot read an indexed image: %s", error)
            unchanged = False
        if not unchanged:
            raise PhotoGone("The file of this image changed while it was read; index the photos again.")
        return content


def find_original(images_dir: Path, record: ImageRecord) -> Original:
    """The first of the record's paths that holds the indexed bytes. Hashes the file: 0.7 ms a megabyte.

    Raises PhotoGone where none does: moved, changed, unreadable or outside the folder.
    """
    root = images_dir.resolve()
    for relative in record.paths:
        try:
            found = _checked(root, relative, record)
        except (OSError, RuntimeError, ValueError) as error:  # links in a circle; a zero byte in the path
            logger.warning("cannot read an indexed image: %s", error)
            continue
        if found is not None:
            return found
    raise PhotoGone("The file of this image is gone or has changed since; index the photos again.")


def read_original(images_dir: Path, record: ImageRecord) -> bytes:
    """The bytes that were indexed. Raises OptionUnavailable where they are gone."""
    try:
        return find_original(images_dir, record).read(0, record.size_bytes)
    except PhotoGone as error:
        raise OptionUnavailable(
            "The original file of this image is gone or has changed, so a part of it cannot be searched for; "
            "index the photos again."
        ) from error


def _checked(root: Path, relative: str, record: ImageRecord) -> Original | None:
    path = (root / relative).resolve()
    if not path.is_relative_to(root):
        logger.warning("the store names a file outside the images folder: %s", relative)
        return None
    if not path.is_file() or path.stat().st_size != record.size_bytes:
        return None
    with path.open("rb") as file:
        # Taken first: a change during the hashing shows when the file is read.
        state = _state(file)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if image_id_of(digest) != record.image_id:
        return None
    return Original(record, PurePosixPath(relative).name, path, state)


def _state(file: BufferedReader) -> _State:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
