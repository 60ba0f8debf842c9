"""Every kind of file a person may send, whole and broken."""

from __future__ import annotations

import io
import math
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from imagesearch.errors import (
    EmptyImage,
    InvalidImage,
    InvalidOption,
    TooManyBytes,
    TooManyPixels,
    UndecodableImage,
    UnsupportedImageType,
)
from imagesearch.pictures.decode import ImageLimits, decode
from imagesearch.pictures.plans import SquareInput
from imagesearch.pictures.region import Region, crop
from imagesearch.pictures.renderings import webp
from tests.imagesearch.pictures.drawn import (
    LIMITS,
    LOSSY_TOLERANCE,
    MEDIA_TYPES,
    assert_close,
    encoded,
    gradient,
    photo_like,
)


def png(width: int, height: int, rows: bytes, depth: int = 8, colour_type: int = 2) -> bytes:
    """A PNG by hand, for what Pillow does not write. rows: a filter byte and samples, row by row."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("file_format", MEDIA_TYPES)
def test_every_accepted_type_is_decoded_and_named(file_format: str) -> None:
    decoded = decode(encoded(gradient(), file_format), LIMITS)
    assert decoded.media_type == MEDIA_TYPES[file_format]
    assert_close(decoded, gradient(), tolerance=40 if file_format == "GIF" else LOSSY_TOLERANCE)


@pytest.mark.parametrize("file_format", ["PNG", "BMP"])
def test_lossless_types_come_back_exactly(file_format: str) -> None:
    np.testing.assert_array_equal(decode(encoded(photo_like(), file_format), LIMITS).rgb, photo_like())


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", EmptyImage),
        (b"\x00", UnsupportedImageType),
        (b"This is a letter, whatever its name ends in.", UnsupportedImageType),
        (b"BMW is a car, and this is a text about it, not a bitmap.", UnsupportedImageType),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedImageType),
        (b"II*\x00" + bytes(100), UndecodableImage),
        (b"%PDF-1.7", UnsupportedImageType),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", UnsupportedImageType),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp42", UnsupportedImageType),
        (b"\xff\xd8\xff\xe0" + b"not a JPEG after all" * 20, UndecodableImage),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), UndecodableImage),
        (b"GIF89a", UndecodableImage),
        (b"RIFF\x24\x00\x00\x00WEBPVP8X" + bytes(4), UndecodableImage),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", UndecodableImage),
        (b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00mif1avif", UndecodableImage),
    ],
)
def test_what_is_no_picture_is_refused_by_its_cause(data: bytes, error: type[InvalidImage]) -> None:
    with pytest.raises(error):
        decode(data, LIMITS)


def test_more_bytes_than_allowed_are_refused() -> None:
    data = encoded(gradient(), "PNG")
    assert decode(data, ImageLimits(len(data), 10_000)).rgb.shape == (64, 96, 3)
    with pytest.raises(TooManyBytes):
        decode(data, ImageLimits(len(data) - 1, 10_000))


@pytest.mark.parametrize("file_format", MEDIA_TYPES)
def test_the_pixel_limit_holds_to_the_pixel(file_format: str) -> None:
    data = encoded(gradient(), file_format)
    assert decode(data, ImageLimits(2**20, 96 * 64)).rgb.shape == (64, 96, 3)
    for fewer in (96 * 64 - 1, 96 * 64 // 2, 1):
        with pytest.raises(TooManyPixels):
            decode(data, ImageLimits(2**20, fewer))


def test_a_huge_picture_in_a_small_file_is_refused_from_its_header() -> None:
    bomb = png(30_000, 30_000, rows=bytes(1_000_000))
    assert len(bomb) < 10_000
    with pytest.raises(TooManyPixels):
        decode(bomb, ImageLimits(2**20, 50_000_000))


def test_a_huge_webp_canvas_is_refused_before_it_is_allocated() -> None:
    canvas = bytes(4) + (16_383).to_bytes(3, "little") + (16_383).to_bytes(3, "little")
    body = b"VP8X" + struct.pack("<I", 10) + canvas + encoded(gradient(), "WEBP")[12:]
    with pytest.raises(TooManyPixels):
        decode(b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body, LIMITS)


def test_a_gif_frame_larger_than_its_screen_counts_in_full() -> None:
    data = bytearray(encoded(gradient(), "GIF"))
    frame = data.index(b"\x2c\x00\x00\x00\x00")
    data[frame + 5 : frame + 9] = struct.pack("<HH", 60_000, 60_000)
    with pytest.raises(TooManyPixels):
        decode(bytes(data), LIMITS)


def test_a_limit_above_pillows_own_is_honoured() -> None:
    # Pillow alone refuses 200 million pixels.
    data = png(20_000, 10_000, rows=bytes(1_000_000), depth=1, colour_type=0)
    with pytest.raises(UndecodableImage):  # so it is the missing rows that end it, not the limit
        decode(data, ImageLimits(2**20, 300_000_000))


def test_pillows_own_limit_is_left_as_it_was() -> None:
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(TooManyPixels):
        decode(png(2000, 2000, rows=b""), LIMITS)
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("file_format", MEDIA_TYPES)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_a_truncated_file_is_an_error_and_not_half_a_picture(file_format: str, share: float) -> None:
    data = encoded(photo_like(), file_format)
    with pytest.raises(UndecodableImage):
        decode(data[: int(len(data) * share)], LIMITS)


def test_a_jpeg_cut_anywhere_is_refused_or_shown_as_damaged() -> None:
    for progressive in (False, True):
        data = encoded(photo_like(), "JPEG", quality=60, progressive=progressive)
        for end in np.random.default_rng(1).integers(3, len(data) - 12, 60):
            try:
                assert decode(data[:end], LIMITS).damaged
            except UndecodableImage:
                continue


@pytest.mark.parametrize("file_format", MEDIA_TYPES)
def test_damaged_bytes_end_in_a_picture_or_in_the_documented_error(file_format: str) -> None:
    rng = np.random.default_rng(2)
    whole = np.frombuffer(encoded(photo_like(), file_format), np.uint8)
    for _ in range(40):
        damaged = whole.copy()
        damaged[rng.integers(12, len(whole), 8)] = rng.integers(0, 256, 8, np.uint8)
        try:
            decoded = decode(damaged.tobytes(), LIMITS)
        except InvalidImage:
            continue
        assert decoded.rgb.ndim == 3


def test_the_first_frame_of_an_animation_is_taken() -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "lime", "blue")]
    red = np.full((30, 40, 3), (255, 0, 0), np.uint8)
    for file_format in ("GIF", "WEBP", "PNG", "AVIF"):
        animated = encoded(frames[0], file_format, save_all=True, append_images=frames[1:], duration=50)
        assert_close(decode(animated, LIMITS), red)


def test_a_phones_file_of_several_pictures_is_its_first_one() -> None:
    """Cameras put a preview or a depth map behind the photo (CIPA DC-007, MPO)."""
    behind = Image.new("RGB", (96, 64), "white")
    data = encoded(Image.fromarray(gradient()), "MPO", save_all=True, append_images=[behind], quality=95)
    decoded = decode(data, LIMITS)
    assert decoded.media_type == "image/jpeg"
    assert_close(decoded, gradient())


@pytest.mark.parametrize(
    ("cmyk", "rgb"),
    [((0, 0, 0, 0), (255, 255, 255)), ((0, 255, 255, 0), (255, 0, 0)), ((0, 0, 0, 255), (0, 0, 0))],
)
def test_a_cmyk_jpeg_shows_its_colours_and_not_their_negative(
    cmyk: tuple[int, int, int, int], rgb: tuple[int, int, int]
) -> None:
    data = encoded(Image.new("CMYK", (32, 32), cmyk), "JPEG", quality=95)
    assert_close(decode(data, LIMITS), np.full((32, 32, 3), rgb, np.uint8))


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    values = np.tile(np.linspace(0, 65_535, 256, dtype=np.uint16), (16, 1))
    decoded = decode(encoded(Image.fromarray(values), "PNG"), LIMITS)
    np.testing.assert_array_equal(decoded.rgb[0, :, 1], values[0] >> 8)
    assert decoded.rgb.min() == 0
    assert decoded.rgb.max() == 255


def test_a_tiff_may_call_white_zero() -> None:
    values = gradient()[..., 0].astype(np.uint16) * 257
    data = encoded(Image.fromarray(65535 - values), "TIFF", tiffinfo={262: 0})
    assert_close(decode(data, LIMITS), np.repeat(gradient()[..., :1], 3, axis=2), 1)


def test_a_transparent_shade_of_sixteen_bit_grey_becomes_white() -> None:
    values = np.array([[0, 258, 259, 40_000]], np.uint16)
    data = encoded(Image.fromarray(values), "PNG", transparency=258)
    np.testing.assert_array_equal(decode(data, LIMITS).rgb[0, :, 0], [0, 255, 1, 156])


def test_sixteen_bit_colours_are_scaled() -> None:
    samples = struct.pack(">6H", 0, 0x80FF, 0xFFFF, 0x0100, 0x00FF, 0x7F00)
    rgb = decode(png(2, 1, rows=b"\x00" + samples, depth=16), LIMITS).rgb
    np.testing.assert_array_equal(rgb, [[[0, 0x80, 0xFF], [1, 0, 0x7F]]])


def test_one_bit_and_palette_pictures_are_decoded() -> None:
    checkers = Image.fromarray((np.indices((20, 20)).sum(axis=0) % 2 * 255).astype(np.uint8))
    expected = np.repeat(np.asarray(checkers)[..., None], 3, axis=2)
    np.testing.assert_array_equal(decode(encoded(checkers.convert("1"), "PNG"), LIMITS).rgb, expected)
    np.testing.assert_array_equal(decode(encoded(checkers.convert("P"), "PNG"), LIMITS).rgb, expected)


def transparent_pictures() -> dict[str, bytes]:
    """The left half is opaque blue, the right half transparent red."""
    rgba = np.zeros((20, 40, 4), np.uint8)
    rgba[:, :20] = (0, 0, 255, 255)
    rgba[:, 20:] = (255, 0, 0, 0)
    image = Image.fromarray(rgba)
    palette = Image.new("P", (40, 20))
    palette.putpalette([0, 0, 255, 255, 0, 0])
    palette.paste(1, (20, 0, 40, 20))
    keyed = Image.fromarray(rgba[..., :3])
    return {
        "RGBA PNG": encoded(image, "PNG"),
        "WebP": encoded(image, "WEBP", lossless=True),
        "AVIF": encoded(image, "AVIF", quality=100),
        "HEIC": encoded(image, "HEIF", quality=95),
        "palette PNG": encoded(palette, "PNG", transparency=1),
        "palette PNG, a byte a shade": encoded(palette, "PNG", transparency=b"\xff\x00"),
        "palette GIF": encoded(palette, "GIF", transparency=1),
        "RGB PNG with a key colour": encoded(keyed, "PNG", transparency=(255, 0, 0)),
    }


@pytest.mark.parametrize("name", transparent_pictures())
def test_what_is_transparent_is_laid_on_white(name: str) -> None:
    rgb = decode(transparent_pictures()[name], LIMITS).rgb
    assert np.abs(rgb[10, 5].astype(int) - (0, 0, 255)).max() <= LOSSY_TOLERANCE
    assert np.abs(rgb[10, 35].astype(int) - (255, 255, 255)).max() <= LOSSY_TOLERANCE


def test_what_is_half_transparent_is_half_white() -> None:
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 128))
    assert_close(decode(encoded(image, "PNG"), LIMITS), np.full((8, 8, 3), 127, np.uint8), tolerance=1)
    grey = Image.new("LA", (8, 8), (0, 128))
    assert_close(decode(encoded(grey, "PNG"), LIMITS), np.full((8, 8, 3), 127, np.uint8), tolerance=1)


def seen_by_camera(upright: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """The stored pixels that the EXIF orientation (Exif 2.32, table 6) turns into the upright picture."""
    transposed = upright.transpose(1, 0, 2)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: transposed,
        6: transposed[::-1],
        7: transposed[::-1, ::-1],
        8: transposed[:, ::-1],
    }
    return np.ascontiguousarray(stored[orientation])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF"])
def test_every_exif_orientation_ends_upright(file_format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(seen_by_camera(gradient(), orientation), file_format, exif=exif.tobytes(), quality=95)
    assert_close(decode(data, LIMITS), gradient())


def test_a_transparent_picture_is_turned_upright_too() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    rgba = Image.fromarray(seen_by_camera(gradient(), 6)).convert("RGBA")
    assert_close(decode(encoded(rgba, "PNG", exif=exif.tobytes()), LIMITS), gradient())


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\x00\x00",
        b"Exif\x00\x00garbage",
        b"Exif\x00\x00MM\x00*",
        b"Exif\x00\x00II*\x00\xff\xff\xff\xff" + bytes(20),
        b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00"
        + b"\x12\x01\x02\x00\x04\x00\x00\x00six\x00"
        + bytes(4),
    ],
    ids=["empty", "no TIFF header", "cut short", "offset outside", "orientation as text"],
)
def test_damaged_exif_costs_the_orientation_and_not_the_picture(file_format: str, exif: bytes) -> None:
    assert_close(decode(encoded(gradient(), file_format, exif=exif, quality=95), LIMITS), gradient())


@pytest.mark.parametrize("value", [0, 9, 77])
def test_an_orientation_that_does_not_exist_is_ignored(value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    assert_close(decode(encoded(gradient(), "JPEG", exif=exif.tobytes(), quality=95), LIMITS), gradient())


def test_one_pixel_is_a_picture() -> None:
    decoded = decode(encoded(np.array([[[10, 20, 30]]], np.uint8), "PNG"), LIMITS)
    np.testing.assert_array_equal(decoded.rgb, [[[10, 20, 30]]])
    assert (SquareInput(32).prepare(decoded.rgb) == (10, 20, 30)).all()


@pytest.mark.parametrize(
    "fractions",
    [
        (-0.1, 0, 0.5, 0.5),
        (0, -1e-9, 0.5, 0.5),
        (0, 0, 0, 0.5),
        (0, 0, 0.5, 0),
        (0, 0, -0.5, 0.5),
        (0.6, 0, 0.5, 0.5),
        (0, 0.6, 0.5, 0.5),
        (1, 0, 0.1, 1),
        (math.nan, 0, 0.5, 0.5),
        (0, 0, math.inf, 0.5),
    ],
)
def test_a_region_outside_the_image_or_of_no_area_is_refused(fractions: tuple[float, ...]) -> None:
    with pytest.raises(InvalidOption):
        Region(*fractions)


def test_a_region_that_ends_at_the_edge_is_accepted_at_any_whole_pixel() -> None:
    for size in (3, 7, 10, 333, 640, 1080):
        for start in range(size):
            region = Region(start / size, 0, (size - start) / size, 1)
            assert crop(np.zeros((1, size, 3), np.uint8), region).shape == (1, size - start, 3)


def test_a_region_cuts_out_the_pixels_it_covers() -> None:
    rgb = gradient(100, 50)
    np.testing.assert_array_equal(crop(rgb, Region(0, 0, 1, 1)), rgb)
    np.testing.assert_array_equal(crop(rgb, Region(0.2, 0.5, 0.3, 0.5)), rgb[25:50, 20:50])


def test_a_region_however_small_holds_a_pixel_of_the_image() -> None:
    rng = np.random.default_rng(3)
    rgb = gradient(7, 5)
    for _ in range(500):
        x, y, width_share, height_share = rng.random(4).tolist()
        part = crop(rgb, Region(x, y, (1 - x) * max(width_share, 1e-9), (1 - y) * max(height_share, 1e-9)))
        assert 1 <= part.shape[0] <= 5
        assert 1 <= part.shape[1] <= 7
    assert crop(rgb, Region(1 - 1e-12, 1 - 1e-12, 1e-12, 1e-12)).shape == (1, 1, 3)


def test_network_input_is_the_whole_picture_squeezed() -> None:
    prepared = SquareInput(32).prepare(gradient(96, 64))
    assert prepared.shape == (32, 32, 3)
    assert prepared.dtype == np.uint8
    expected = np.asarray(Image.fromarray(gradient(96, 64)).resize((32, 32), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(prepared, expected)


def test_network_input_of_a_region_is_that_of_its_pixels_alone() -> None:
    part = crop(photo_like(), Region(0.25, 0.25, 0.5, 0.5))
    np.testing.assert_array_equal(SquareInput(32).prepare(part), SquareInput(32).prepare(part.copy()))


@pytest.mark.parametrize(
    ("size", "expected"), [((640, 480), (256, 192)), ((480, 640), (192, 256)), ((100, 50), (100, 50))]
)
def test_a_thumbnail_keeps_the_proportions_and_never_enlarges(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    with Image.open(io.BytesIO(webp(gradient(*size), 256))) as thumbnail:
        assert thumbnail.format == "WEBP"
        assert thumbnail.size == expected
        shown = np.asarray(thumbnail.convert("RGB"))
    corners = [shown[0, 0], shown[0, -1], shown[-1, 0]]
    np.testing.assert_allclose(corners, [(20, 20, 60), (230, 20, 60), (20, 230, 60)], atol=LOSSY_TOLERANCE)


def test_a_thumbnail_of_a_line_keeps_one_pixel_of_width() -> None:
    with Image.open(io.BytesIO(webp(gradient(3000, 1), 256))) as thumbnail:
        assert thumbnail.size == (256, 1)
