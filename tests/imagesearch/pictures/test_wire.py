"""The answers of workers as bytes: whole on the other side, and refused where a worker lies."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.errors import InvalidImage, TooManyPixels, UnreadableFile
from imagesearch.pictures import wire


@dataclass(frozen=True)
class Picture:
    width: int
    media_type: str
    rgb: NDArray[np.uint8]
    preview: bytes
    extra: bytes | None
    map_input: NDArray[np.uint8] | None

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError("not a width")


PICTURE = Picture(
    width=640,
    media_type="image/jpeg",
    rgb=np.arange(24, dtype=np.uint8).reshape(2, 4, 3),
    preview=b"RIFF",
    extra=None,
    map_input=np.empty((0, 0, 3), np.uint8),
)


def message(fields: object, buffers: bytes = b"", outcome: int = 0) -> bytes:
    text = json.dumps(fields).encode()
    return struct.pack("<BI", outcome, len(text)) + text + buffers


def test_a_picture_arrives_as_it_was_sent() -> None:
    arrived = wire.unpack(wire.pack(PICTURE), Picture)
    np.testing.assert_array_equal(arrived.rgb, PICTURE.rgb)
    assert arrived.map_input is not None
    assert arrived.map_input.shape == (0, 0, 3)
    assert (arrived.width, arrived.media_type) == (640, "image/jpeg")
    assert (arrived.preview, arrived.extra) == (b"RIFF", None)


def test_a_part_of_a_picture_arrives_as_that_part() -> None:
    part = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)[1:3, ::2]
    np.testing.assert_array_equal(wire.unpack(wire.pack(part), np.ndarray), part)


@pytest.mark.parametrize("value", [7, "seven", b"7", b"", None, {"a": b"1", "b": b""}])
def test_values_alone_and_bytes_by_name_arrive_too(value: object) -> None:
    assert wire.unpack(wire.pack(value), type(value)) == value


@pytest.mark.parametrize("value", [object(), {1, 2}, np.zeros((2, 2, 3), np.float32), np.zeros(3, np.uint8)])
def test_what_is_no_such_value_is_not_sent(value: object) -> None:
    with pytest.raises(TypeError):
        wire.pack(value)


@pytest.mark.parametrize("error", [TooManyPixels("So it is."), UnreadableFile("Ça ne va pas.")])
def test_a_refusal_arrives_with_its_type_and_its_sentence(error: InvalidImage) -> None:
    with pytest.raises(type(error)) as raised:
        wire.unpack(wire.pack_error(error), Picture)
    assert str(raised.value) == str(error)


@pytest.mark.parametrize(
    "lie",
    [
        b"",
        b"\x00\x01",
        b"\x80\x04N.",
        struct.pack("<BI", 0, 2**32 - 1),
        struct.pack("<BI", 0, 2**20) + b" " * 2**20,
        message([]),
        message({}),
        message({"value": 1}, outcome=9),
        message({"value": 1}, b"more"),
        message({"value": True}),
        message({"value": "1"}),
        message({"value": 1, "other": 2}),
        message({"value": [4]}, b"123"),
        message({"value": [-1]}),
        message({"value": [[1]]}),
        struct.pack("<BI", 0, 40_000) + b"[" * 40_000,
    ],
)
def test_what_is_no_number_is_refused_where_a_number_was_asked_for(lie: bytes) -> None:
    with pytest.raises(ValueError):
        wire.unpack(lie, int)


@pytest.mark.parametrize(
    "shape", [[2, 4, 3, 1], [24, 1], [8, 3, 1], [2**40, 2**40, 3], [0, 2**80, 3], [2, 4.0, 3], [2, 2, 3]]
)
def test_a_shape_that_the_bytes_do_not_have_is_refused(shape: list[float]) -> None:
    with pytest.raises(ValueError):
        wire.unpack(message({"value": shape}, bytes(24)), np.ndarray)


@pytest.mark.parametrize(
    "change", [{"width": 0}, {"width": None}, {"preview": "RIFF"}, {"rgb": [4]}, {"more": 1}]
)
def test_a_picture_is_checked_field_by_field(change: dict[str, object]) -> None:
    fields = {
        "width": 640, "media_type": "image/jpeg", "rgb": [1, 1, 3], "preview": [1], "extra": None,
        "map_input": None,
    }  # fmt: skip
    assert wire.unpack(message(fields, b"1234"), Picture).preview == b"4"
    with pytest.raises(ValueError):
        wire.unpack(message(fields | change, b"1234"), Picture)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("SystemExit", "Bye."),
        ("TooManyPixels", "So " * 1000),
        ("TooManyPixels", "one\nline"),
        ("TooManyPixels", 1),
    ],
)
def test_only_known_refusals_of_one_sentence_are_taken(kind: str, sentence: object) -> None:
    with pytest.raises(ValueError):
        wire.unpack(message({"kind": kind, "sentence": sentence}, outcome=1), Picture)
