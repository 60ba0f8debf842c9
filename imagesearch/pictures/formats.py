"""The accepted image formats: one table, and which of them a file is by its first bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from imagesearch.errors import UnsupportedImageType

BMP_HEADER_BYTES = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
"""Sizes of the header's known versions: "BM" alone begins many a text."""
AVIF_BRANDS = frozenset({b"avif", b"avis"})
HEIC_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"hvc1", b"hev1"}
)
GENERAL_BRANDS = frozenset({b"mif1", b"mif2", b"miaf", b"msf1"})
"""Of the container that AVIF and HEIC share: the kinds of the pictures inside tell which it is."""
ITEM_BYTES = 65_536
"""How far into a file the kinds of its pictures stand."""


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """One kind of image file."""

    name: str
    """As a person knows it."""
    media_type: str
    suffixes: frozenset[str]
    """The endings of its files' names, in lower case."""
    begins: Callable[[bytes], bool]
    """Whether a file of these bytes is one."""


@dataclass(frozen=True, slots=True)
class RefusedKind:
    """A kind of file that a person may take for a photo, and that is not accepted."""

    name: str
    """With its article, as it stands in a sentence."""
    suffixes: frozenset[str]
    """The endings of its files' names, in lower case."""
    begins: Callable[[bytes], bool]
    """Whether a file of these bytes is one."""

    @property
    def short_name(self) -> str:
        """Without the article."""
        return self.name.partition(" ")[2]


def sniff(data: bytes) -> ImageFormat:
    """The format that the first bytes tell. Raises UnsupportedImageType."""
    for kind in REFUSED_KINDS:
        if kind.begins(data):
            raise refused_kind(kind.name)
    for image_format in FORMATS:
        if image_format.begins(data):
            return image_format
    *names, last = [image_format.name for image_format in FORMATS]
    raise UnsupportedImageType(f"The file is not an image of an accepted type: {', '.join(names)} or {last}.")


def refused_kind(name: str) -> UnsupportedImageType:
    """The error for a kind that is known and not accepted. name: with its article."""
    return UnsupportedImageType(f"The file is {name}, which is not accepted: save it as JPEG.")


def kind_of_suffix(suffix: str) -> str | None:
    """The short name of a kind that is not accepted. suffix: in lower case."""
    return next((kind.short_name for kind in REFUSED_KINDS if suffix in kind.suffixes), None)


def kind_of_refusal(sentence: str) -> str | None:
    """The short name of the kind that was refused with this sentence; None for any other."""
    return _KINDS_BY_SENTENCE.get(sentence)


