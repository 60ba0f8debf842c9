"""Writes .pth files as PyTorch wrote them before version 1.6, by hand: what is in them may be anything."""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones.making.torch_weights import MAGIC, PROTOCOL

SYSTEM = {"protocol_version": PROTOCOL, "little_endian": True}


class FloatStorage:
    """By its name in a pickle, PyTorch's."""


class LongStorage:
    """By its name in a pickle, PyTorch's."""


def _rebuild_tensor_v2() -> None:
    """By its name in a pickle, PyTorch's."""


FloatStorage.__module__ = LongStorage.__module__ = "torch"
_rebuild_tensor_v2.__module__ = "torch._utils"


class Stored:
    """What stands in the pickle for numbers that come behind it."""

    def __init__(self, key: str, array: NDArray[Any], numel: int | None = None) -> None:
        self.key, self.array = key, array
        self.numel = array.size if numel is None else numel


class Tensor:
    """Pickled as a call of PyTorch's function."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_tensor_v2, (*self._arguments, False, OrderedDict())


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, Stored):
            return None
        kind = LongStorage if obj.array.dtype == np.int64 else FloatStorage
        return "storage", kind, obj.key, "cpu", obj.numel, None


def write(path: Path, named: Any, stored: Iterable[Stored] = ()) -> Path:
    """named: what is pickled where the tensors by their names belong."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    torch.__dict__.update(FloatStorage=FloatStorage, LongStorage=LongStorage)
    utils.__dict__.update(_rebuild_tensor_v2=_rebuild_tensor_v2)
    file = BytesIO()
    stored = list(stored)
    with patch.dict("sys.modules", {"torch": torch, "torch._utils": utils}):
        for each in (MAGIC, PROTOCOL, SYSTEM, named, [storage.key for storage in stored]):
            _Pickler(file, protocol=2).dump(each)
    for storage in stored:
        file.write(struct.pack("<q", storage.array.size) + storage.array.tobytes())
    path.write_bytes(file.getvalue())
    return path


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> Path:
    """As PyTorch saves a network's weights."""
    stored = [Stored(str(number), array.ravel()) for number, array in enumerate(arrays.values())]
    named = OrderedDict(
        (
            name,
            Tensor(storage, 0, array.shape, tuple(step // array.itemsize for step in array.strides)),
        )
        for (name, array), storage in zip(arrays.items(), stored, strict=True)
    )
    return write(path, named, stored)
