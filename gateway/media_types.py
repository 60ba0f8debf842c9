"""The image formats that are indexed: what originals go out as, what users call them, what browsers show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    """As a person knows it."""
    is_shown: bool = True
    """False where browsers do not show it: its thumbnail takes its place."""


FORMATS = {
    "image/jpeg": Format("JPEG"),
    "image/png": Format("PNG"),
    "image/webp": Format("WebP"),
    "image/gif": Format("GIF"),
    "image/bmp": Format("BMP"),
    "image/avif": Format("AVIF"),
    "image/heic": Format("HEIC", is_shown=False),
    "image/tiff": Format("TIFF", is_shown=False),
}
"""By media type, in the order in which sentences name them."""


def is_shown(media_type: str) -> bool:
    """True if browsers show pictures of this type."""
    return media_type in FORMATS and FORMATS[media_type].is_shown


def safe(media_type: str) -> str:
    """The type itself; for one that is no image, which a browser might run, that of mere bytes."""
    return media_type if media_type in FORMATS else "application/octet-stream"
