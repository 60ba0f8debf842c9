"""WebP files, of which the first frame is the picture (RFC 9649)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from PIL import Image

from imagesearch.pictures.readers.damage import (
    check_shown,
    completions,
    damaged_file,
    share_alike,
    share_before_difference,
)
from imagesearch.pictures.readers.raster import CheckSize, LeastScale, Raster, opened, orientation_in

LOSSY, LOSSLESS, ALPHA, FRAME, EXTENDED = b"VP8 ", b"VP8L", b"ALPH", b"ANMF", b"VP8X"
ALPHA_FLAG = 0x10
MAX_CHUNKS = 1000
"""Chunks that are looked through for the first frame."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    body: bytes
    length: int
    """Bytes that the body should have; where the file ends early it has fewer."""


def read(data: bytes, check_size: CheckSize, least_scale: LeastScale) -> Raster:
    """See `Reader`."""
    try:
        image = opened(data, "WEBP", check_size)
        image.load()
    except (OSError, ValueError):
        return _first_frame(data, check_size)
    profile, exif = image.info.get("icc_profile", b""), image.info.get("exif", b"")
    return Raster(image, *image.size, profile, orientation_in(exif))


def exif_in(data: bytes) -> bytes:
    """The EXIF block; empty where there is none."""
    chunks = _chunks(data, 12)
    return chunks[b"EXIF"].body if b"EXIF" in chunks else b""


def _first_frame(data: bytes, check_size: CheckSize) -> Raster:
    """The picture of a file that ends early, perhaps only in its metadata or in a later frame."""
    chunks = _chunks(data, 12)
    profile = chunks[b"ICCP"].body if b"ICCP" in chunks else b""
    orientation = orientation_in(exif_in(data))
    if FRAME not in chunks:
        image, damaged = _still(chunks, check_size)
        return Raster(image, *image.size, profile, orientation, damaged)
    frame, screen = chunks[FRAME].body, chunks[EXTENDED].body
    size = 1 + _number(screen, 4), 1 + _number(screen, 7)
    check_size(*size)
    image, damaged = _still(_chunks(frame, 16), check_size)
    canvas = Image.new("RGBA", size)
    canvas.paste(image, (2 * _number(frame, 0), 2 * _number(frame, 3)))
    return Raster(canvas, *size, profile, orientation, damaged)


def _still(chunks: dict[bytes, _Chunk], check_size: CheckSize) -> tuple[Image.Image, bool]:
    """The frame in these chunks, and whether a part of it is missing."""
    kind = next((name for name in (LOSSY, LOSSLESS) if name in chunks), None)
    if kind is None or len(chunks[kind].body) < 10:
        raise damaged_file()
    alpha = chunks.get(ALPHA) if kind == LOSSY else None
    present = len(chunks[kind].body)
    missing = chunks[kind].length - present

    def completed(ending: bytes) -> Image.Image:
        image = opened(_file(kind, chunks[kind].body + ending, alpha), "WEBP", check_size)
        image.load()
        return image

    if not missing:
        return completed(b""), False
    pictures = completions(completed, missing, present)
    shown = (
        share_alike(pictures)
        if kind == LOSSY
        else share_before_difference([np.asarray(picture) for picture in pictures], (1, 1))
    )
    check_shown(shown)
    return pictures[0], shown < 1


def _chunks(data: bytes, position: int) -> dict[bytes, _Chunk]:
    """The first chunk of each name."""
    chunks: dict[bytes, _Chunk] = {}
    for _ in range(MAX_CHUNKS):
        if position + 8 > len(data):
            break
        name, length = struct.unpack("<4sI", data[position : position + 8])
        chunks.setdefault(name, _Chunk(data[position + 8 : position + 8 + length], length))
        position += 8 + length + length % 2
    return chunks


def _file(kind: bytes, pixels: bytes, alpha: _Chunk | None) -> bytes:
    """A file of one frame. Its size stands in the coded pixels, too."""
    body = _chunk(kind, pixels)
    if alpha:
        width, height = (side & 0x3FFF for side in struct.unpack("<2H", pixels[6:10]))
        size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        body = _chunk(EXTENDED, struct.pack("<I", ALPHA_FLAG) + size) + _chunk(ALPHA, alpha.body) + body
    return _chunk(b"RIFF", b"WEBP" + body)


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def _number(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 3], "little")
