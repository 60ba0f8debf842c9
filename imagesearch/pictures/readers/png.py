"""PNG files: which of their chunks a decoder needs, what they say of colour, and how to mend the pixels (W3C
PNG, third edition)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import TypeAlias

from PIL import Image, ImageChops

from imagesearch.pictures.profiles import code_point_profile, png_profile
from imagesearch.pictures.readers.damage import check_shown, damaged_file, too_costly
from imagesearch.pictures.readers.raster import CheckSize, LeastScale, Raster, opened, orientation_in

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 50_000
"""Chunks that a file may hold: a photo of 256 MiB, as libpng writes it, has 32,768."""
MAX_PROFILE_BYTES = 4 << 20
"""The largest ICC profile that is read; a larger one is passed over."""
COLOUR_CHUNKS = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"})
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""From colour type to samples for each pixel."""
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column, first row and the steps between columns and rows of each pass of an interlaced picture."""
PIECE_BYTES = 4096
Inflater: TypeAlias = "zlib._Decompress"


@dataclass(slots=True)
class Png:
    """A PNG file whose pixels are still compressed."""

    header: bytes = b""
    """IHDR's body."""
    palette: bytes = b""
    """The chunks PLTE and tRNS, as far as there are any."""
    pixels: list[bytes] = field(default_factory=list)
    """The bodies of the IDAT chunks."""
    changed: set[int] = field(default_factory=set)
    """Which of them are not what was written, by their checksums."""
    colour: dict[bytes, bytes] = field(default_factory=dict)
    """The bodies of the chunks that tell what the colours mean, by their names."""
    exif: bytes = b""
    apple: bool = False
    """Whether this is the CgBI variant that Xcode makes: no zlib header, blue before red."""
    damaged: bool = False
    """Whether pixels are missing."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        width, height = struct.unpack(">II", self.header[:8])
        return width, height

    def file(self) -> bytes:
        """The file without what no decoder needs."""
        body = b"".join(chunk(b"IDAT", part) for part in self.pixels)
        return SIGNATURE + chunk(b"IHDR", self.header) + self.palette + body + chunk(b"IEND", b"")


def read(data: bytes, check_size: CheckSize, least_scale: LeastScale) -> Raster:
    """See `Reader`. What is missing is black."""
    png = read_png(data)
    check_size(*png.size)
    if png.changed or png.apple:
        png = mended(png)
    try:
        image = _loaded(png, check_size)
    except (OSError, ValueError, SyntaxError):
        png = mended(png)
        image = _loaded(png, check_size)
    if png.apple:
        image = _from_apple(image)
    return Raster(image, *image.size, _profile(png.colour), orientation_in(png.exif), png.damaged)


def exif_in(data: bytes) -> bytes:
    """The EXIF block; empty where there is none. Raises UndecodableImage."""
    return read_png(data).exif


def read_png(data: bytes) -> Png:
    """Reads the chunks; of those beside the pixels, damaged ones are passed over. Raises UndecodableImage."""
    png, position = Png(), len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        length, name = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        body = data[position + 8 : position + 8 + length]
        position += 12 + length
        changed = zlib.crc32(name + body).to_bytes(4, "big") != data[position - 4 : position]
        cut = position > len(data)
        if name == b"IEND" or len(name) < 4:
            break
        _keep(png, name, body, changed, cut)
    else:
        raise too_costly("chunks")
    if len(png.header) != 13 or png.header[9] not in SAMPLES or not png.pixels:
        raise damaged_file()
    return png


def mended(png: Png) -> Png:
    """The same picture with all its rows, black where the file holds none. Raises UndecodableImage."""
    passes = _passes(png)
    wanted = sum(rows * row_bytes for _, rows, row_bytes in passes)
    rows = _inflated(png, wanted)
    check_shown(_shown(len(rows), passes))
    pixels = zlib.compress(rows + bytes(wanted - len(rows)), 1)
    damaged = len(rows) < wanted
    return Png(png.header, png.palette, [pixels], set(), png.colour, png.exif, png.apple, damaged)


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk with its length and its checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _loaded(png: Png, check_size: CheckSize) -> Image.Image:
    image = opened(png.file(), "PNG", check_size)
    image.load()
    return image


def _from_apple(image: Image.Image) -> Image.Image:
    """Red before blue again, and no longer multiplied by alpha: laid on white by the way."""
    blue, green, red, *alpha = image.split()
    shown = Image.merge("RGB", (red, green, blue))
    return ImageChops.add(shown, Image.merge("RGB", [ImageChops.invert(alpha[0])] * 3)) if alpha else shown


def _profile(colour: dict[bytes, bytes]) -> bytes:
    """By the precedence of section 4.3."""
    if len(colour.get(b"cICP", b"")) == 4:
        return code_point_profile(*colour[b"cICP"][:2])
    if b"iCCP" in colour and (profile := _inflated_profile(colour[b"iCCP"])):
        return profile
    if b"sRGB" in colour:
        return b""
    return png_profile(colour.get(b"cHRM", b""), colour.get(b"gAMA", b""))


def _inflated_profile(body: bytes) -> bytes:
    """The ICC profile in an iCCP chunk; empty where it is damaged or too large."""
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(body.partition(b"\0")[2][1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return b""
    return profile if inflater.eof else b""


def _keep(png: Png, name: bytes, body: bytes, changed: bool, cut: bool) -> None:
    if name == b"IDAT":
        if changed and not cut:
            png.changed.add(len(png.pixels))
        png.pixels.append(body)
    elif name == b"IHDR":
        png.header = body
    elif name == b"PLTE" or (name == b"tRNS" and not changed):
        png.palette += chunk(name, body)
    elif name == b"CgBI":
        png.apple = True
    elif name in COLOUR_CHUNKS and not changed:
        png.colour.setdefault(name, body)
    elif name == b"eXIf" and not changed:
        png.exif = body


def _passes(png: Png) -> list[tuple[int, int, int]]:
    """Columns, rows and bytes in a row of each pass; one pass where the picture is not interlaced."""
    (width, height), depth, colour_type, interlaced = png.size, png.header[8], png.header[9], png.header[12]
    sizes = [(width, height)]
    if interlaced:
        sizes = [
            (-((left - width) // across), -((top - height) // down)) for left, top, across, down in ADAM7
        ]
    bits = depth * SAMPLES[colour_type]
    return [(columns, rows, 1 + (columns * bits + 7) // 8) for columns, rows in sizes if columns and rows]


def _inflated(png: Png, wanted: int) -> bytes:
    """The rows up to the first fault.

    Where the data do not break off, but only their sum is wrong, the fault may be anywhere in the chunk that
    has changed, so its rows are left out with all that follow.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS if png.apple else zlib.MAX_WBITS)
    rows, suspect = bytearray(), None
    for number, part in enumerate(png.pixels):
        if number in png.changed and suspect is None:
            suspect = len(rows)
        inflater, broken = _inflate(inflater, part, rows, wanted)
        if broken and len(rows) < wanted and number == min(png.changed, default=number):
            return bytes(rows)
        if broken or inflater.eof:
            break
    sound = suspect is None or inflater.eof
    return bytes(rows if sound else rows[:suspect])


def _inflate(inflater: Inflater, data: bytes, rows: bytearray, wanted: int) -> tuple[Inflater, bool]:
    """Adds to the rows what comes of the data, byte by byte before a fault. Returns whether there was one."""
    position, step = 0, PIECE_BYTES
    while position < len(data) and not inflater.eof:
        before = inflater.copy()
        try:
            more = inflater.decompress(data[position : position + step])
            position += step
        except zlib.error:
            if step == 1:
                return inflater, True
            inflater, step = before, 1
            continue
        if more and len(rows) == wanted:  # more than the picture holds, perhaps without end
            break
        rows += more[: wanted - len(rows)]
    return inflater, False


def _shown(length: int, passes: list[tuple[int, int, int]]) -> float:
    """The share of the pixels in the first so many bytes of all rows."""
    shown = 0
    for columns, rows, row_bytes in passes:
        whole_rows = min(rows, length // row_bytes)
        shown += columns * whole_rows
        length -= row_bytes * whole_rows
    return shown / sum(columns * rows for columns, rows, _ in passes)
