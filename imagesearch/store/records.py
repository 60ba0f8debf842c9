"""What a store says of one file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One distinct image of the index."""

    image_id: str
    paths: tuple[str, ...]
    """Every path of these bytes, relative to the images folder, forward slashes, sorted, at least one."""
    width: int
    height: int
    """In pixels, of the upright image."""
    media_type: str
    """Such as "image/jpeg", as found in the bytes."""
    size_bytes: int
    damaged: bool = False
    """Whether a part of the picture is missing or wrong: a tenth of its pixels at most."""
    taken_at: str = ""
    """ISO 8601 by the camera's clock, such as "2019-07-14T18:03:22"; empty where the file does not tell."""


def record_of(columns: Sequence[Any], paths: Iterable[str]) -> ImageRecord:
    """columns: as both databases hold them: image_id, width, height, media_type, size_bytes, damaged,
    taken_at."""
    image_id, width, height, media_type, size_bytes, damaged, taken_at = columns
    return ImageRecord(image_id, tuple(paths), width, height, media_type, size_bytes, bool(damaged), taken_at)


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that could not be indexed."""

    path: str
    """Relative to the images folder, forward slashes."""
    reason: str
    """The `reason` of the error that refused it, such as "UNDECODABLE_IMAGE"."""
    detail: str
    """One sentence for a person."""
