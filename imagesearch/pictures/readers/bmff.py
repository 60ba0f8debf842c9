"""AVIF and HEIC files: coded pictures in a tree of boxes (ISO 14496-12, ISO 23008-12)."""

from __future__ import annotations

import struct
from io import BytesIO

import pillow_heif
from PIL import AvifImagePlugin, Image  # noqa: F401 (importing registers it)

from imagesearch.errors import UndecodableImage
from imagesearch.pictures.profiles import code_point_profile
from imagesearch.pictures.readers.boxes import mended, read_boxes
from imagesearch.pictures.readers.damage import check_shown, completions, share_alike
from imagesearch.pictures.readers.raster import CheckSize, LeastScale, Raster, opened, orientation_in

# Only the primary picture of a HEIC file is wanted, not what travels beside it.
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)

BRANDS = {"AVIF": b"avif", "HEIF": b"heic"}
"""What Pillow's decoders know their files by."""
ALPHA_OF = b"auxl"
"""The reference from a picture that says how transparent another is, to that."""


def read_avif(data: bytes, check_size: CheckSize, least_scale: LeastScale) -> Raster:
    """See `Reader`. Only properties turn the picture, never EXIF; Pillow reports them as EXIF would."""
    image, profile, damaged = _read("AVIF", data, check_size)
    return Raster(image, *image.size, profile, orientation_in(image.info.get("exif", b"")), damaged)


def read_heic(data: bytes, check_size: CheckSize, least_scale: LeastScale) -> Raster:
    """See `Reader`. The decoder has turned the picture."""
    image, profile, damaged = _read("HEIF", data, check_size)
    return Raster(image, *image.size, profile, damaged=damaged)


def exif_in_avif(data: bytes) -> bytes:
    """The EXIF block; empty where there is none. Raises what the decoder raises on damage."""
    return _exif_in("AVIF", data)


def exif_in_heic(data: bytes) -> bytes:
    """The same."""
    return _exif_in("HEIF", data)


def _exif_in(kind: str, data: bytes) -> bytes:
    image = Image.open(BytesIO(_branded(data, kind)), formats=(kind,))
    return bytes(image.info.get("exif") or b"")


def _branded(data: bytes, kind: str) -> bytes:
    return data[:8] + BRANDS[kind] + data[12:]


def _read(kind: str, data: bytes, check_size: CheckSize) -> tuple[Image.Image, bytes, bool]:
    boxes = read_boxes(data)
    data = _branded(data, kind)
    missing, damaged = boxes.end - len(data), False
    if missing > 0:
        image, damaged = _completed(kind, data, missing, check_size)
    else:
        try:
            image = _loaded(kind, data, check_size)
        except (OSError, ValueError):
            image = _loaded(kind, mended(data, boxes), check_size)
    return image, image.info.get("icc_profile") or _profile(boxes.code_points), damaged


def _loaded(kind: str, data: bytes, check_size: CheckSize) -> Image.Image:
    image = opened(data, kind, check_size)
    image.load()
    return image


def _completed(kind: str, data: bytes, missing: int, check_size: CheckSize) -> tuple[Image.Image, bool]:
    """The picture of a file that ends early, and whether some of it is missing.

    What makes it transparent may stand behind its colours: where it was cut it is given up.
    """
    try:
        return _alike(kind, data, missing, check_size)
    except UndecodableImage:
        if ALPHA_OF not in data:
            raise
    image, _ = _alike(kind, data.replace(ALPHA_OF, b"skip"), missing, check_size)
    return image, True


def _alike(kind: str, data: bytes, missing: int, check_size: CheckSize) -> tuple[Image.Image, bool]:
    """The same, of one that is taken as it is. Raises UndecodableImage."""
    pictures = completions(lambda ending: _loaded(kind, data + ending, check_size), missing, len(data))
    shown = share_alike(pictures)
    check_shown(shown)
    return pictures[0], shown < 1


def _profile(code_points: bytes) -> bytes:
    return code_point_profile(*struct.unpack(">2H", code_points[4:8])) if len(code_points) >= 8 else b""
