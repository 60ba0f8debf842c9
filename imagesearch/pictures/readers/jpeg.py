"""JPEG files: what their segments say, which of them a decoder needs, and the pixels (ITU-T T.81)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from imagesearch.errors import UndecodableImage
from imagesearch.pictures.formats import RARE_JPEG, refused_kind
from imagesearch.pictures.readers.damage import (
    check_shown,
    damaged_file,
    share_before_difference,
    share_of_shade,
    too_costly,
)
from imagesearch.pictures.readers.raster import TURNED, CheckSize, LeastScale, Raster, orientation_in

MAX_SEGMENTS = 4000
"""Segments that a file may hold. The largest profiles and embedded previews take some hundreds."""
MAX_VISITS = 16
"""Scans that one colour component may take part in: every scan costs a walk over the whole picture. The
encoders' own scripts need 6, the most thorough optimisers 12."""
DCT_DENOMINATORS = (8, 4, 2)
"""A JPEG can be decoded at these fractions of its size: of each 8 × 8 block, only the lowest frequencies."""
COLOURS = {1: "GRAY", 3: "RGB", 4: "CMYK"}
"""What is decoded of so many colour components."""
MISSING_SHADE = 128
"""What libjpeg shows where nothing was coded: all coefficients are 0."""

SOI, EOI, SOS, DRI, APP0, APP1, APP2, APP14 = 0xD8, 0xD9, 0xDA, 0xDD, 0xE0, 0xE1, 0xE2, 0xEE
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
RARE = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF})
"""Frames that are lossless or of a hierarchy, which no decoder of photos knows."""
PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
ALONE = frozenset({0x00, 0x01, *range(0xD0, 0xDA)})
"""Markers without a segment."""
NEEDED = frozenset({*range(0xC0, 0xD0), 0xDB, SOS, DRI})
"""Markers of the segments without which nothing can be decoded: frame, tables, restart interval, scan."""
FILL = re.compile(rb"\xff+")
END_OF_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""In coded data FF stands before 00 or a restart marker, and at its end before any other marker."""
END = b"\xff\xd9"
NOISES = tuple(np.random.default_rng(seed).integers(0, 255, 4096, np.uint8).tobytes() for seed in (1, 2))
"""To end cut data with: see `share_before_difference`. No byte is FF."""


@dataclass(slots=True)
class Jpeg:
    """A JPEG file whose pixels are still coded."""

    width: int = 0
    height: int = 0
    progressive: bool = False
    sampling: dict[int, tuple[int, int]] = field(default_factory=dict)
    """From a component's number to its samples in each unit, across and down."""
    restarts: bool = False
    """Whether the coded data can be entered at markers in its midst."""
    exif: bytes = b""
    profile: bytes = b""
    """The ICC profile."""
    tables: bytearray = field(default_factory=lambda: bytearray(b"\xff\xd8"))
    """The file up to the first scan's data, without what no decoder needs."""
    coded: bytes = b""
    """The rest of the file."""
    scans: list[_Scan] = field(default_factory=list)
    """Empty where one scan holds it all."""

    @property
    def unit(self) -> tuple[int, int]:
        """Width and height, in blocks of 8 × 8 pixels, of what is coded together (T.81's MCU)."""
        return max(h for h, _ in self.sampling.values()), max(v for _, v in self.sampling.values())


@dataclass(frozen=True, slots=True)
class _Scan:
    components: tuple[int, ...]
    coefficients: range
    first_visit: bool
    """False where it only makes known coefficients more precise."""
    last_bit: int
    """0 where they are as precise then as they will be."""
    end: int
    """Where its data end in `Jpeg.coded`."""


def read(data: bytes, check_size: CheckSize, least_scale: LeastScale) -> Raster:
    """See `Reader`."""
    jpeg = read_jpeg(data)
    check_size(jpeg.width, jpeg.height)
    orientation = orientation_in(jpeg.exif)
    width, height = (jpeg.height, jpeg.width) if orientation in TURNED else (jpeg.width, jpeg.height)
    pixels, damaged = decode_jpeg(jpeg, least_scale(width, height))
    return Raster(pixels, jpeg.width, jpeg.height, jpeg.profile, orientation, damaged)


