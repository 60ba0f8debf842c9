"""The boxes around the pictures of an AVIF or HEIC file (ISO 14496-12, ISO 23008-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from imagesearch.pictures.readers.damage import damaged_file, too_costly

MAX_BOXES = 20_000
MAX_TILES = 1000
"""Pictures that one may be put together of: cameras that cut theirs into 512 × 512 need 800 for 200 MP."""
HOLDERS = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"iref": 4}
"""Boxes that hold boxes, and the bytes before these in them."""


@dataclass(slots=True)
class Boxes:
    """What is read of a file's boxes."""

    tiles: int = 0
    """Pictures that others are put together of."""
    code_points: bytes = b""
    """The body of the first colr box that tells colours by numbers."""
    properties: list[bytes] = field(default_factory=list)
    """The names of the properties that pictures may have, in order: they are counted from 1."""
    property_box: tuple[int, int] = (0, 0)
    """Start and end of the box around the properties."""
    associations: list[tuple[int, int]] = field(default_factory=list)
    """Start and end of each box that gives properties to pictures."""
    auxiliary: set[int] = field(default_factory=set)
    """The numbers of pictures that are the alpha or the depth of others."""
    end: int = 0
    """Where the last box should end."""


def read_boxes(data: bytes) -> Boxes:
    """Raises UndecodableImage where there are too many boxes, or too many parts of a picture."""
    boxes = Boxes()
    wide = False
    for count, (holder, name, start, body, end) in enumerate(walk(data, b"", 0, len(data))):
        if count > MAX_BOXES:
            raise too_costly("boxes")
        if holder == b"":
            boxes.end = end
        elif name == b"iref":
            wide = data[body : body + 1] != b"\0"
        elif name == b"ipco":
            boxes.property_box = start, end
        elif holder == b"ipco":
            boxes.properties.append(name)
            if name == b"colr" and data[body : body + 4] == b"nclx":
                boxes.code_points = boxes.code_points or data[body:end]
        elif name == b"ipma":
            boxes.associations.append((start, end))
        elif holder == b"iref":
            _read_reference(boxes, name, data[body:end], wide)
        if boxes.tiles > MAX_TILES:
            raise too_costly("tiles")
    return boxes


def mended(data: bytes, boxes: Boxes) -> bytes:
    """The file as strict decoders want it: one box of associations, and a size (ispe) for each alpha, too.

    It keeps its length, since pictures are found by their places in it. Raises UndecodableImage.
    """
    spans = boxes.associations
    neighbours = [boxes.property_box, *spans]
    if not spans or any(end != start for (_, end), (start, _) in zip(neighbours, spans, strict=False)):
        raise damaged_file()
    start, end = spans[0][0], spans[-1][1]
    form = data[start + 8 : start + 12]
    entries = [entry for span in spans for entry in _entries(data, form, *span)]
    entries = [_with_size(boxes, form, entry) for entry in entries]
    body = form + len(entries).to_bytes(4, "big")
    for number, given in entries:
        body += number + bytes([len(given)]) + b"".join(given)
    rest = end - start - 8 - len(body)
    if rest < 8:
        return data[:start] + _box(b"ipma", body) + data[end:]
    properties, _ = boxes.property_box
    held = _box(b"ipco", data[properties + 8 : start] + _box(b"free", bytes(rest - 8)))
    return data[:properties] + held + _box(b"ipma", body) + data[end:]


def _box(name: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + name + body


def _entries(data: bytes, form: bytes, start: int, end: int) -> Iterator[tuple[bytes, list[bytes]]]:
    """Number of the picture and its properties, each as coded in boxes of this version and flags."""
    number_bytes, property_bytes = 4 if form[0] else 2, 2 if form[3] & 1 else 1
    if data[start + 8 : start + 12] != form:
        raise damaged_file()
    position = start + 16
    while position + number_bytes < end:
        number = data[position : position + number_bytes]
        first = position + number_bytes + 1
        position = first + data[first - 1] * property_bytes
        yield number, [data[at : at + property_bytes] for at in range(first, position, property_bytes)]


def _with_size(boxes: Boxes, form: bytes, entry: tuple[bytes, list[bytes]]) -> tuple[bytes, list[bytes]]:
    """An alpha without a size gets the first there is, in place of its depths (pixi), which nobody needs."""
    number, given = entry
    names = [boxes.properties[_index(code) - 1 : _index(code)] for code in given]
    if int.from_bytes(number, "big") not in boxes.auxiliary or [b"ispe"] in names or [b"pixi"] not in names:
        return entry
    size = (boxes.properties.index(b"ispe") + 1).to_bytes(len(given[0]), "big")
    return number, [size if name == [b"pixi"] else code for name, code in zip(names, given, strict=True)]


def _index(code: bytes) -> int:
    """Without the first bit, which says whether the property is essential."""
    return int.from_bytes(code, "big") & (0x7F if len(code) == 1 else 0x7FFF)


def _read_reference(boxes: Boxes, name: bytes, body: bytes, wide: bool) -> None:
    """A reference leads from one picture to several: to those it is put together of, or whose alpha it is."""
    number_bytes = 4 if wide else 2
    if name == b"dimg":
        boxes.tiles += int.from_bytes(body[number_bytes : number_bytes + 2], "big")
    elif name == b"auxl":
        boxes.auxiliary.add(int.from_bytes(body[:number_bytes], "big"))


def walk(data: bytes, holder: bytes, start: int, end: int) -> Iterator[tuple[bytes, bytes, int, int, int]]:
    """Of each box, the name of the one around it, its own name, its start, where its body begins, its end."""
    while start + 8 <= end:
        length, name, body = (
            int.from_bytes(data[start : start + 4], "big"),
            data[start + 4 : start + 8],
            start + 8,
        )
        if length == 1:
            length, body = int.from_bytes(data[body : body + 8], "big"), start + 16
        if length == 0:
            length = end - start
        if length < body - start:
            return
        yield holder, name, start, body, start + length
        if name in HOLDERS:
            yield from walk(data, name, body + HOLDERS[name], min(end, start + length))
        start += length
