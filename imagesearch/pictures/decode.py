"""From the bytes of a file to pixels, and from pixels to the small pictures that are kept or shown.

Nothing here trusts a file: its type is told from its first bytes, its size from its header, and both are
checked before memory is set aside for its pixels. Run it where a crash costs nothing: see `decoding`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import AvifImagePlugin, ExifTags, Image, WebPImagePlugin  # noqa: F401 (importing registers them)
from PIL.JpegImagePlugin import JpegImageFile

from imagesearch.errors import (
    EmptyImage,
    TooManyBytes,
    TooManyPixels,
    UndecodableImage,
)
from imagesearch.pictures.formats import sniff

# Only the primary picture of a HEIC file is wanted, not what travels beside it.
Image.preinit()
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)

KEPT_MIB = 32
"""Memory that Pillow keeps for the next picture. By default it gives all back, and to have it zeroed and
mapped again takes a third of the time of decoding a photo of 640 × 480."""
Image.core.set_blocks_max(KEPT_MIB)  # type: ignore[attr-defined]  # blocks of 1 MiB

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
TURNED = frozenset({5, 6, 7, 8})
"""The orientations of pictures that lie on their side."""

DCT_DENOMINATORS = (8, 4, 2)
"""A JPEG can be decoded at these fractions of its size: of each 8 × 8 block, only the lowest frequencies."""


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What a picture may cost."""

    max_bytes: int
    max_pixels: int


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """A picture as a person sees it."""

    rgb: NDArray[np.uint8]
    """shape=(H, W, 3), dtype=uint8, upright, RGB, transparency on white."""
    width: int
    height: int
    """Size in pixels of the upright picture in the file; `rgb` may be a half, a fourth or an eighth of it."""
    media_type: str
    """Such as "image/jpeg", as found in the bytes."""

    @property
    def scale(self) -> float:
        """Pixels in `rgb` for one of the file's, in each direction: 1 at full size."""
        return float(self.rgb.shape[1] / self.width)


LeastScale = Callable[[int, int], float]
"""From width and height of an upright picture to the least factor it may be scaled by."""


def full_size(width: int, height: int) -> float:
    """The `LeastScale` that wants every pixel."""
    return 1.0


def decode(data: bytes, limits: ImageLimits, least_scale: LeastScale = full_size) -> DecodedImage:
    """The first frame of a picture file, perhaps at a fraction of its size that is `least_scale` or above.

    Raises EmptyImage, TooManyBytes, UnsupportedImageType, TooManyPixels or UndecodableImage.
    """
    if not data:
        raise EmptyImage("The image is empty: it has no bytes.")
    if len(data) > limits.max_bytes:
        raise TooManyBytes(f"The image has {len(data):,} bytes; at most {limits.max_bytes:,} are accepted.")
    image_format = sniff(data)
    with _pillow(limits), Image.open(BytesIO(data), formats=(image_format.pillow_name,)) as image:
        _check_size(image.size, limits)
        orientation = _orientation(image)
        width, height = image.size[::-1] if orientation in TURNED else image.size
        _choose_scale(image, least_scale(width, height))
        image.load()
        return DecodedImage(
            np.asarray(_upright(_on_white(image), orientation)), width, height, image_format.media_type
        )


def _check_size(size: tuple[int, int], limits: ImageLimits) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise _damaged()
    if width * height > limits.max_pixels:
        raise _too_many_pixels(limits)


def _choose_scale(image: Image.Image, least_scale: float) -> None:
    """Before anything is decoded. Only JPEG offers a choice: Pillow's other decoders know no fractions."""
    if not isinstance(image, JpegImageFile):
        return
    width, height = image.size
    for denominator in DCT_DENOMINATORS:
        if least_scale <= 1 / denominator:
            image.draft(None, (max(1, width // denominator), max(1, height // denominator)))
            return


def _on_white(image: Image.Image) -> Image.Image:
    """RGB, 8 bits a channel, with whatever is transparent laid on white."""
    if image.mode == "I;16":
        return _grey_from_16_bits(image)
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    layer = image.convert("RGBA")
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(layer, mask=layer)
    return canvas


def _grey_from_16_bits(image: Image.Image) -> Image.Image:
    """The high bytes, as Pillow takes them of 16-bit colours; one shade may be transparent (PNG's tRNS)."""
    values = np.asarray(image)
    grey = (values >> 8).astype(np.uint8)
    if "transparency" in image.info:
        grey[values == image.info["transparency"]] = 255
    return Image.fromarray(grey).convert("RGB")


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    method = UPRIGHT.get(orientation)
    return image if method is None else image.transpose(method)


def _orientation(image: Image.Image) -> int:
    """EXIF orientation; 1 where there is none or the EXIF block is damaged, for the pixels are not."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        return 1


@contextmanager
def _pillow(limits: ImageLimits) -> Iterator[None]:
    """Where Pillow reads the file: on damage its decoders raise whatever comes to hand, or only warn.

    Its own limit holds as well, because some decoders set memory aside as soon as they are opened; it refuses
    from twice its value up. Not thread-safe: limit and warnings are global to the process.
    """
    pillow_limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, (limits.max_pixels + 1) // 2
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (TooManyPixels, UndecodableImage):
        raise
    except Image.DecompressionBombError:
        raise _too_many_pixels(limits) from None
    except MemoryError as error:
        raise UndecodableImage("The image takes more memory to decode than is allowed.") from error
    except Exception as error:
        raise _damaged() from error
    finally:
        Image.MAX_IMAGE_PIXELS = pillow_limit


def _too_many_pixels(limits: ImageLimits) -> TooManyPixels:
    return TooManyPixels(f"The image has more than {limits.max_pixels:,} pixels (width times height).")


def _damaged() -> UndecodableImage:
    return UndecodableImage("The image cannot be decoded: the file is truncated or damaged.")
