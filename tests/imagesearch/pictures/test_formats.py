"""Which file is what, by its first bytes; and what is said of a kind that is not accepted."""

from __future__ import annotations

import struct

import pytest
from PIL import TiffImagePlugin

from imagesearch.errors import UndecodableImage, UnsupportedImageType
from imagesearch.pictures.decode import decode
from imagesearch.pictures.formats import (
    REFUSED_KINDS,
    SUFFIXES,
    kind_of_refusal,
    kind_of_suffix,
    refused_kind,
    sniff,
)
from tests.imagesearch.pictures.drawn import LIMITS, MEDIA_TYPES, assert_close, encoded, gradient


def with_brands(data: bytes, major: bytes, *compatible: bytes) -> bytes:
    """The AVIF or HEIC file under other brands, and as long: pictures are found by their places."""
    length = int.from_bytes(data[:4], "big")
    brands = b"".join(compatible)
    return data[:8] + major + bytes(4) + (brands * 8)[: length - 16] + data[length:]


@pytest.mark.parametrize("major", [b"mif1", b"mif2", b"msf1", b"miaf", b"hvc1", b"heix"])
def test_a_heic_is_known_by_any_brand(major: bytes) -> None:
    data = with_brands(encoded(gradient(), "HEIF", quality=95), major, b"mif1")
    assert decode(data, LIMITS).media_type == "image/heic"
    assert_close(decode(data, LIMITS), gradient())


@pytest.mark.parametrize("major", [b"mif1", b"mif2", b"miaf"])
def test_an_avif_is_known_by_what_is_inside(major: bytes) -> None:
    data = with_brands(encoded(gradient(), "AVIF", quality=95), major, b"mif1")
    assert decode(data, LIMITS).media_type == "image/avif"
    assert_close(decode(data, LIMITS), gradient())


def test_the_suffixes_of_cameras_are_known() -> None:
    assert {".hif", ".heic", ".jpg", ".tif", ".tiff", ".avif"} <= SUFFIXES


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(50), "a camera's raw file"),
        (b"\0\0\0\x18ftypcrx " + bytes(50), "a camera's raw file"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(50), "a camera's raw file"),
        (b"IIU\0" + bytes(50), "a camera's raw file"),
        (b"8BPS\0\1" + bytes(50), "a Photoshop document"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50), "a JPEG 2000 picture"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isommp42", "a video"),
        (b"\0\0\1\0\1\0" + bytes(50), "an icon"),
    ],
)
def test_what_is_refused_is_told_by_its_kind(data: bytes, kind: str) -> None:
    with pytest.raises(
        UnsupportedImageType, match=f"^The file is {kind}, which is not accepted: save it as JPEG.$"
    ):
        sniff(data)


def test_a_kind_is_known_by_its_suffix_and_by_the_sentence_that_refused_it() -> None:
    assert kind_of_suffix(".nef") == "camera's raw file"
    assert kind_of_suffix(".svg") == "SVG drawing"
    assert kind_of_suffix(".txt") is None
    assert kind_of_refusal(str(refused_kind("an icon"))) == "icon"
    assert kind_of_refusal("The file is empty.") is None


def test_no_suffix_is_accepted_and_refused_or_of_two_kinds() -> None:
    refused = [suffix for kind in REFUSED_KINDS for suffix in kind.suffixes]
    assert len(refused) == len(set(refused))
    assert SUFFIXES.isdisjoint(refused)


@pytest.mark.parametrize("tags", [{254: 1}, {50706: b"\1\4\0\0"}])
def test_a_raw_file_is_not_mistaken_for_the_preview_in_front_of_it(tags: dict[int, int | bytes]) -> None:
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in tags.items():
        directory[tag] = value
        directory.tagtype[tag] = 4 if isinstance(value, int) else 1
    with pytest.raises(UnsupportedImageType, match="a camera's raw file"):
        decode(encoded(gradient(), "TIFF", tiffinfo=directory), LIMITS)


@pytest.mark.parametrize("bits", [12, 16])
def test_a_jpeg_of_more_bits_is_told_by_them(bits: int) -> None:
    data = bytearray(encoded(gradient(), "JPEG"))
    data[data.index(b"\xff\xc0") + 4] = bits
    with pytest.raises(UndecodableImage, match=f"of {bits} bits"):
        decode(bytes(data), LIMITS)


@pytest.mark.parametrize("name", MEDIA_TYPES)
def test_no_type_is_taken_for_another(name: str) -> None:
    assert sniff(encoded(gradient(), name)).media_type == MEDIA_TYPES[name]


def whole_bmp(bits: int, compression: int, masks: bytes = b"") -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, 8, 8, 1, bits, compression, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + len(masks)) + info + masks + bytes(8 * 8 * 4)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (whole_bmp(2, 0), "BMP file of a rare kind"),
        (whole_bmp(16, 3, struct.pack("<III", 0xF00, 0xF0, 0xF)), "BMP file of a rare kind"),
        (whole_bmp(0, 5), "BMP file of a rare kind"),
        (encoded(gradient(8, 8), "JPEG").replace(b"\xff\xc0", b"\xff\xc3"), "lossless JPEG picture"),
        (encoded(gradient(8, 8), "TIFF").replace(b"\x08\0" * 3, b"\x20\0" * 3), "TIFF file of a rare kind"),
    ],
)
def test_what_no_decoder_reads_is_not_called_damaged(data: bytes, kind: str) -> None:
    with pytest.raises(UnsupportedImageType, match=kind) as caught:
        decode(data, LIMITS)
    assert kind_of_refusal(str(caught.value)) == kind
