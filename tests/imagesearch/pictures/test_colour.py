"""Whatever a file's colours are, the pixels are sRGB."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from imagesearch.pictures.decode import DecodedImage, decode
from imagesearch.pictures.profiles import code_point_profile
from tests.imagesearch.pictures.drawn import LIMITS, encoded, gradient

DISPLAY_P3 = code_point_profile(12, 13)
TO_DISPLAY_P3 = np.array(
    [[0.8224620, 0.1775380, 0], [0.0331942, 0.9668058, 0], [0.0170826, 0.0723974, 0.9105200]]
)
"""Of linear sRGB (CSS Color 4, the matrices of its sample code)."""
TO_BT2020 = np.array(
    [[0.6274039, 0.3292830, 0.0433131], [0.0690973, 0.9195404, 0.0113623], [0.0163914, 0.0880133, 0.8955953]]
)
"""Of linear sRGB (ITU-R BT.2087)."""
WITH_PROFILES = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF")


def linear(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """IEC 61966-2-1."""
    signal = rgb / 255
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def srgb_signal(light: NDArray[np.float64]) -> NDArray[np.uint8]:
    light = np.clip(light, 0, 1)
    signal = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(signal * 255).astype(np.uint8)


def assert_alike(decoded: DecodedImage, expected: NDArray[np.uint8]) -> None:
    """On average to two levels: single colours at the edge of a gamut are farther, after two roundings."""
    difference = np.abs(decoded.rgb.astype(int) - expected)
    assert difference.mean() <= 2
    assert difference.max() <= 25


def in_display_p3() -> NDArray[np.uint8]:
    """The gradient as a phone would store it."""
    return srgb_signal(linear(gradient()) @ TO_DISPLAY_P3.T)


def with_chunks(png: bytes, **chunks: bytes) -> bytes:
    """The PNG with more chunks in front of its pixels."""
    made = b"".join(
        struct.pack(">I", len(body))
        + name.encode()
        + body
        + struct.pack(">I", zlib.crc32(name.encode() + body))
        for name, body in chunks.items()
    )
    return png[:33] + made + png[33:]


def grey_profile(gamma: float) -> bytes:
    """ICC.1:2022, 8.3.2: a white point and one curve."""
    white = b"XYZ " + struct.pack(">4x3i", 63190, 65536, 54061)
    curve = b"curv" + struct.pack(">4xIH2x", 1, round(gamma * 256))
    tags = struct.pack(">I4s2I4s2I", 2, b"wtpt", 156, 20, b"kTRC", 176, 16)
    header = struct.pack(
        ">I4xI4s4s4s12x4s28x3i48x", 192, 0x02400000, b"mntr", b"GRAY", b"XYZ ", b"acsp", 63190, 65536, 54061
    )
    return header + tags + white + curve


@pytest.mark.parametrize("file_format", WITH_PROFILES)
def test_a_profile_is_followed_in_every_type_that_carries_one(file_format: str) -> None:
    options = (
        {"lossless": True} if file_format == "WEBP" else {} if file_format == "TIFF" else {"quality": 95}
    )
    assert np.abs(in_display_p3().astype(int) - gradient()).max() > 30
    data = encoded(in_display_p3(), file_format, icc_profile=DISPLAY_P3, **options)
    assert_alike(decode(data, LIMITS), gradient())


def test_a_profile_is_followed_in_scaled_and_turned_pictures() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    data = encoded(
        in_display_p3()[::-1, ::-1], "JPEG", quality=95, exif=exif.tobytes(), icc_profile=DISPLAY_P3
    )
    decoded = decode(data, LIMITS, lambda width, height: 0.5)
    assert_alike(decoded, np.asarray(Image.fromarray(gradient()).reduce(2)))


def test_transparency_is_kept_where_colours_are_converted() -> None:
    rgba = np.dstack([in_display_p3(), np.full((64, 96), 255, np.uint8)])
    rgba[:, :48, 3] = 0
    expected = gradient()
    expected[:, :48] = 255
    assert_alike(decode(encoded(rgba, "PNG", icc_profile=DISPLAY_P3), LIMITS), expected)


def test_a_palette_is_converted_with_its_profile() -> None:
    palette = Image.new("P", (8, 8))
    palette.putpalette(list(in_display_p3()[32, 48]))
    expected = np.broadcast_to(gradient()[32, 48], (8, 8, 3)).astype(np.uint8)
    assert_alike(decode(encoded(palette, "PNG", icc_profile=DISPLAY_P3), LIMITS), expected)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF"])
def test_greys_follow_their_profile(file_format: str) -> None:
    stored = np.round(255 * linear(gradient())[..., 0] ** (1 / 1.8)).astype(np.uint8)
    data = encoded(Image.fromarray(stored), file_format, icc_profile=grey_profile(1.8))
    expected = np.repeat(gradient()[..., :1], 3, axis=2)
    assert_alike(decode(data, LIMITS), expected)


def test_lab_colours_are_converted() -> None:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(Image.fromarray(gradient()), srgb, lab, outputMode="LAB")
    assert image is not None
    assert_alike(decode(encoded(image, "TIFF"), LIMITS), gradient())


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "profile",
    [
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        b"no profile at all" * 20,
        DISPLAY_P3[:200],
        grey_profile(1.0),
    ],
    ids=["sRGB", "garbage", "cut", "for greys"],
)
def test_a_profile_that_says_srgb_or_nothing_changes_no_pixel(file_format: str, profile: bytes) -> None:
    without = decode(encoded(gradient(), file_format), LIMITS).rgb
    np.testing.assert_array_equal(
        decode(encoded(gradient(), file_format, icc_profile=profile), LIMITS).rgb, without
    )


@pytest.mark.parametrize("gamma", [0.4, 0.55556, 1.0])
def test_gama_says_how_light_grows(gamma: float) -> None:
    stored = np.round(255 * linear(gradient()) ** gamma).astype(np.uint8)
    data = with_chunks(encoded(stored, "PNG"), gAMA=struct.pack(">I", round(gamma * 100_000)))
    assert_alike(decode(data, LIMITS), gradient())  # steps in the darks, where light is linear


def test_chrm_says_what_red_green_and_blue_are() -> None:
    display_p3 = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
    data = with_chunks(encoded(in_display_p3(), "PNG"), gAMA=struct.pack(">I", 45455), cHRM=display_p3)
    assert_alike(decode(data, LIMITS), gradient())


@pytest.mark.parametrize(
    "chunks",
    [
        {"gAMA": struct.pack(">I", 45455)},
        {"sRGB": b"\0", "gAMA": struct.pack(">I", 100_000)},
        {"gAMA": bytes(4)},
        {"gAMA": b"\xff" * 4},
        {"cHRM": bytes(32)},
        {"cHRM": struct.pack(">8I", *[33000] * 8)},
        {"cHRM": b"\xff" * 32},
        {"cICP": bytes([1, 13, 0, 1]), "gAMA": struct.pack(">I", 100_000)},
    ],
    ids=str,
)
def test_colour_chunks_that_say_srgb_or_nonsense_change_no_pixel(chunks: dict[str, bytes]) -> None:
    data = with_chunks(encoded(gradient(), "PNG"), **chunks)
    np.testing.assert_array_equal(decode(data, LIMITS).rgb, gradient())


@pytest.mark.parametrize("file_format", ["AVIF", "HEIF"])
def test_code_points_are_followed_where_there_is_no_profile(file_format: str) -> None:
    data = encoded(in_display_p3(), file_format, quality=95)
    place = data.index(b"colrnclx") + 8
    said = data[:place] + struct.pack(">2H", 12, 13) + data[place + 4 :]
    assert_alike(decode(said, LIMITS), gradient())


def in_pq(light: NDArray[np.float64]) -> NDArray[np.uint8]:
    """ITU-R BT.2100, table 4. light: 1 is a luminance of 203 cd/m²."""
    power = np.maximum(light * 203 / 10_000, 0) ** 0.1593017578125
    return np.round(255 * ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375).astype(
        np.uint8
    )


def in_hlg(light: NDArray[np.float64]) -> NDArray[np.uint8]:
    """ITU-R BT.2100, table 5, on a screen of 1000 cd/m². light: 1 is a luminance of 203 cd/m²."""
    scene = np.maximum(light * 0.203, 0) ** (1 / 1.2)
    upper = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.round(255 * np.where(scene <= 1 / 12, np.sqrt(3 * scene), upper)).astype(np.uint8)


@pytest.mark.parametrize(("code", "coded"), [(16, in_pq), (18, in_hlg)])
def test_high_dynamic_range_shows_paper_as_white_and_what_is_darker_as_it_is(
    code: int, coded: Callable[[NDArray[np.float64]], NDArray[np.uint8]]
) -> None:
    greys = np.repeat(np.arange(40, 256, dtype=np.uint8)[None, :, None], 3, axis=2)
    data = with_chunks(encoded(coded(linear(greys)), "PNG"), cICP=bytes([9, code, 0, 1]))
    shown = decode(data, LIMITS).rgb.astype(int)
    assert np.abs(shown - greys)[:, :180].max() <= 8
    assert shown[0, -1].min() > 235
    assert (np.diff(shown[0, :, 1]) >= 0).all()


def test_wide_colours_of_high_dynamic_range_are_converted() -> None:
    data = with_chunks(encoded(in_pq(linear(gradient()) @ TO_BT2020.T), "PNG"), cICP=bytes([9, 16, 0, 1]))
    assert np.abs(decode(data, LIMITS).rgb.astype(int) - gradient()).mean() < 6


def test_the_brightest_lights_are_told_apart() -> None:
    lights = np.array([1.0, 2.0, 4.0])[None, :, None] * np.ones(3)
    data = with_chunks(encoded(in_pq(lights), "PNG"), cICP=bytes([9, 16, 0, 1]))
    shown = decode(data, LIMITS).rgb[0, :, 0].astype(int)
    assert shown[0] < shown[1] < shown[2] <= 255


def test_a_profile_counts_before_code_points_in_heic() -> None:
    data = encoded(in_display_p3(), "HEIF", quality=95, icc_profile=DISPLAY_P3)
    assert_alike(decode(data, LIMITS), gradient())
