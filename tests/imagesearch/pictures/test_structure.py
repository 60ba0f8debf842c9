"""Small files that would cost much, and metadata however bad, are dealt with before any pixel is decoded."""

from __future__ import annotations

import re
import struct
import zlib

import numpy as np
import pytest
import simplejpeg
from PIL import Image, ImageFile

from imagesearch.errors import TooManyPixels, UndecodableImage, UnsupportedImageType
from imagesearch.pictures.decode import ImageLimits, decode
from tests.imagesearch.pictures.drawn import LIMITS, MEDIA_TYPES, assert_close, encoded, gradient, photo_like

NO_LIMITS = ImageLimits(max_bytes=1 << 30, max_pixels=1 << 40)


@pytest.fixture
def no_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every decoding of pixels fail: what is refused all the same, was refused before."""

    def called(*args: object, **options: object) -> None:
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr(simplejpeg, "decode_jpeg", called)
    monkeypatch.setattr(ImageFile.ImageFile, "load", called)


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def progressive(scans: int, components: tuple[int, ...] = (1, 2, 3)) -> bytes:
    """A JPEG whose last scan comes again and again."""
    data = encoded(gradient(), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * scans + b"\xff\xd9"


@pytest.mark.usefixtures("no_decoder")
@pytest.mark.parametrize("scans", [20, 100, 1000])
def test_a_jpeg_of_very_many_scans_is_refused(scans: int) -> None:
    with pytest.raises(UndecodableImage, match="too many scans"):
        decode(progressive(scans), LIMITS)


@pytest.mark.parametrize("quality", [30, 75, 95])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_progressive_jpeg_as_encoders_make_it_is_accepted(quality: int, subsampling: int) -> None:
    data = encoded(gradient(), "JPEG", progressive=True, quality=quality, subsampling=subsampling)
    assert_close(decode(data, LIMITS), gradient(), tolerance=40)


@pytest.mark.usefixtures("no_decoder")
def test_a_jpeg_of_millions_of_comments_is_refused() -> None:
    data = encoded(gradient(), "JPEG")
    with pytest.raises(UndecodableImage, match="too many segments"):
        decode(data[:2] + segment(0xFE, b"") * 1_000_000 + data[2:], LIMITS)


def test_fill_bytes_and_large_metadata_are_passed_over() -> None:
    data = encoded(gradient(), "JPEG", quality=95)
    whole = decode(data, LIMITS).rgb
    for more in (b"\xff" * 5_000_000, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + bytes(60_000)) * 100):
        np.testing.assert_array_equal(decode(data[:2] + more + data[2:], LIMITS).rgb, whole)


@pytest.mark.parametrize(
    "bad",
    [
        segment(0xE0, b"JFIF\0"),
        segment(0xE0, b"JFIF\0\xff"),
        segment(0xE1, b"Exif\0\0garbage"),
        segment(0xE2, b"ICC_PROFILE\0"),
        segment(0xE2, b"ICC_PROFILE\0\x01\x02half of one"),
        segment(0xE2, b"MPF\0garbage"),
        segment(0xED, b"Photoshop 3.0\0" + b"8BIM\xff\xff\xff\xff"),
        segment(0xEE, b"Adobe"),
        b"\xff\xe5\0\2",
    ],
    ids=[
        "short APP0",
        "odd APP0",
        "EXIF",
        "empty ICC",
        "part of ICC",
        "MPF",
        "Photoshop",
        "short Adobe",
        "empty APP5",
    ],
)
def test_bad_metadata_never_cost_a_jpeg(bad: bytes) -> None:
    data = encoded(gradient(), "JPEG", quality=95)
    np.testing.assert_array_equal(decode(data[:2] + bad + data[2:], LIMITS).rgb, decode(data, LIMITS).rgb)


@pytest.mark.parametrize(
    "bad",
    [
        chunk(b"tEXt", b"a\0b")[:-1] + b"?",
        chunk(b"pHYs", bytes(9))[:-1] + b"?",
        chunk(b"pHYs", b""),
        chunk(b"tIME", b"?"),
        chunk(b"gAMA", b""),
        chunk(b"iCCP", b"name\0\1" + zlib.compress(b"profile")),
        chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(3_000_000))),
        chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(300_000_000))),
        chunk(b"zTXt", b"name\0\0" + zlib.compress(bytes(3_000_000))),
        chunk(b"iTXt", b"name\0\1\0\0\0" + zlib.compress(bytes(3_000_000))),
        chunk(b"eXIf", b"garbage"),
        chunk(b"acTL", b"\0"),
        chunk(b"fcTL", b"\0"),
        chunk(b"tEXt", b"a\0b") * 10_000,
    ],
    ids=lambda bad: bad[4:8].decode(),
)
def test_bad_or_large_metadata_never_cost_a_png(bad: bytes) -> None:
    data = encoded(gradient(), "PNG")
    np.testing.assert_array_equal(decode(data[:33] + bad + data[33:], LIMITS).rgb, gradient())


def test_a_png_may_lack_its_end_and_have_anything_after_it() -> None:
    data = encoded(gradient(), "PNG")
    for other in (data[:-12], data[:-5], data + b"anything" * 100):
        decoded = decode(other, LIMITS)
        np.testing.assert_array_equal(decoded.rgb, gradient())
        assert not decoded.damaged


@pytest.mark.usefixtures("no_decoder")
def test_a_png_of_very_many_chunks_is_refused() -> None:
    data = encoded(gradient(), "PNG")
    with pytest.raises(UndecodableImage, match="too many chunks"):
        decode(data[:33] + chunk(b"tEXt", b"a\0b") * 500_000 + data[33:], LIMITS)


@pytest.mark.usefixtures("no_decoder")
@pytest.mark.parametrize(("width", "height"), [(1, 50_000_000), (25_000_000, 2), (65_536, 1)])
def test_a_side_above_the_limit_is_refused_from_the_header(width: int, height: int) -> None:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0"))
    with pytest.raises(TooManyPixels, match="no side"):
        decode(data, NO_LIMITS)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_a_panorama_is_accepted(file_format: str) -> None:
    data = encoded(Image.new("RGB", (30_000, 500), "teal"), file_format)
    assert decode(data, ImageLimits(1 << 30, 20_000_000)).width == 30_000


@pytest.mark.usefixtures("no_decoder")
def test_a_gif_of_very_many_blocks_is_refused() -> None:
    data = encoded(gradient(), "GIF")
    place = data.index(b"\x2c")
    with pytest.raises(UndecodableImage, match="too many blocks"):
        decode(data[:place] + b"\x21\xfe" + b"\1a" * 1_000_000 + b"\0" + data[place:], LIMITS)


@pytest.mark.usefixtures("no_decoder")
@pytest.mark.parametrize(("brand", "version"), [(b"heic", 0), (b"avif", 0), (b"heic", 1)])
def test_a_picture_of_very_many_tiles_is_refused(brand: bytes, version: int) -> None:
    number = ">H" if version == 0 else ">I"
    tiles = b"".join(struct.pack(number, tile) for tile in range(2, 2002))
    grid = struct.pack(number, 1) + struct.pack(">H", 2000) + tiles
    data = box(b"ftyp", brand + bytes(4) + brand) + box(
        b"meta", bytes(4) + box(b"iref", bytes([version, 0, 0, 0]) + box(b"dimg", grid))
    )
    with pytest.raises(UndecodableImage, match="too many tiles"):
        decode(data, LIMITS)


@pytest.mark.usefixtures("no_decoder")
@pytest.mark.parametrize("brand", [b"heic", b"avif"])
def test_a_file_of_very_many_boxes_is_refused(brand: bytes) -> None:
    data = box(b"ftyp", brand + bytes(4) + brand) + box(b"meta", bytes(4) + box(b"free", b"") * 100_000)
    with pytest.raises(UndecodableImage, match="too many boxes"):
        decode(data, LIMITS)


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + name + body


def bmp_in_runs(width: int, height: int, runs: bytes) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 2, 0)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 62) + info + b"\xff\xff\xff\0\0\0\xff\0" + runs


def test_a_bmp_of_runs_shows_what_they_say() -> None:
    rows = b"\2\0\2\1\0\0" + b"\0\3\1\0\1\0\1\1\0\0" + b"\0\2\1\0\1\1\0\1"
    rgb = decode(bmp_in_runs(4, 3, rows), LIMITS).rgb
    white, red = (255, 255, 255), (255, 0, 0)
    np.testing.assert_array_equal(rgb[2], [white, white, red, red])
    np.testing.assert_array_equal(rgb[1], [red, white, red, red])
    np.testing.assert_array_equal(rgb[0], [white, red, white, white])


def test_a_bmp_of_empty_lines_costs_no_more_than_its_pixels() -> None:
    decoded = decode(bmp_in_runs(20_000, 500, b"\1\1\0\0" * 500 + b"\0\1"), ImageLimits(1 << 20, 10_000_000))
    assert (decoded.rgb[:, 0] == (255, 0, 0)).all()
    assert (decoded.rgb[:, 1:] == 255).all()


def test_a_bmp_of_very_many_runs_is_refused() -> None:
    with pytest.raises(UndecodableImage, match="too many runs"):
        decode(bmp_in_runs(4, 3, b"\1\0" * 5_000_000), NO_LIMITS)


@pytest.mark.parametrize("file_format", MEDIA_TYPES)
def test_random_bytes_behind_a_files_beginning_are_refused_by_an_expected_error(file_format: str) -> None:
    rng = np.random.default_rng(5)
    start = encoded(photo_like(), file_format)[:40]
    for _ in range(20):
        with pytest.raises((UndecodableImage, TooManyPixels, UnsupportedImageType)):
            decode(start + rng.integers(0, 256, 5000, np.uint8).tobytes(), LIMITS)


def test_frames_before_the_picture_of_a_jpeg_are_not_mistaken_for_it() -> None:
    """A preview in EXIF holds a whole JPEG with scans of its own."""
    preview = encoded(Image.new("RGB", (32, 24), "white"), "JPEG")
    data = encoded(gradient(), "JPEG", quality=95)
    decoded = decode(data[:2] + segment(0xE1, b"Exif\0\0II*\0" + preview) + data[2:], LIMITS)
    assert_close(decoded, gradient())
    assert len(re.findall(b"\xff\xda", preview)) == 1
