"""TIFF files, of which the first page is the picture (TIFF 6.0)."""

from __future__ import annotations

from PIL import Image, TiffImagePlugin

from imagesearch.pictures.formats import CAMERA_RAW, refused_kind
from imagesearch.pictures.readers.damage import check_shown, completions, share_alike
from imagesearch.pictures.readers.raster import CheckSize, LeastScale, Raster, opened

NEW_SUBFILE_TYPE, PHOTOMETRIC, DNG_VERSION = 254, 262, 50706
OFFSETS_AND_LENGTHS = ((273, 279), (324, 325))
"""Tags that tell where the parts of a page are: strips or tiles."""
REDUCED = 1
"""The bit of NEW_SUBFILE_TYPE that calls a page a small version of another."""
SENSORS = frozenset({32803, 34892})
"""Photometric interpretations of what a sensor saw, one colour a pixel (TIFF/EP, DNG)."""


def read(data: bytes, check_size: CheckSize, least_scale: LeastScale) -> Raster:
    """See `Reader`. Pillow turns the picture upright.

    Raises UnsupportedImageType for the raw files of cameras: their first page is but a preview.
    """
    image = opened(data, "TIFF", check_size)
    assert isinstance(image, TiffImagePlugin.TiffImageFile)
    if _is_raw(image.tag_v2):
        raise refused_kind(CAMERA_RAW)
    missing, shown = _end(image.tag_v2) - len(data), 1.0
    if missing > 0:
        image, *others = completions(lambda ending: _loaded(data + ending, check_size), missing, len(data))
        shown = share_alike([image, *others])
        check_shown(shown)
    else:
        image.load()
    return Raster(image, *image.size, image.info.get("icc_profile", b""), damaged=shown < 1)


def _loaded(data: bytes, check_size: CheckSize) -> Image.Image:
    image = opened(data, "TIFF", check_size)
    image.load()
    return image


def _is_raw(tags: TiffImagePlugin.ImageFileDirectory_v2) -> bool:
    return bool(
        DNG_VERSION in tags or tags.get(NEW_SUBFILE_TYPE, 0) & REDUCED or tags.get(PHOTOMETRIC) in SENSORS
    )


def _end(tags: TiffImagePlugin.ImageFileDirectory_v2) -> int:
    """Where the last part of the page ends."""
    ends = [
        offset + length
        for offsets, lengths in OFFSETS_AND_LENGTHS
        for offset, length in zip(tags.get(offsets, ()), tags.get(lengths, ()), strict=False)
    ]
    return max(ends, default=0)
