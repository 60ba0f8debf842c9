"""The small pictures beside the snapshots: STORE/thumbnails/ab/<image_id>.webp.

Each ends with a checksum of its own, a RIFF chunk that viewers pass over: WebP has none.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

from imagesearch.errors import StoreError
from imagesearch.store.layout import StoreLayout

_RIFF_BYTES = 8
"""RIFF, and the length of all that follows."""
_CHECKSUM = struct.Struct("<4sII")
"""Name, length and value of the last chunk."""
_NAME = b"CRC "


def write_thumbnail(layout: StoreLayout, image_id: str, webp: bytes) -> None:
    """Writes by one rename: a reader reads all of it. webp: a WebP file."""
    path = layout.thumbnail_path(image_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_bytes(_with_checksum(webp))
    temporary.replace(path)


def read_thumbnail(layout: StoreLayout, image_id: str) -> bytes:
    """A WebP file. Raises StoreError where it is missing or not what was written."""
    try:
        data = layout.thumbnail_path(image_id).read_bytes()
    except OSError as error:
        raise StoreError("The store lacks the thumbnail of this image; index the photos again.") from error
    if not _is_whole(data):
        raise StoreError("The thumbnail of this image is damaged; index the photos again.")
    return data


def remove_thumbnails(layout: StoreLayout, image_ids: Iterable[str]) -> None:
    for image_id in image_ids:
        layout.thumbnail_path(image_id).unlink(missing_ok=True)


def sweep_thumbnails(layout: StoreLayout, wanted: Container[str]) -> None:
    """Removes every thumbnail but those of the `wanted` ids, and what a killed writer left."""
    unwanted = [path for path in _files(layout) if path.suffix != ".webp" or path.stem not in wanted]
    for path in unwanted:
        path.unlink()


def damaged_thumbnails(layout: StoreLayout, image_ids: Iterable[str]) -> Iterator[str]:
    """The ids whose thumbnail is not there or is not what was written. Reads all of them."""
    for image_id in image_ids:
        try:
            read_thumbnail(layout, image_id)
        except StoreError:
            yield image_id


def _files(layout: StoreLayout) -> Iterator[Path]:
    return layout.thumbnails_dir.glob("??/*")


def _with_checksum(webp: bytes) -> bytes:
    length = len(webp) - _RIFF_BYTES + _CHECKSUM.size
    body = webp[_RIFF_BYTES:]
    return webp[:4] + struct.pack("<I", length) + body + _CHECKSUM.pack(_NAME, 4, zlib.crc32(body))


def _is_whole(data: bytes) -> bool:
    """One that an earlier version wrote has no checksum: only its lengths and its beginning are looked at."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < _RIFF_BYTES + 2 * _CHECKSUM.size:
        return False
    riff_length, picture_length = (int.from_bytes(data[at : at + 4], "little") for at in (4, 16))
    end = 20 + picture_length + picture_length % 2
    if riff_length != len(data) - _RIFF_BYTES or end == len(data):
        return riff_length == len(data) - _RIFF_BYTES
    return data[end:] == _CHECKSUM.pack(_NAME, 4, zlib.crc32(data[_RIFF_BYTES:end]))
