"""Compiled networks that OpenVINO keeps from start to start, some 100 kB each, and their checksums.

OpenVINO believes whatever is in its files: a damaged one may describe photos wrongly without a word. So each
has its SHA-256 beside it, and one that does not agree is compiled again.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

logger = logging.getLogger(__name__)

FOLDER_NAME = ".compiled"


def trusted_folder(models_dir: Path) -> Path | None:
    """Where whole ones are, and nothing else; None where that cannot be had, and every start compiles.

    In the store, so that the indexer fills it for a service that can only read there.
    """
    folder = models_dir / FOLDER_NAME
    try:
        folder.mkdir(exist_ok=True)
        for blob in _blobs(folder):
            if not _is_whole(blob):
                blob.unlink(missing_ok=True)
                _checksum(blob).unlink(missing_ok=True)
    except OSError as error:
        logger.info("Compiled networks cannot be kept in the store: %s.", error.strerror)
        return None
    return folder


def write_checksums(folder: Path) -> None:
    """Of those that have none yet, as far as the folder can be written."""
    for blob in _blobs(folder):
        try:
            if not _checksum(blob).exists():
                _checksum(blob).write_text(_sha256(blob), "ascii")
        except OSError as error:
            logger.info("The checksum of a compiled network cannot be kept: %s.", error.strerror)


def damage(models_dir: Path) -> list[str]:
    """One sentence for each that is not what was written; one that has no checksum is never used."""
    return [
        f"The compiled network {blob.name} is damaged; it is compiled again when it is needed."
        for blob in _blobs(models_dir / FOLDER_NAME)
        if _checksum(blob).exists() and not _is_whole(blob)
    ]


def _blobs(folder: Path) -> Iterator[Path]:
    return folder.glob("*.blob")


def _checksum(blob: Path) -> Path:
    return blob.with_suffix(".sha256")


def _is_whole(blob: Path) -> bool:
    try:
        return _checksum(blob).read_bytes() == _sha256(blob).encode()
    except FileNotFoundError:
        return False


def _sha256(blob: Path) -> str:
    return hashlib.sha256(blob.read_bytes()).hexdigest()
