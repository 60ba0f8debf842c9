"""From the bytes of a file to pixels.

Nothing here trusts a file: its type is told from its first bytes, its size from its header, and both are
checked before memory is set aside for its pixels. Run it where a crash costs nothing: see `pool`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imagesearch.errors import EmptyImage, InvalidImage, TooManyBytes, TooManyPixels, UndecodableImage
from imagesearch.pictures.colour import is_srgb, to_srgb
from imagesearch.pictures.formats import sniff
from imagesearch.pictures.readers import bmff, bmp, gif, jpeg, png, tiff, webp
from imagesearch.pictures.readers.damage import damaged_file
from imagesearch.pictures.readers.raster import LeastScale, Raster, Reader

Image.preinit()

KEPT_MIB = 32
"""Memory that Pillow keeps for the next picture. By default it gives all back, and to have it zeroed and
mapped again takes a third of the time of decoding a photo of 640 × 480."""
Image.core.set_blocks_max(KEPT_MIB)  # type: ignore[attr-defined]  # blocks of 1 MiB

MAX_SIDE_PX = 65_535
"""The longest side that is accepted, JPEG's own limit: what is longer costs more than its pixels."""

READERS: dict[str, Reader] = {
    "JPEG": jpeg.read,
    "PNG": png.read,
    "WebP": webp.read,
    "GIF": gif.read,
    "BMP": bmp.read,
    "AVIF": bmff.read_avif,
    "HEIC": bmff.read_heic,
    "TIFF": tiff.read,
}
"""By the names of `formats.FORMATS`."""

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each EXIF orientation; 1 is upright."""
ROWS_AT_ONCE = 256
"""Rows that are laid on white together: a copy of the whole would take as much memory again."""


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What a picture may cost."""

    max_bytes: int
    max_pixels: int


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """A picture as a person sees it."""

    rgb: NDArray[np.uint8]
    """shape=(H, W, 3), dtype=uint8, upright, sRGB, transparency on white."""
    width: int
    height: int
    """Size in pixels of the upright picture in the file; `rgb` may be a half, a fourth or an eighth of it."""
    media_type: str
    """Such as "image/jpeg", as found in the bytes."""
    damaged: bool = False
    """Whether pixels are missing or wrong: a tenth of them at most."""

    @property
    def scale(self) -> float:
        """Pixels in `rgb` for one of the file's, in each direction: 1 at full size."""
        return float(self.rgb.shape[1] / self.width)


def full_size(width: int, height: int) -> float:
    """The `LeastScale` that wants every pixel."""
    return 1.0


def decode(data: bytes, limits: ImageLimits, least_scale: LeastScale = full_size) -> DecodedImage:
    """The first frame of a picture file, perhaps at a fraction of its size that is `least_scale` or above.

    Raises EmptyImage, TooManyBytes, UnsupportedImageType, TooManyPixels, UndecodableImage or MemoryError.
    """
    if not data:
        raise EmptyImage("The image is empty: it has no bytes.")
    if len(data) > limits.max_bytes:
        raise TooManyBytes(f"The image has {len(data):,} bytes; at most {limits.max_bytes:,} are accepted.")
    image_format = sniff(data)

    def check_size(width: int, height: int) -> None:
        _check_size(width, height, limits)

    with _guarded(limits):
        raster = READERS[image_format.name](data, check_size, least_scale)
        width, height = raster.upright_size
        return DecodedImage(_upright_rgb(raster), width, height, image_format.media_type, raster.damaged)


def _check_size(width: int, height: int, limits: ImageLimits) -> None:
    if width < 1 or height < 1:
        raise damaged_file()
    if width * height > limits.max_pixels:
        raise _too_many_pixels(limits)
    if max(width, height) > MAX_SIDE_PX:
        raise TooManyPixels(
            f"The image has {width:,} × {height:,} pixels; no side may have over {MAX_SIDE_PX:,}."
        )


def _upright_rgb(raster: Raster) -> NDArray[np.uint8]:
    """shape=(H, W, 3): sRGB on white."""
    pixels = raster.pixels
    if isinstance(pixels, np.ndarray):
        if pixels.shape[2] == 3 and raster.orientation == 1 and is_srgb(raster.profile, "RGB"):
            return pixels
        pixels = _image(pixels)
    srgb = to_srgb(_eight_bits(pixels), raster.profile)
    if raster.orientation in UPRIGHT:
        srgb = srgb.transpose(UPRIGHT[raster.orientation])
    return _on_white(srgb)


def _image(pixels: NDArray[np.uint8]) -> Image.Image:
    height, width, colours = pixels.shape
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[colours]
    return Image.frombytes(mode, (width, height), pixels.tobytes())


def _eight_bits(image: Image.Image) -> Image.Image:
    """Greys of 16 bits as their high bytes, as Pillow takes them of colours; one shade may be transparent."""
    if image.mode in {"I", "F"}:
        raise UndecodableImage("Pictures of 32 bits a colour are not read: save it with 8 or 16.")
    if not image.mode.startswith("I;16"):
        return image
    values = np.asarray(image)
    grey = Image.fromarray((values >> 8).astype(np.uint8))
    if "transparency" in image.info:
        opaque = values != image.info["transparency"]
        grey.putalpha(Image.fromarray(opaque.astype(np.uint8) * 255))
    return grey


def _on_white(image: Image.Image) -> NDArray[np.uint8]:
    """image: RGB or RGBA. Returns shape=(H, W, 3)."""
    if image.mode == "RGB":
        return np.asarray(image)
    rgb = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, ROWS_AT_ONCE):
        rows = image.crop((0, top, image.width, min(top + ROWS_AT_ONCE, image.height)))
        canvas = Image.new("RGB", rows.size, "white")
        canvas.paste(rows, mask=rows)
        rgb[top : top + rows.height] = np.asarray(canvas)
    return rgb


@contextmanager
def _guarded(limits: ImageLimits) -> Iterator[None]:
    """Where libraries read the file: on damage they raise whatever comes to hand, or only warn.

    Pillow's own limit holds as well, because some of its decoders set memory aside when they are opened;
    it refuses from twice its value up. Not thread-safe: limit and warnings are global to the process.
    """
    pillow_limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, (limits.max_pixels + 1) // 2
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (InvalidImage, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise _too_many_pixels(limits) from None
    except Exception as error:
        raise damaged_file() from error
    finally:
        Image.MAX_IMAGE_PIXELS = pillow_limit


def _too_many_pixels(limits: ImageLimits) -> TooManyPixels:
    return TooManyPixels(f"The image has more than {limits.max_pixels:,} pixels (width times height).")