def _begins_with(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(signatures)


def _any(*tests: Callable[[bytes], bool]) -> Callable[[bytes], bool]:
    return lambda data: any(test(data) for test in tests)


def _suffixes(names: str) -> frozenset[str]:
    return frozenset(f".{name}" for name in names.split())


def _is_webp(data: bytes) -> bool:
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def _is_bmp(data: bytes) -> bool:
    return data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in BMP_HEADER_BYTES


def _has_brand(wanted: frozenset[bytes], others: frozenset[bytes], *items: bytes) -> Callable[[bytes], bool]:
    """AVIF and HEIC share a container; the first brand that is known tells which, the major one first
    (ISO 14496-12, 4.3), and where there are general ones alone, the kind of its items."""
    known = wanted | others

    def begins(data: bytes) -> bool:
        brands = _brands(data)
        first = next((brand for brand in brands if brand in known), None)
        if first is None and GENERAL_BRANDS.intersection(brands):
            return any(item in data[:ITEM_BYTES] for item in items)
        return first in wanted

    return begins


def _brands(data: bytes) -> list[bytes]:
    if data[4:8] != b"ftyp":
        return []
    box_bytes = int.from_bytes(data[:4], "big")
    header = data[8 : min(box_bytes, 256)]
    return [header[:4], *(header[start : start + 4] for start in range(8, len(header), 4))]


def _has_major_brand(*brands: bytes) -> Callable[[bytes], bool]:
    return lambda data: data[4:8] == b"ftyp" and data[8 : 8 + 4] in brands


def _is_svg(data: bytes) -> bool:
    return data.lstrip()[:5] in (b"<svg ", b"<?xml") and b"<svg" in data[:4096]


def _is_cr2(data: bytes) -> bool:
    return data.startswith((b"II*\0", b"MM\0*")) and data[8:10] == b"CR"


FORMATS = (
    ImageFormat(
        "JPEG", "image/jpeg", frozenset({".jpg", ".jpeg", ".jpe", ".jfif"}), _begins_with(b"\xff\xd8\xff")
    ),
    ImageFormat("PNG", "image/png", frozenset({".png"}), _begins_with(b"\x89PNG\r\n\x1a\n")),
    ImageFormat("WebP", "image/webp", frozenset({".webp"}), _is_webp),
    ImageFormat("GIF", "image/gif", frozenset({".gif"}), _begins_with(b"GIF87a", b"GIF89a")),
    ImageFormat("BMP", "image/bmp", frozenset({".bmp", ".dib"}), _is_bmp),
    ImageFormat(
        "AVIF", "image/avif", frozenset({".avif", ".avifs"}), _has_brand(AVIF_BRANDS, HEIC_BRANDS, b"av01")
    ),
    ImageFormat(
        "HEIC",
        "image/heic",
        frozenset({".heic", ".heif", ".hif"}),
        _has_brand(HEIC_BRANDS, AVIF_BRANDS, b"hvc1", b"hev1"),
    ),
    ImageFormat(
        "TIFF",
        "image/tiff",
        frozenset({".tif", ".tiff"}),
        _begins_with(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    ),
)
"""Every format that is accepted, at every door."""
CAMERA_RAW = "a camera's raw file"
RARE_BMP = "a BMP file of a rare kind"
RARE_JPEG = "a lossless JPEG picture"
RARE_TIFF = "a TIFF file of a rare kind"
REFUSED_KINDS = (
    RefusedKind(
        CAMERA_RAW,
        _suffixes(
            "3fr arw cr2 cr3 crw dcr dng erf iiq kdc mef mos mrw nef nrw orf pef raf rw2 rwl sr2 srf srw x3f"
        ),
        _any(
            _is_cr2,
            _has_major_brand(b"crx "),
            _begins_with(b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM"),
        ),
    ),
    RefusedKind("a Photoshop document", _suffixes("psd psb"), _begins_with(b"8BPS")),
    RefusedKind(
        "a JPEG 2000 picture",
        _suffixes("jp2 j2k jpf jpx j2c"),
        _begins_with(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
    ),
    RefusedKind("a JPEG XR picture", _suffixes("jxr wdp hdp"), _begins_with(b"II\xbc\x01")),
    RefusedKind("an OpenEXR picture", _suffixes("exr"), _begins_with(b"\x76\x2f\x31\x01")),
    RefusedKind(
        "a JPEG XL picture", _suffixes("jxl"), _begins_with(b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
    ),
    RefusedKind("an icon", _suffixes("ico cur"), _begins_with(b"\0\0\1\0", b"\0\0\2\0")),
    RefusedKind("an SVG drawing", _suffixes("svg svgz"), _is_svg),
    RefusedKind("a PDF document", _suffixes("pdf"), _begins_with(b"%PDF-")),
    RefusedKind(
        "a video",
        _suffixes("mp4 m4v mov 3gp avi mkv webm mpg mpeg mts m2ts wmv"),
        _has_major_brand(
            b"isom",
            b"iso2",
            b"iso4",
            b"iso5",
            b"iso6",
            b"mp41",
            b"mp42",
            b"avc1",
            b"M4V ",
            b"qt  ",
            b"3gp4",
            b"3gp5",
        ),
    ),
)
"""What is told by its kind when it is refused."""
_KINDS_BY_SENTENCE = {
    str(refused_kind(name)): name.partition(" ")[2]
    for name in (*(kind.name for kind in REFUSED_KINDS), RARE_BMP, RARE_JPEG, RARE_TIFF)
}
SUFFIXES = frozenset().union(*(image_format.suffixes for image_format in FORMATS))
"""The endings of the names of files that may be photos, in lower case."""