def exif_in(data: bytes) -> bytes:
    """The EXIF block of a file or of its beginning; empty where there is none. Raises UndecodableImage."""
    for marker, body, _ in _segments(data, 2):
        if marker == APP1 and body.startswith(b"Exif\0\0"):
            return body
        if marker == SOS:
            break
    return b""


def read_jpeg(data: bytes) -> Jpeg:
    """Reads all but the pixels, of which it counts the scans. Raises UndecodableImage."""
    jpeg, profile = Jpeg(), {}
    for marker, body, end in _segments(data, 2):
        if marker in FRAMES:
            _read_frame(jpeg, marker, body)
        elif marker == DRI:
            jpeg.restarts = any(body[:2])
        elif marker == APP1 and body.startswith(b"Exif\0\0"):
            jpeg.exif = jpeg.exif or body
        elif marker == APP2 and body.startswith(b"ICC_PROFILE\0"):
            profile[body[12:13]] = body[14:]
        if _is_needed(marker, body):
            jpeg.tables += b"\xff%c%b%b" % (marker, (len(body) + 2).to_bytes(2, "big"), body)
        if marker == SOS and jpeg.sampling:
            jpeg.coded = data[end:]
            jpeg.profile = b"".join(profile[number] for number in sorted(profile))
            jpeg.scans = _read_scans(jpeg, body)
            return jpeg
    raise damaged_file()


def decode_jpeg(jpeg: Jpeg, least_scale: float) -> tuple[NDArray[np.uint8], bool]:
    """The pixels, and whether some of them are missing or wrong.

    Returns shape=(h, w, C), dtype=uint8, at the least fraction of the file's size that is `least_scale` or
    above; C = 1: grey, 3: RGB, 4: CMYK, 255 being full ink. Raises UndecodableImage or ValueError.
    """
    shortest = min(jpeg.width, jpeg.height)
    denominator = next((n for n in DCT_DENOMINATORS if n <= shortest and least_scale <= 1 / n), 1)
    if jpeg.scans and _missing(jpeg, jpeg.scans[:-1]) - _visited(jpeg.scans[-1:]):
        check_shown(0)
    with suppress(ValueError):
        return _pixels(jpeg, jpeg.coded, denominator), False
    coded = _until_the_end(jpeg)
    with suppress(ValueError):  # perhaps nothing was missing but the end marker
        return _pixels(jpeg, coded + END, denominator), _lacks_precision(jpeg)
    check_shown(_shown(jpeg, coded))
    return _pixels(jpeg, coded + END, denominator, strict=False), True


