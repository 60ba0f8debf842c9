"""The small pictures beside the snapshots: STORE/thumbnails/ab/<image_id>.webp, 256 pixels at most, and of an
image that is larger than 512 a preview of 512, <image_id>.jpg.

Each ends with a checksum of its own, which viewers pass over: a RIFF chunk, or what follows a JPEG's end.
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
_UNFINISHED = ".new"
_SEAL = struct.Struct("<4sI")
"""Name and value of a preview's checksum."""


def write_thumbnail(layout: StoreLayout, image_id: str, webp: bytes) -> None:
    """webp: a WebP file."""
    _write(layout.thumbnail_path(image_id), _with_checksum(webp))


def write_preview(layout: StoreLayout, image_id: str, jpeg: bytes) -> None:
    """jpeg: a JPEG file."""
    _write(layout.preview_path(image_id), jpeg + _SEAL.pack(_NAME, zlib.crc32(jpeg)))


def read_thumbnail(layout: StoreLayout, image_id: str) -> bytes:
    """A WebP file. Raises StoreError where it is missing or not what was written."""
    try:
        data = layout.thumbnail_path(image_id).read_bytes()
    except OSError as error:
        raise StoreError("The store lacks the thumbnail of this image; index the photos again.") from error
    if not _is_whole(data):
        raise StoreError("The thumbnail of this image is damaged; index the photos again.")
    return data


def read_preview(layout: StoreLayout, image_id: str) -> bytes | None:
    """A JPEG file; None where there is none or it is not what was written."""
    try:
        data = layout.preview_path(image_id).read_bytes()
    except OSError:
        return None
    jpeg, seal = data[: -_SEAL.size], data[-_SEAL.size :]
    return jpeg if seal == _SEAL.pack(_NAME, zlib.crc32(jpeg)) else None


def remove_thumbnails(layout: StoreLayout, image_ids: Iterable[str]) -> None:
    """And previews."""
    for image_id in image_ids:
        layout.thumbnail_path(image_id).unlink(missing_ok=True)
        layout.preview_path(image_id).unlink(missing_ok=True)


def sweep_thumbnails(layout: StoreLayout, wanted: Container[str]) -> None:
    """Removes every thumbnail and preview but those of the `wanted` ids, and what a killed writer left."""
    unwanted = [path for path in _files(layout) if path.suffix == _UNFINISHED or path.stem not in wanted]
    for path in unwanted:
        path.unlink()


def damaged_thumbnails(layout: StoreLayout, image_ids: Iterable[str]) -> Iterator[str]:
    """The ids whose thumbnail is not there, or whose thumbnail or preview is not what was written. Reads all
    of them."""
    for image_id in image_ids:
        try:
            read_thumbnail(layout, image_id)
        except StoreError:
            yield image_id
            continue
        if read_preview(layout, image_id) is None and layout.preview_path(image_id).exists():
            yield image_id


def _files(layout: StoreLayout) -> Iterator[Path]:
    return layout.thumbnails_dir.glob("??/*")


def _write(path: Path, data: bytes) -> None:
    """By one rename: a reader reads all of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(_UNFINISHED)
    temporary.write_bytes(data)
    temporary.replace(path)


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
