"""Files that failed, each with its right answer: read beside the checkout, as evaluation photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imagesearch.errors import InvalidImage, TooManyPixels, UndecodableImage
from imagesearch.pictures.decode import DecodedImage, ImageLimits, decode
from tests.conftest import REPOSITORY

CASES = REPOSITORY.parent / "shared" / "cases"
LIMITS = ImageLimits(max_bytes=32 << 20, max_pixels=110_000_000)

THE_SAME_PICTURE = (
    "no-eoi.jpg",
    "eoi-half.jpg",
    "progressive-no-eoi.jpg",
    "no-eoi-then-jpeg.jpg",
    "app0-short.jpg",
    "icc-prophoto.jpg",
    "badcrc-phys.png",
    "badcrc-text.png",
    "iccp-method1.png",
    "iccp-over-1mb.png",
    "ztxt-over-1mb.png",
    "cgbi-ios.png",
    "sony.HIF",
)
REFUSED: dict[str, tuple[type[InvalidImage], str]] = {
    "cut-half.jpg": (UndecodableImage, "only a part"),
    "jpeg_10pct_with_end_marker.jpg": (UndecodableImage, "only a part"),
    "png_one_byte_flipped_half_black.png": (UndecodableImage, "only a part"),
    "jpeg_4000sq_1000scans.jpg": (UndecodableImage, "too many scans"),
    "png_1x50M.png": (TooManyPixels, "no side"),
}


def decoded(name: str) -> DecodedImage:
    return decode(case(name), LIMITS)


def case(name: str) -> bytes:
    path: Path = CASES / name
    if not path.exists():
        pytest.skip("the cases are not on this machine")
    return path.read_bytes()


@pytest.mark.parametrize("name", THE_SAME_PICTURE)
def test_these_all_show_one_picture(name: str) -> None:
    shown, whole = decoded(name), decoded("ok.jpg")
    assert not shown.damaged
    assert np.abs(shown.rgb.astype(int) - whole.rgb).mean() < 6


def test_a_missing_tenth_is_shown_as_damage() -> None:
    shown, whole = decoded("cut-30-bytes.jpg"), decoded("ok.jpg")
    assert shown.damaged
    assert (shown.rgb == whole.rgb).all(axis=2).mean() > 0.9


@pytest.mark.parametrize("name", REFUSED)
def test_these_are_refused_with_their_reason(name: str) -> None:
    error, reason = REFUSED[name]
    with pytest.raises(error, match=reason):
        decoded(name)


@pytest.mark.parametrize(
    ("name", "mean_rgb"),
    [
        ("jpeg_cmyk_icc.jpg", (121, 126, 115)),
        ("jpeg_xyb.jpg", (126, 117, 108)),
        ("png_gama_0.4.png", (159, 159, 159)),
        ("avif_alpha_without_ispe.avif", (254, 234, 231)),
    ],
)
def test_colours_are_those_that_viewers_show(name: str, mean_rgb: tuple[int, int, int]) -> None:
    np.testing.assert_allclose(decoded(name).rgb.mean(axis=(0, 1)), mean_rgb, atol=2)


def test_xmp_does_not_turn_an_avif() -> None:
    assert decoded("avif_xmp_orientation.avif").rgb.shape == (268, 326, 3)


def test_what_a_frame_leaves_of_the_screen_is_white() -> None:
    rgb = decoded("gif_frame_smaller_than_screen.gif").rgb
    assert rgb.shape == (554, 554, 3)
    assert (rgb[:100] == 255).all()


def test_a_lossless_webp_of_a_few_bytes_is_accepted() -> None:
    assert decoded("webp_7000sq_lossless.webp").rgb.shape == (7000, 7000, 3)
