"""JPEG files decoded at a fraction of their size."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from imagesearch.errors import TooManyPixels, UndecodableImage
from imagesearch.pictures.decode import ImageLimits, decode
from tests.imagesearch.pictures.drawn import (
    LIMITS,
    MEDIA_TYPES,
    assert_close,
    encoded,
    gradient,
    photo_like,
)


@pytest.mark.parametrize(
    ("least_scale", "shape"),
    [
        (1.5, (203, 301)),
        (0.51, (203, 301)),
        (0.5, (102, 151)),
        (0.26, (102, 151)),
        (0.25, (51, 76)),
        (0.01, (26, 38)),
    ],
)
def test_a_jpeg_is_decoded_at_the_least_fraction_that_suffices(
    least_scale: float, shape: tuple[int, int]
) -> None:
    decoded = decode(encoded(gradient(301, 203), "JPEG"), LIMITS, lambda width, height: least_scale)
    assert decoded.rgb.shape == (*shape, 3)
    assert (decoded.width, decoded.height) == (301, 203)


@pytest.mark.parametrize("file_format", [name for name in MEDIA_TYPES if name != "JPEG"])
def test_other_types_are_decoded_at_full_size(file_format: str) -> None:
    decoded = decode(encoded(gradient(), file_format), LIMITS, lambda width, height: 0.01)
    assert decoded.rgb.shape == (64, 96, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_scaled_picture_is_upright_and_told_by_its_upright_size(orientation: int) -> None:
    asked = []

    def least_scale(width: int, height: int) -> float:
        asked.append((width, height))
        return 0.25

    stored, exif = gradient(320, 240), Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    decoded = decode(encoded(stored, "JPEG", exif=exif.tobytes(), quality=95), LIMITS, least_scale)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(encoded(stored, "JPEG", exif=exif.tobytes()))))
    assert asked == [(decoded.width, decoded.height)] == [upright.size]
    assert_close(decoded, np.asarray(upright.reduce(4)))


@pytest.mark.parametrize(
    ("mode", "options"),
    [("L", {}), ("CMYK", {}), ("RGB", {"progressive": True}), ("RGB", {"subsampling": 0})],
)
def test_every_kind_of_jpeg_is_scaled_alike(mode: str, options: dict[str, object]) -> None:
    whole = Image.fromarray(gradient(320, 240)).convert(mode)
    data = encoded(whole, "JPEG", quality=95, **options)
    assert_close(decode(data, LIMITS, lambda width, height: 0.25), np.asarray(whole.convert("RGB").reduce(4)))


def test_the_limit_on_pixels_is_on_those_of_the_file() -> None:
    data = encoded(gradient(), "JPEG")
    with pytest.raises(TooManyPixels):
        decode(data, ImageLimits(2**20, 96 * 64 - 1), lambda width, height: 0.125)


def test_a_jpeg_cut_off_is_refused_at_any_scale() -> None:
    data = encoded(photo_like(), "JPEG")
    for least_scale in (0.125, 0.25, 0.5):
        with pytest.raises(UndecodableImage):
            decode(data[: len(data) // 2], LIMITS, lambda width, height: least_scale)  # noqa: B023


@pytest.mark.parametrize(("size", "shape"), [((3, 1), (1, 3, 3)), ((4, 4), (1, 1, 3)), ((2, 7), (4, 1, 3))])
def test_the_smallest_jpegs_keep_a_pixel_in_each_direction(
    size: tuple[int, int], shape: tuple[int, ...]
) -> None:
    assert decode(encoded(gradient(*size), "JPEG"), LIMITS, lambda width, height: 0.0).rgb.shape == shape
