"""GIF files, of which the first frame is the picture (GIF89a specification)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from PIL import Image

from imagesearch.pictures.readers.damage import check_shown, damaged_file, share_before_difference, too_costly
from imagesearch.pictures.readers.raster import CheckSize, LeastScale, Raster, opened

MAX_BLOCKS = 200_000
"""Blocks of data that are walked through: 51 MB where they are full."""
FRAME, CONTROL = b"\x2c", b"\x21\xf9"
PASSES = ((0, 8), (4, 8), (2, 4), (1, 2))
"""First row and step of each pass of an interlaced frame."""
ENDINGS = (bytes(255), b"\1\0\0" * 85)
"""Both continue any cut LZW data: read at any width from 3 to 12 bits, each code is 0 or a power of two."""
BITS_PER_CODE = 12


def read(data: bytes, check_size: CheckSize, least_scale: LeastScale) -> Raster:
    """See `Reader`. What the frame leaves of the screen is transparent."""
    head, frame, (left, top) = _first_frame(data)
    image = opened(head + frame, "GIF", check_size)
    screen_width, screen_height = struct.unpack("<2H", data[6:10])
    width, height = max(screen_width, left + image.width), max(screen_height, top + image.height)
    check_size(width, height)
    damaged = False
    try:
        image.load()
    except OSError:
        image, damaged = _mended(head, frame, check_size), True
    if image.size != (width, height):
        screen = Image.new("RGBA", (width, height))
        screen.paste(image.convert("RGBA"), (left, top))
        image = screen
    return Raster(image, width, height, damaged=damaged)


def _first_frame(data: bytes) -> tuple[bytes, bytes, tuple[int, int]]:
    """What comes before the first frame of a file of it alone; the frame and what follows; its place."""
    if len(data) < 13:
        raise damaged_file()
    position = 13 + _colour_table_bytes(data[10])
    colours, control = data[10:position], b""
    for _ in range(MAX_BLOCKS):
        if data[position : position + 1] == FRAME:
            left, top, width, height = struct.unpack("<4H", data[position + 1 : position + 9])
            head = data[:6] + struct.pack("<2H", width, height) + colours + control
            return head, struct.pack("<c4H", FRAME, 0, 0, width, height) + data[position + 9 :], (left, top)
        if data[position : position + 2] == CONTROL:
            control = data[position : position + 8]
        position = max(end for _, end in _blocks(data, position + 2))
    raise too_costly("blocks")


def _mended(head: bytes, frame: bytes, check_size: CheckSize) -> Image.Image:
    """The cut frame, its end in one colour. Raises UndecodableImage or what Pillow raises."""
    start = 10 + _colour_table_bytes(frame[9]) + 1
    coded = b"".join(body for body, _ in _blocks(frame, start))
    width, height = struct.unpack("<2H", frame[5:9])
    blocks = 1 + width * height * BITS_PER_CODE // 8 // 255
    first, second = (
        opened(head + frame[:start] + _blocked(coded + ending * blocks), "GIF", check_size)
        for ending in ENDINGS
    )
    order = np.arange(height)
    if frame[9] & 64:
        order = np.concatenate([order[start::step] for start, step in PASSES])
    rows = [np.asarray(image)[order].reshape(height, width, -1) for image in (first, second)]
    check_shown(share_before_difference(rows, (1, 1)))
    return first


def _blocks(data: bytes, position: int) -> Iterator[tuple[bytes, int]]:
    """The bodies and ends of a chain of blocks up to the empty one, as far as there are any."""
    for _ in range(MAX_BLOCKS):
        length = data[position] if position < len(data) else 0
        end = position + 1 + length
        yield data[position + 1 : end], end
        if not length:
            return
        position = end
    raise too_costly("blocks")


def _blocked(coded: bytes) -> bytes:
    """The coded data as a chain of blocks, and the end of the file."""
    parts = (coded[start : start + 255] for start in range(0, len(coded), 255))
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0\x3b"


def _colour_table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 128 else 0
