from __future__ import annotations

from pathlib import Path

import pytest
from PIL import ExifTags, Image

from imagesearch.errors import UnreadableFile
from imagesearch.pictures.taken import HEAD_BYTES, taken_at, taken_at_of_any
from tests.imagesearch.pictures.drawn import encoded, gradient

Tag = ExifTags.Base
SHUTTER = "2019:07:14 18:03:22"


def exif(original: str = "", digitized: str = "", file: str = "") -> bytes:
    block = Image.Exif()
    details = block.get_ifd(ExifTags.IFD.Exif)
    for ifd, tag, date in (
        (details, Tag.DateTimeOriginal, original),
        (details, Tag.DateTimeDigitized, digitized),
        (block, Tag.DateTime, file),
    ):
        if date:
            ifd[tag] = date
    return block.tobytes()


def with_dates(file_format: str = "JPEG", **dates: str) -> bytes:
    return encoded(gradient(), file_format, exif=exif(**dates))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF"])
def test_every_format_with_exif_data_tells_its_date(file_format: str) -> None:
    assert taken_at(with_dates(file_format, original=SHUTTER)) == "2019-07-14T18:03:22"
    assert taken_at(encoded(gradient(), file_format)) == ""


@pytest.mark.parametrize("file_format", ["GIF", "BMP"])
def test_formats_without_exif_data_tell_none(file_format: str) -> None:
    assert taken_at(encoded(gradient(), file_format)) == ""


def test_the_shutters_date_comes_before_the_scanners_and_that_before_the_files() -> None:
    scan, edit = "2021:01:02 03:04:05", "2022:02:03 04:05:06"
    assert taken_at(with_dates(original=SHUTTER, digitized=scan, file=edit)) == "2019-07-14T18:03:22"
    assert taken_at(with_dates(digitized=scan, file=edit)) == "2021-01-02T03:04:05"
    assert taken_at(with_dates(file=edit)) == "2022-02-03T04:05:06"


@pytest.mark.parametrize(
    "nonsense",
    [
        "0000:00:00 00:00:00", "    :  :     :  :  ", "2019:02:30 10:00:00", "2019:07:14 25:00:00",
        "yesterday", "1066:10:14 09:00:00", "2019:07",
    ],
)  # fmt: skip
def test_a_date_that_is_none_gives_way_to_the_next(nonsense: str) -> None:
    assert taken_at(with_dates(original=nonsense, file=SHUTTER)) == "2019-07-14T18:03:22"
    assert taken_at(with_dates(original=nonsense)) == ""


def test_dates_that_programs_write_in_other_ways_are_understood() -> None:
    assert taken_at(with_dates(original="2019-07-14T18:03:22+09:00")) == "2019-07-14T18:03:22"
    assert taken_at(with_dates(original="2019:07:14 18:03")) == "2019-07-14T18:03:00"
    assert taken_at(with_dates(original="2019:07:14")) == "2019-07-14T00:00:00"


def test_damaged_exif_data_are_no_date_and_no_error() -> None:
    whole = with_dates(original=SHUTTER)
    start = whole.index(b"Exif\0\0") + 6
    for place in range(start, start + 60):
        flipped = bytearray(whole)
        flipped[place] ^= 0xFF
        assert isinstance(taken_at(bytes(flipped)), str)
    assert taken_at(b"") == taken_at(b"no picture") == ""


def test_of_a_jpeg_file_its_beginning_is_enough(tmp_path: Path) -> None:
    content = with_dates(original=SHUTTER) + bytes(HEAD_BYTES)
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    assert taken_at_of_any([path], max_bytes=10**6) == "2019-07-14T18:03:22"
    progressive = encoded(gradient(3000, 2000), "JPEG", exif=exif(SHUTTER), progressive=True, quality=95)
    assert taken_at(progressive[: len(progressive) // 2]) == "2019-07-14T18:03:22"


def test_of_files_with_the_same_bytes_the_first_that_can_be_read_is_asked(tmp_path: Path) -> None:
    (tmp_path / "b.webp").write_bytes(with_dates("WEBP", original=SHUTTER))
    paths = [tmp_path / "gone.webp", tmp_path / "b.webp"]
    assert taken_at_of_any(paths, max_bytes=10**6) == "2019-07-14T18:03:22"
    with pytest.raises(UnreadableFile):
        taken_at_of_any(paths[:1], max_bytes=10**6)
