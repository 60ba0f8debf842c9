"""TIFF files, of which the first page is the picture (TIFF 6.0)."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
from PIL import Image, TiffImagePlugin

from imagesearch.errors import UndecodableImage
from imagesearch.pictures.formats import CAMERA_RAW, RARE_TIFF, refused_kind
from imagesearch.pictures.readers.damage import check_shown, completions, damaged_file, share_alike
from imagesearch.pictures.readers.raster import CheckSize, LeastScale, Raster, opened

NEW_SUBFILE_TYPE, HEIGHT, PHOTOMETRIC, ROWS_PER_STRIP, PLANES, DNG_VERSION = 254, 257, 262, 278, 284, 50706
STRIPS, TILES = (273, 279), (324, 325)
"""Tags that tell where the parts of a page are, and how long."""
REDUCED = 1
"""The bit of NEW_SUBFILE_TYPE that calls a page a small version of another."""
WHITE_IS_ZERO = 0
SENSORS = frozenset({32803, 34892})
"""Photometric interpretations of what a sensor saw, one colour a pixel (TIFF/EP, DNG)."""
Tags = TiffImagePlugin.ImageFileDirectory_v2


def read(data: bytes, check_size: CheckSize, least_scale: LeastScale) -> Raster:
    """See `Reader`. Pillow turns the picture upright; what is missing is black.

    Raises UnsupportedImageType for the raw files of cameras, whose first page is but a preview, and for
    colours that Pillow does not know.
    """
    tags = _tags(data)
    if _is_raw(tags):
        raise refused_kind(CAMERA_RAW)
    missing, shown = _end(tags) - len(data), 1.0
    if missing > 0:
        image, shown = _cut(data, tags, missing, check_size)
        check_shown(shown)
    else:
        image = _loaded(data, check_size)
    if image.mode.startswith("I;16") and tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:
        image = Image.fromarray(65535 - np.asarray(image))
    return Raster(image, *image.size, image.info.get("icc_profile", b""), damaged=shown < 1)


def _tags(data: bytes) -> Tags:
    """Of the first page."""
    tags = Tags(data[:16] if data[2] == 43 else data[:8])
    file = BytesIO(data)
    file.seek(tags.next)
    tags.load(file)
    return tags


def _loaded(data: bytes, check_size: CheckSize) -> Image.Image:
    try:
        image = opened(data, "TIFF", check_size)
    except (OSError, SyntaxError):
        raise (refused_kind(RARE_TIFF) if PHOTOMETRIC in _tags(data) else damaged_file()) from None
    image.load()
    return image


def _cut(data: bytes, tags: Tags, missing: int, check_size: CheckSize) -> tuple[Image.Image, float]:
    """A page whose end is missing, and the share of it that is there."""
    try:
        pictures = completions(lambda ending: _loaded(data + ending, check_size), missing, len(data))
    except UndecodableImage:  # compressed so that no noise goes on
        return _whole_strips(data, tags, check_size)
    return pictures[0], share_alike(pictures)


def _whole_strips(data: bytes, tags: Tags, check_size: CheckSize) -> tuple[Image.Image, float]:
    """The page as far as its strips are whole: read as a page that is no higher, on one that is."""
    height = int(tags[HEIGHT])
    ends = [offset + length for offset, length in _parts(tags, STRIPS)]
    whole = next((number for number, end in enumerate(ends) if end > len(data)), len(ends))
    rows = min(height, whole * int(tags.get(ROWS_PER_STRIP, height))) if tags.get(PLANES, 1) == 1 else 0
    check_shown(rows / height)
    top = _loaded(_with_height(data, rows), check_size)
    page = Image.new(top.mode, (top.width, height))
    page.paste(top)
    return page, rows / height


def _with_height(data: bytes, rows: int) -> bytes:
    """Of a file that is no BigTIFF."""
    order = "<" if data.startswith(b"II") else ">"
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, start)
    changed = bytearray(data)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(f"{order}2H", data, entry)
        if tag == HEIGHT:
            struct.pack_into(f"{order}H" if kind == 3 else f"{order}I", changed, entry + 8, rows)
    return bytes(changed)


def _is_raw(tags: Tags) -> bool:
    return bool(
        DNG_VERSION in tags or tags.get(NEW_SUBFILE_TYPE, 0) & REDUCED or tags.get(PHOTOMETRIC) in SENSORS
    )


def _parts(tags: Tags, where: tuple[int, int]) -> zip[tuple[int, int]]:
    offsets, lengths = where
    return zip(tags.get(offsets, ()), tags.get(lengths, ()), strict=False)


def _end(tags: Tags) -> int:
    """Where the last part of the page ends."""
    return max(
        (offset + length for where in (STRIPS, TILES) for offset, length in _parts(tags, where)), default=0
    )
