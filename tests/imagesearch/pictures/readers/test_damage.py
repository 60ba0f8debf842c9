"""Files that end early or have changed: what shows nine tenths of its pixels is accepted, less is not."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from imagesearch.errors import UndecodableImage
from imagesearch.pictures.decode import DecodedImage, decode
from tests.imagesearch.pictures.drawn import LIMITS, encoded

SHARES = (0.3, 0.6, 0.8, 0.87, 0.93, 0.97)
NEAR = 0.03
"""How far from nine tenths a picture is when either answer is right."""


def scene(width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    """Smooth and rough areas all over, so that every part of a file tells of as much of the picture."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), np.int16)
    rgb: NDArray[np.uint8] = np.clip(smooth + rng.integers(-12, 13, smooth.shape), 0, 255).astype(np.uint8)
    return rgb


def bmp_rle() -> bytes:
    """As no library writes it: 8 bits, in runs, from the bottom up."""
    grey = scene()[..., 0][::-1]
    rows = b"".join(b"".join(b"\1" + bytes([value]) for value in row) + b"\0\0" for row in grey) + b"\0\1"
    palette = b"".join(bytes([value, value, value, 0]) for value in range(256))
    start = 54 + len(palette)
    info = struct.pack("<IiiHHIIiiII", 40, 320, 240, 1, 8, 1, len(rows), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + info + palette + rows


def lzw(rgb: NDArray[np.uint8]) -> bytes:
    data = encoded(rgb, "TIFF", compression="tiff_lzw")
    with Image.open(io.BytesIO(data)) as image:
        assert isinstance(image, TiffImagePlugin.TiffImageFile)
        [place], [length] = image.tag_v2[273], image.tag_v2[279]
    return data[place : place + length]


def tiff_in_strips() -> bytes:
    """With its directory in front, and 16 rows in each of the compressed strips."""
    strips = [lzw(scene()[top : top + 16]) for top in range(0, 240, 16)]
    count, lengths = len(strips), list(map(len, strips))
    start = 8 + 2 + 12 * 9 + 4 + 8
    places = start + 8 * count + np.cumsum([0, *lengths[:-1]])
    entries = [
        (256, 3, 1, 320), (257, 3, 1, 240), (258, 3, 3, start - 8), (259, 3, 1, 5), (262, 3, 1, 2),
        (273, 4, count, start), (277, 3, 1, 3), (278, 3, 1, 16), (279, 4, count, start + 4 * count),
    ]  # fmt: skip
    head = (
        b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries)
    )
    depths = bytes(4) + struct.pack("<4H", 8, 8, 8, 0)
    return head + depths + struct.pack(f"<{2 * count}I", *places, *lengths) + b"".join(strips)


FILES: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: encoded(scene(), "JPEG", quality=85),
    "JPEG, whole colours": lambda: encoded(scene(), "JPEG", quality=95, subsampling=0),
    "JPEG, grey": lambda: encoded(Image.fromarray(scene()).convert("L"), "JPEG", quality=85),
    "JPEG, CMYK": lambda: encoded(Image.fromarray(scene()).convert("CMYK"), "JPEG", quality=85),
    "JPEG, restarts": lambda: encoded(scene(), "JPEG", quality=85, restart_marker_rows=1),
    "PNG": lambda: encoded(scene(), "PNG"),
    "PNG, 16 bits": lambda: encoded(Image.fromarray(scene()[..., 0].astype(np.uint16) * 257), "PNG"),
    "WebP": lambda: encoded(scene(), "WEBP", quality=85),
    "WebP, lossless": lambda: encoded(scene(), "WEBP", lossless=True),
    "WebP, alpha": lambda: encoded(Image.fromarray(scene()).convert("RGBA"), "WEBP", quality=85),
    "GIF": lambda: encoded(scene(), "GIF", interlace=0),
    "GIF, interlaced": lambda: encoded(scene(), "GIF", interlace=1),
    "BMP": lambda: encoded(scene(), "BMP"),
    "BMP, runs": bmp_rle,
    "TIFF": lambda: encoded(scene(), "TIFF"),
    "TIFF, compressed": tiff_in_strips,
    "AVIF": lambda: encoded(scene(), "AVIF", quality=80),
    "HEIC": lambda: encoded(scene(), "HEIF", quality=80),
}