def _pixels(jpeg: Jpeg, coded: bytes, denominator: int, strict: bool = True) -> NDArray[np.uint8]:
    """Raises ValueError, if `strict` also where the decoder only warns."""
    pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
        b"".join((jpeg.tables, coded)),
        COLOURS[len(jpeg.sampling)],
        min_width=-(-jpeg.width // denominator),
        min_height=-(-jpeg.height // denominator),
        strict=strict,
    )
    return 255 - pixels if len(jpeg.sampling) == 4 else pixels  # stored inverted, as Adobe began it


def _shown(jpeg: Jpeg, coded: bytes) -> float:
    """The share of the pixels that cut data hold. Raises ValueError."""
    across, down = jpeg.unit
    if jpeg.scans and not _missing(jpeg, jpeg.scans[:-1]):
        return 1.0
    if jpeg.restarts and not jpeg.scans:
        return 1 - share_of_shade(_pixels(jpeg, coded + END, 1, False), MISSING_SHADE, (8, 8))
    scale = (
        1 if jpeg.scans else 8
    )  # in one scan every block begins with its mean, which is all that 1/8 shows
    first, second = (_pixels(jpeg, coded + noise + END, scale, False) for noise in NOISES)
    return share_before_difference([first, second], (across * 8 // scale, down * 8 // scale))


def _missing(jpeg: Jpeg, scans: list[_Scan]) -> set[tuple[int, int]]:
    """Component and frequency of what no whole scan has brought."""
    wanted = {(component, frequency) for component in jpeg.sampling for frequency in range(64)}
    return wanted - _visited(scans)


def _visited(scans: list[_Scan]) -> set[tuple[int, int]]:
    return {
        (component, frequency)
        for scan in scans
        if scan.first_visit
        for component in scan.components
        for frequency in scan.coefficients
    }


def _lacks_precision(jpeg: Jpeg) -> bool:
    """True if the last scan of some coefficient leaves bits to others."""
    last_bits = {
        (component, frequency): scan.last_bit
        for scan in jpeg.scans
        for component in scan.components
        for frequency in scan.coefficients
    }
    return any(last_bits.values())


def _until_the_end(jpeg: Jpeg) -> bytes:
    """The coded data, without end marker and whatever follows."""
    if jpeg.scans:
        end = jpeg.scans[-1].end
    else:
        marker = END_OF_SCAN.search(jpeg.coded)
        end = marker.start() if marker else len(jpeg.coded)
    return jpeg.coded[:end].rstrip(b"\xff")


def _segments(data: bytes, position: int) -> Iterator[tuple[int, bytes, int]]:
    """Marker, body and end of each segment; bytes between segments are passed over, as decoders do."""
    for _ in range(MAX_SEGMENTS):
        fill = FILL.search(data, position)
        if fill is None or fill.end() >= len(data):
            return
        marker, start = data[fill.end()], fill.end() + 1
        length = 0 if marker in ALONE else int.from_bytes(data[start : start + 2], "big")
        position = start + length
        yield marker, data[start + 2 : position], position
    raise too_costly("segments")


def _is_needed(marker: int, body: bytes) -> bool:
    """JFIF's and Adobe's segments tell how colours are coded, where they are whole."""
    if marker == APP0:
        return body.startswith(b"JFIF\0") and len(body) >= 14
    if marker == APP14:
        return body.startswith(b"Adobe") and len(body) >= 12
    return marker in NEEDED


def _read_frame(jpeg: Jpeg, marker: int, body: bytes) -> None:
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        raise damaged_file()
    if marker in RARE:
        raise refused_kind(RARE_JPEG)
    if body[0] != 8:
        raise UndecodableImage(f"JPEG files of {body[0]} bits a colour are not read: save it with 8.")
    jpeg.height, jpeg.width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    components = [body[start : start + 3] for start in range(6, 6 + 3 * body[5], 3)]
    jpeg.sampling = {number: (factors >> 4, factors & 15) for number, factors, _ in components}
    jpeg.progressive = marker in PROGRESSIVE
    if body[5] not in COLOURS or len(jpeg.sampling) != body[5] or 0 in jpeg.unit:
        raise damaged_file()


def _read_scans(jpeg: Jpeg, body: bytes) -> list[_Scan]:
    """Raises UndecodableImage where there are too many."""
    if not jpeg.progressive and body[0] == len(jpeg.sampling):
        return []
    scans, visits, position = [], Counter[int](), 0
    while body:
        marker = END_OF_SCAN.search(jpeg.coded, position)
        scans.append(_read_scan(body, marker.start() if marker else len(jpeg.coded)))
        visits.update(scans[-1].components)
        if max(visits.values()) > MAX_VISITS:
            raise too_costly("scans")
        body, position = _next_scan(jpeg.coded, scans[-1].end)
    return scans


def _read_scan(body: bytes, end: int) -> _Scan:
    if not 1 <= body[0] <= 4 or len(body) < 2 * body[0] + 4:
        raise damaged_file()
    first, last, bits = body[1 + 2 * body[0] :][:3]
    components = tuple(body[1 : 1 + 2 * body[0] : 2])
    return _Scan(components, range(first, min(last, 63) + 1), bits >> 4 == 0, bits & 15, end)


def _next_scan(coded: bytes, position: int) -> tuple[bytes, int]:
    """The next scan's segment and where its data begin; an empty one behind the last scan."""
    for marker, body, end in _segments(coded, position):
        if marker in (SOI, EOI):
            break
        if marker == SOS:
            return body, end
    return b"", 0
