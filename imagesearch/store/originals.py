"""Reads the original file of an indexed image."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from imagesearch.errors import OptionUnavailable
from imagesearch.store.layout import image_id_of
from imagesearch.store.records import ImageRecord

logger = logging.getLogger(__name__)


def read_original(images_dir: Path, record: ImageRecord) -> bytes:
    """The bytes that were indexed, from whichever of the record's paths still holds them.

    Raises OptionUnavailable where none does, be it moved, changed, unreadable or outside the folder.
    """
    for path in record.paths:
        content = _read_inside(images_dir, path)
        if content is not None and image_id_of(hashlib.sha256(content).hexdigest()) == record.image_id:
            return content
    raise OptionUnavailable(
        "The original file of this image is gone or has changed, so a part of it cannot be searched for; "
        "index the photos again."
    )


def _read_inside(images_dir: Path, relative: str) -> bytes | None:
    root = images_dir.resolve()
    path = (root / relative).resolve()
    if not path.is_relative_to(root):
        logger.warning("the store names a file outside the images folder: %s", relative)
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        logger.warning("cannot read an indexed image: %s", error)
        return None