def shown_of(cut: DecodedImage, whole: DecodedImage) -> float:
    return float((cut.rgb == whole.rgb).all(axis=2).mean())


@pytest.mark.parametrize("name", FILES)
def test_a_cut_file_is_accepted_from_nine_tenths_of_its_pixels_on(name: str) -> None:
    data = FILES[name]()
    whole = decode(data, LIMITS)
    assert not whole.damaged
    answers: dict[float, float | None] = {}
    for share in SHARES:
        try:
            cut = decode(data[: int(len(data) * share)], LIMITS)
        except UndecodableImage:
            answers[share] = None
            continue
        assert cut.damaged
        answers[share] = shown_of(cut, whole)
    assert [share for share, shown in answers.items() if shown is not None] == [
        share for share, shown in answers.items() if shown is not None and shown > 0.9 - NEAR
    ]
    assert answers[0.3] is None
    assert answers[0.6] is None
    assert answers[0.97] is not None


@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_a_jpeg_that_ends_properly_after_half_of_its_pixels_is_refused(scale: float) -> None:
    data = encoded(scene(), "JPEG", quality=85)
    with pytest.raises(UndecodableImage, match="only a part"):
        decode(data[: len(data) // 2] + b"\xff\xd9", LIMITS, lambda width, height: scale)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("end", [b"", b"\xff", b"\xff\xd9" + bytes(100), b"\xff\xd8\xff\xe0\x00\x04ab"])
def test_a_jpeg_may_end_without_its_end_marker(progressive: bool, end: bytes) -> None:
    data = encoded(scene(), "JPEG", quality=85, progressive=progressive)
    shown = decode(data[:-2] + end, LIMITS)
    assert not shown.damaged
    np.testing.assert_array_equal(shown.rgb, decode(data, LIMITS).rgb)


@pytest.mark.parametrize(("share", "accepted"), [(0.1, False), (0.95, True)])
def test_a_progressive_jpeg_is_accepted_once_all_of_it_has_been_sketched(
    share: float, accepted: bool
) -> None:
    data = encoded(scene(), "JPEG", quality=85, progressive=True)
    cut = data[: int(len(data) * share)]
    if accepted:
        assert decode(cut, LIMITS).damaged
    else:
        with pytest.raises(UndecodableImage, match="only a part"):
            decode(cut, LIMITS)


@pytest.mark.parametrize("end", [b"", b"\xff\xd9"])
def test_a_progressive_jpeg_that_stops_between_two_scans_is_not_taken_for_whole(end: bytes) -> None:
    data = encoded(scene(), "JPEG", quality=85, progressive=True)
    scans = [match.start() for match in re.finditer(b"\xff\xda", data)]
    with pytest.raises(UndecodableImage, match="only a part"):
        decode(data[: scans[1]] + end, LIMITS)
    assert decode(data[: scans[-1]], LIMITS).damaged


@pytest.mark.parametrize(("lost", "accepted"), [(1, True), (8, False), (9, False)])
def test_a_gap_between_restart_markers_counts_as_missing(lost: int, accepted: bool) -> None:
    """8 markers are told apart: of 8 lost in a row nothing is seen but that the picture is too short."""
    data = encoded(scene(), "JPEG", quality=85, restart_marker_rows=1)
    marks = [match.start() for match in re.finditer(rb"\xff[\xd0-\xd7]", data)]
    gap = data[: marks[2]] + data[marks[2 + lost] :]
    if accepted:
        assert decode(gap, LIMITS).damaged
    else:
        with pytest.raises(UndecodableImage, match="only a part"):
            decode(gap, LIMITS)


def compressed(data: bytes) -> bytes:
    """The bodies of a PNG's IDAT chunks, put together."""
    body, place = b"", data.index(b"IDAT") - 4
    while data[place + 4 : place + 8] == b"IDAT":
        length = int.from_bytes(data[place : place + 4], "big")
        body += data[place + 8 : place + 8 + length]
        place += 12 + length
    return body


def with_idats(data: bytes, *bodies: bytes, changed: int | None = None) -> bytes:
    """The PNG with other IDAT chunks; one of them may have lost its checksum."""
    chunks = b"".join(
        struct.pack(">I", len(body))
        + b"IDAT"
        + body
        + struct.pack(">I", zlib.crc32(b"IDAT" + body) ^ (number == changed))
        for number, body in enumerate(bodies)
    )
    return data[: data.index(b"IDAT") - 4] + chunks + data[data.index(b"IEND") - 4 :]


@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize(("share", "accepted"), [(0.3, False), (0.6, False), (0.95, True)])
def test_a_png_shows_its_rows_up_to_where_its_data_break_off(
    share: float, accepted: bool, optimize: bool
) -> None:
    data = encoded(scene(), "PNG", optimize=optimize)
    body = compressed(data)
    place = int(len(body) * share)
    broken = with_idats(data, body[:place], b"\xff" * 500)
    if accepted:
        assert decode(broken, LIMITS).damaged
    else:
        with pytest.raises(UndecodableImage, match="only a part"):
            decode(broken, LIMITS)


def test_a_wrong_checksum_of_a_png_is_no_damage_where_its_pixels_are_right() -> None:
    data = encoded(scene(), "PNG")
    body = compressed(data)
    shown = decode(with_idats(data, body[:1000], body[1000:], changed=0), LIMITS)
    assert not shown.damaged
    np.testing.assert_array_equal(shown.rgb, scene())


@pytest.mark.parametrize(("number", "accepted"), [(0, False), (1, True)])
def test_a_byte_changed_in_a_png_costs_what_follows(number: int, accepted: bool) -> None:
    """The data are stored, so that nothing but their sum tells that one of them has changed."""
    pixels = scene()
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    body, split = zlib.compress(rows, 0), int(len(rows) * 0.95)
    parts = [body[:split], body[split:]]
    changed = bytearray(parts[number])
    changed[len(changed) // 2] ^= 64
    broken = with_idats(encoded(pixels, "PNG"), *parts)
    broken = broken.replace(parts[number], bytes(changed))
    if accepted:
        assert decode(broken, LIMITS).damaged
    else:
        with pytest.raises(UndecodableImage, match="only a part"):
            decode(broken, LIMITS)


def test_a_webp_whose_metadata_are_cut_is_whole() -> None:
    data = encoded(scene(), "WEBP", quality=50, exif=b"Exif\0\0" + bytes(200_000))
    shown = decode(data[:-100_000], LIMITS)
    assert not shown.damaged
    np.testing.assert_array_equal(shown.rgb, decode(data, LIMITS).rgb)


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_is_whole_where_a_later_one_is_cut(file_format: str) -> None:
    frames = [Image.fromarray(scene()), Image.fromarray(scene()[::-1]), Image.fromarray(scene()[:, ::-1])]
    data = encoded(frames[0], file_format, save_all=True, append_images=frames[1:], duration=50)
    cut = decode(data[: int(len(data) * 0.8)], LIMITS)
    assert not cut.damaged
    np.testing.assert_array_equal(cut.rgb, decode(data, LIMITS).rgb)


def test_an_interlaced_png_counts_pixels_and_not_rows() -> None:
    data = interlaced_png(scene())
    assert not decode(data, LIMITS).damaged
    np.testing.assert_array_equal(decode(data, LIMITS).rgb, scene())
    assert decode(data[: int(len(data) * 0.95)], LIMITS).damaged
    with pytest.raises(UndecodableImage, match="only a part"):
        decode(data[: int(len(data) * 0.8)], LIMITS)


def interlaced_png(rgb: NDArray[np.uint8]) -> bytes:
    """As Pillow does not write it: seven passes (Adam7), unfiltered and uncompressed."""
    starts = (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    )
    rows = b"".join(
        b"\0" + row.tobytes() for left, top, across, down in starts for row in rgb[top::down, left::across]
    )
    data = encoded(rgb, "PNG")
    header = bytearray(data[16:29])
    header[12] = 1
    ihdr = b"IHDR" + bytes(header)
    data = data[:12] + ihdr + struct.pack(">I", zlib.crc32(ihdr)) + data[33:]
    return with_idats(data, zlib.compress(rows, 0))


def test_colours_are_shown_where_only_what_makes_them_transparent_is_cut() -> None:
    picture = Image.fromarray(scene())
    picture.putalpha(Image.fromarray(scene()[..., 0]))
    data = encoded(picture, "HEIF", quality=80)
    cut = decode(data[:-9000], LIMITS)
    assert cut.damaged
    assert np.abs(cut.rgb.astype(int) - scene()).mean() < 12
