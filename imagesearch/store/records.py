"""What a store says of one file."""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that could not be indexed."""

    path: str
    """Relative to the images folder, forward slashes."""
    reason: str
    """The `reason` of the error that refused it, such as "UNDECODABLE_IMAGE"."""
    detail: str
    """One sentence for a person."""
