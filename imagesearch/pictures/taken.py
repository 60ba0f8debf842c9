"""When a photo was taken, as its EXIF data tell: by the camera's clock, in a time zone that few name."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from PIL import ExifTags, Image

from imagesearch.errors import UnreadableFile
from imagesearch.pictures.formats import sniff
from imagesearch.pictures.readers import bmff, jpeg, png, webp

EXIF_OF: dict[str, Callable[[bytes], bytes]] = {
    "JPEG": jpeg.exif_in,
    "PNG": png.exif_in,
    "WebP": webp.exif_in,
    "AVIF": bmff.exif_in_avif,
    "HEIC": bmff.exif_in_heic,
    "TIFF": lambda data: data,  # whose own tags are those of EXIF
}
"""By the names of `formats.FORMATS`; the others have none."""
HEAD_BYTES = 256 << 10
"""How much of a JPEG file is read for its date: EXIF data, at most 64 KiB, come before the pixels. Other
formats may keep theirs anywhere."""
FIRST_YEAR = 1826
"""Of the oldest photograph that has lasted: an earlier date is that of no photo."""
DATE = re.compile(r"\s*(\d{4})[:\-/.](\d\d)[:\-/.](\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?)?")


def taken_at(data: bytes) -> str:
    """ISO 8601 without a time zone, such as "2019-07-14T18:03:22"; empty where the file tells no sound date.

    data: a file, or of a JPEG file the first HEAD_BYTES. Metadata never cost a photo: nothing is raised.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exif = EXIF_OF[sniff(data).name](data)
            return next(filter(None, map(_iso, _dates(exif))), "") if exif else ""
    except Exception:
        return ""


def taken_at_of_any(paths: Sequence[Path], max_bytes: int) -> str:
    """The same of the first file that can be read of several with the same bytes. Raises UnreadableFile."""
    for path in paths:
        try:
            with path.open("rb") as file:
                head = file.read(HEAD_BYTES)
                return taken_at(head if head.startswith(b"\xff\xd8") else head + file.read(max_bytes))
        except OSError:
            continue
    raise UnreadableFile("The file cannot be read: check its permissions and the disk.")


def _dates(exif: bytes) -> Iterator[str]:
    """From the shutter's to the file's: a scan is newer than its photo, an edited file newer than either."""
    block = Image.Exif()
    block.load(exif)
    details = block.get_ifd(ExifTags.IFD.Exif)
    yield str(details.get(ExifTags.Base.DateTimeOriginal, ""))
    yield str(details.get(ExifTags.Base.DateTimeDigitized, ""))
    yield str(block.get(ExifTags.Base.DateTime, ""))


def _iso(date: str) -> str:
    """Empty for what is no date: cameras whose clock was never set write zeros or blanks."""
    found = DATE.match(date)
    if found is None:
        return ""
    try:
        moment = datetime(*(int(number or 0) for number in found.groups()))  # type: ignore[arg-type]
    except ValueError:
        return ""
    return moment.isoformat() if moment.year >= FIRST_YEAR else ""
