"""The accepted image formats: one table, and which of them a file is by its first bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from imagesearch.errors import UnsupportedImageType

BMP_HEADER_BYTES = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
"""Sizes of the header's known versions: "BM" alone begins many a text."""
AVIF_BRANDS = frozenset({b"avif", b"avis"})
HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """One kind of image file."""

    name: str
    """As a person knows it."""
    media_type: str
    pillow_name: str
    """As Pillow knows it."""
    suffixes: frozenset[str]
    """The endings of its files' names, in lower case."""
    begins: Callable[[bytes], bool]
    """Whether a file of these bytes is one."""


def sniff(data: bytes) -> ImageFormat:
    """The format that the first bytes tell. Raises UnsupportedImageType."""
    for image_format in FORMATS:
        if image_format.begins(data):
            return image_format
    *names, last = [image_format.name for image_format in FORMATS]
    raise UnsupportedImageType(f"The file is not an image of an accepted type: {', '.join(names)} or {last}.")


def _begins_with(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(signatures)


def _is_webp(data: bytes) -> bool:
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def _is_bmp(data: bytes) -> bool:
    return data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in BMP_HEADER_BYTES


def _has_brand(wanted: frozenset[bytes], *others: frozenset[bytes]) -> Callable[[bytes], bool]:
    """AVIF and HEIC share a container; the first brand that is known tells which, the major one first
    (ISO 14496-12, 4.3)."""
    known = wanted.union(*others)

    def begins(data: bytes) -> bool:
        first = next((brand for brand in _brands(data) if brand in known), None)
        return first in wanted

    return begins


def _brands(data: bytes) -> list[bytes]:
    if data[4:8] != b"ftyp":
        return []
    box_bytes = int.from_bytes(data[:4], "big")
    header = data[8 : min(box_bytes, 256)]
    return [header[:4], *(header[start : start + 4] for start in range(8, len(header), 4))]


FORMATS = (
    ImageFormat(
        "JPEG",
        "image/jpeg",
        "JPEG",
        frozenset({".jpg", ".jpeg", ".jpe", ".jfif"}),
        _begins_with(b"\xff\xd8\xff"),
    ),
    ImageFormat("PNG", "image/png", "PNG", frozenset({".png"}), _begins_with(b"\x89PNG\r\n\x1a\n")),
    ImageFormat("WebP", "image/webp", "WEBP", frozenset({".webp"}), _is_webp),
    ImageFormat("GIF", "image/gif", "GIF", frozenset({".gif"}), _begins_with(b"GIF87a", b"GIF89a")),
    ImageFormat("BMP", "image/bmp", "BMP", frozenset({".bmp"}), _is_bmp),
    ImageFormat("AVIF", "image/avif", "AVIF", frozenset({".avif"}), _has_brand(AVIF_BRANDS, HEIC_BRANDS)),
    ImageFormat(
        "HEIC",
        "image/heic",
        "HEIF",
        frozenset({".heic", ".heif"}),
        _has_brand(HEIC_BRANDS, AVIF_BRANDS),
    ),
)
"""Every format that is accepted, at every door."""
SUFFIXES = frozenset().union(*(image_format.suffixes for image_format in FORMATS))
"""The endings of the names of files that may be photos, in lower case."""
