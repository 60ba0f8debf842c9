"""The image types that originals go out as, and which of them browsers show."""

from __future__ import annotations

IS_SHOWN = {
    "image/avif": True,
    "image/bmp": True,
    "image/gif": True,
    "image/heic": False,
    "image/jpeg": True,
    "image/png": True,
    "image/tiff": False,
    "image/webp": True,
}
"""Every format that is indexed. What browsers do not show is shown by its thumbnail."""


def is_shown(media_type: str) -> bool:
    """True if browsers show pictures of this type."""
    return IS_SHOWN.get(media_type, False)


def safe(media_type: str) -> str:
    """The type itself; for one that is no image, which a browser might run, that of mere bytes."""
    return media_type if media_type in IS_SHOWN else "application/octet-stream"
