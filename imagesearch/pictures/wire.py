"""How the answers of workers travel: as bytes that can be checked, never as pickles, which run what they say.

    outcome   1 byte: an answer, a refusal of the picture, or a defect of ours
    fields    their length in 4 bytes, little-endian, then JSON
    buffers   one after the other, in the order of the fields

In the JSON a buffer is its shape: [n] stands for n bytes, [h, w, 3] for a picture.
"""

from __future__ import annotations

import json
import math
import struct
import traceback
from collections.abc import Mapping
from dataclasses import fields as fields_of
from dataclasses import is_dataclass
from functools import cache
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import InvalidImage

T = TypeVar("T")
Value = int | str | bytes | NDArray[np.uint8] | None

MAX_MESSAGE_BYTES = 256 << 20
"""Twice what the largest answer of ours takes: the self-test's 15 altered pictures of 1600 × 1600 pixels."""
_MAX_FIELDS_BYTES = 64 << 10
_MAX_SENTENCE = 300
_MAX_TRACEBACK = 8_000
_HEADER = struct.Struct("<BI")
_ANSWER, _REFUSAL, _DEFECT = range(3)
_REFUSALS = {kind.__name__: kind for kind in InvalidImage.__subclasses__()}


def pack(answer: Any) -> bytes:
    """answer: a dataclass or a dictionary of `Value`s, or one alone. Raises TypeError for anything else."""
    if is_dataclass(answer):
        return _message(_ANSWER, {field.name: getattr(answer, field.name) for field in fields_of(answer)})
    return _message(_ANSWER, answer if isinstance(answer, dict) else {"value": answer})


def pack_error(error: Exception) -> bytes:
    """An InvalidImage travels as its name and its sentence, any other error as its traceback."""
    if type(error).__name__ in _REFUSALS:
        return _message(_REFUSAL, {"kind": type(error).__name__, "sentence": str(error)[:_MAX_SENTENCE]})
    told = "".join(traceback.format_exception(error))
    return _message(_DEFECT, {"traceback": told[-_MAX_TRACEBACK:]})


def unpack(message: bytes, kind: type[T]) -> T:
    """The answer, which is a `kind`: a dataclass, a dict of bytes by name, or the type of a value alone.

    Raises the InvalidImage that the worker refused the picture with, RuntimeError for a defect, and
    ValueError for a message that no honest worker sends. Arrays are read-only views of the message.
    """
    outcome, fields = _parsed(message)
    if outcome == _ANSWER:
        return _built(kind, fields)
    if outcome == _REFUSAL:
        raise _refusal(fields)
    raise _defect(fields)


def _message(outcome: int, fields: Mapping[str, Value]) -> bytes:
    shown = json.dumps({name: _shown(value) for name, value in fields.items()}).encode()
    buffers = [bytes(value) for value in fields.values() if isinstance(value, bytes | np.ndarray)]
    return b"".join([_HEADER.pack(outcome, len(shown)), shown, *buffers])


def _shown(value: Value) -> int | str | list[int] | None:
    if isinstance(value, bytes):
        return [len(value)]
    if isinstance(value, np.ndarray):
        if value.dtype != np.uint8 or value.ndim != 3:
            raise TypeError("only pictures of 8 bits a channel travel")
        return list(value.shape)
    return value


def _parsed(message: bytes) -> tuple[int, dict[str, Value]]:
    if len(message) < _HEADER.size:
        raise ValueError("shorter than its header")
    outcome, length = _HEADER.unpack_from(message)
    if length > _MAX_FIELDS_BYTES:
        raise ValueError("more fields than any answer has")
    place = _HEADER.size + length
    fields: dict[str, Value] = {}
    for name, shown in _json_object(message[_HEADER.size : place]).items():
        fields[name] = shown
        if isinstance(shown, list):
            size = _size(shown)
            fields[name] = _buffer(message[place : place + size], shown)
            place += size
    if place != len(message):
        raise ValueError("not of the length that its fields tell")
    return outcome, fields


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(parsed, dict):
        raise ValueError("not an object")
    return parsed


def _size(shape: list[Any]) -> int:
    """In bytes: nothing is set aside for them, they are in the message or not."""
    if not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError("not a shape")
    return math.prod(shape)


def _buffer(data: bytes, shape: list[int]) -> bytes | NDArray[np.uint8]:
    """Raises ValueError where there is less than the shape takes."""
    if len(shape) == 1:
        return data
    if len(shape) != 3 or shape[2] != 3:
        raise ValueError("not a picture")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _built(kind: type[T], fields: dict[str, Value]) -> T:
    if is_dataclass(kind):
        _check(fields, _types_of(kind))
        return cast(T, kind(**fields))
    if kind is dict:
        _check(fields, dict.fromkeys(fields, (bytes,)))
        return cast(T, fields)
    _check(fields, {"value": (kind,)})
    return cast(T, fields["value"])


def _check(fields: Mapping[str, Value], types: Mapping[str, tuple[type, ...]]) -> None:
    if fields.keys() != types.keys():
        raise ValueError("other fields than were asked for")
    if not all(type(value) in types[name] for name, value in fields.items()):
        raise ValueError("fields of other types than were asked for")


@cache
def _types_of(kind: type) -> Mapping[str, tuple[type, ...]]:
    """The types that each field of a dataclass may have."""
    hints = get_type_hints(kind)
    choices = {
        name: get_args(hint) if isinstance(hint, UnionType) else (hint,) for name, hint in hints.items()
    }
    return {name: tuple(get_origin(each) or each for each in hints) for name, hints in choices.items()}


def _refusal(fields: Mapping[str, Value]) -> InvalidImage:
    _check(fields, {"kind": (str,), "sentence": (str,)})
    name, sentence = str(fields["kind"]), str(fields["sentence"])
    if name not in _REFUSALS or len(sentence) > _MAX_SENTENCE or not sentence.isprintable():
        raise ValueError("not a refusal")
    return _REFUSALS[name](sentence)


def _defect(fields: Mapping[str, Value]) -> RuntimeError:
    _check(fields, {"traceback": (str,)})
    error = RuntimeError("A task failed in a worker.")
    error.add_note(str(fields["traceback"])[:_MAX_TRACEBACK])
    return error
