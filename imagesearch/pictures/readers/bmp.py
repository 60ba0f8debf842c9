"""BMP files: a header, a palette, and rows from the bottom up, padded to four bytes (wingdi.h)."""

from __future__ import annotations

import struct

from PIL import Image

from imagesearch.pictures.formats import RARE_BMP, refused_kind
from imagesearch.pictures.readers.damage import check_shown, damaged_file, too_costly
from imagesearch.pictures.readers.raster import CheckSize, LeastScale, Raster, opened

OLD_HEADER_BYTES = 12
"""The size of OS/2's header, whose sides have 16 bits."""
RLE8, RLE4 = 1, 2
MAX_RUNS = 4_000_000
"""Runs of a compressed picture: no more than a second's worth."""
END_OF_LINE, END_OF_PICTURE, MOVE = 0, 1, 2


def read(data: bytes, check_size: CheckSize, least_scale: LeastScale) -> Raster:
    """See `Reader`. What is missing is of the first colour."""
    width, height, bits, compression = _header(data)
    check_size(width, height)
    if bits == 0:  # another format's file stands in it
        raise refused_kind(RARE_BMP)
    start, row_bytes = int.from_bytes(data[10:14], "little"), (width * bits + 31) // 32 * 4
    pixels = data[start:]
    if compression in (RLE8, RLE4):
        row_bytes = (width + 3) // 4 * 4
        pixels, shown = _unpacked(pixels, width, height, row_bytes, packed=compression == RLE4)
        data = _uncompressed_header(data, start)
    else:
        shown = min(1.0, len(pixels) / (row_bytes * height))
    check_shown(shown)
    missing = row_bytes * height - len(pixels)
    image = _opened(data[:start] + pixels + bytes(max(0, missing)), check_size)
    image.load()
    return Raster(image, width, height, damaged=shown < 1)


def _opened(data: bytes, check_size: CheckSize) -> Image.Image:
    """Raises UnsupportedImageType for depths, masks and compressions that no camera and no program writes."""
    try:
        return opened(data, "BMP", check_size)
    except OSError:
        raise refused_kind(RARE_BMP) from None


def _header(data: bytes) -> tuple[int, int, int, int]:
    """Width, height, bits for each pixel, and the code of the compression."""
    try:
        if struct.unpack_from("<I", data, 14)[0] == OLD_HEADER_BYTES:
            width, height, _, bits = struct.unpack_from("<4H", data, 18)
            return width, height, bits, 0
        width, height, _, bits, compression = struct.unpack_from("<2i2HI", data, 18)
    except struct.error:
        raise damaged_file() from None
    return width, abs(height), bits, compression


def _uncompressed_header(data: bytes, start: int) -> bytes:
    """What stands before the pixels, for a byte a pixel and no compression."""
    header_bytes = int.from_bytes(data[14:18], "little")
    colours = max(0, start - 14 - header_bytes) // 4
    return data[:28] + struct.pack("<HI", 8, 0) + data[34:46] + struct.pack("<I", colours) + data[50:start]


def _unpacked(coded: bytes, width: int, height: int, row_bytes: int, packed: bool) -> tuple[bytes, float]:
    """The rows, a byte a pixel, and the share of them that the file tells of.

    packed: whether a byte of the file holds two pixels. Raises UndecodableImage.
    """
    pixels, x, y, position = bytearray(row_bytes * height), 0, 0, 0
    for _ in range(MAX_RUNS):
        if y >= height:
            return bytes(pixels), 1.0
        if position + 2 > len(coded):
            return bytes(pixels), y / height
        count, value = coded[position : position + 2]
        position += 2
        if count:
            run = _colours(bytes([value]) * (count if not packed else (count + 1) // 2), packed)[:count]
        elif value == END_OF_LINE:
            x, y = 0, y + 1
            continue
        elif value == END_OF_PICTURE:
            return bytes(pixels), 1.0
        elif value == MOVE:
            x, y = x + sum(coded[position : position + 1]), y + sum(coded[position + 1 : position + 2])
            position += 2
            continue
        else:
            length = (value + 1) // 2 if packed else value
            run = _colours(coded[position : position + length], packed)[:value]
            position += length + length % 2
        run = run[: max(0, width - x)]
        pixels[y * row_bytes + x : y * row_bytes + x + len(run)] = run
        x += len(run)
    raise too_costly("runs")


def _colours(coded: bytes, packed: bool) -> bytes:
    return bytes(half for byte in coded for half in (byte >> 4, byte & 15)) if packed else coded
