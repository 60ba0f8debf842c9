"""Reads the tensors of a .pth file as PyTorch wrote them before version 1.6, without PyTorch.

Such a file is a pickle, and a pickle may ask for any function to be called. This reader admits tensors in
ordered dictionaries and nothing else. What it hands to the pickle is either harmless or cannot be changed.
"""

from __future__ import annotations

import io
import pickle
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from imagesearch.errors import ModelDamaged

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
STORAGES = {"FloatStorage": "<f4", "LongStorage": "<i8"}
MAX_BYTES = 1 << 30

Tensors = dict[str, NDArray[Any]]

_UNREADABLE = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)
"""All that a pickle of garbage can raise."""


class _Storage(NamedTuple):
    """A stretch of numbers, which the file holds behind the pickles."""

    dtype: str
    key: str
    numel: int


class _Tensor(NamedTuple):
    """How a tensor is read from its storage; all of it as the file says, unchecked."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    """In numbers, not bytes."""


class _NotTensors(Exception):
    """The pickle asks for something else than tensors."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """What the pickle may call or name: a class, a bound method, or the name of a type of numbers."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self.tensor
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise _NotTensors

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _, numel, view = pid
        if kind != "storage" or dtype not in STORAGES.values() or view is not None:
            raise _NotTensors
        return _Storage(dtype, key, numel)

    @staticmethod
    def tensor(storage: Any, offset: int, shape: Any, strides: Any, *_: Any) -> _Tensor:
        return _Tensor(storage, offset, shape, strides)


def read_tensors(path: Path) -> Tensors:
    """By name. Raises ModelDamaged for anything else than a whole file of tensors."""
    if path.stat().st_size > MAX_BYTES:
        raise ModelDamaged(f"{path.name} has more than {MAX_BYTES >> 20} MB, which no known network has.")
    file = io.BytesIO(path.read_bytes())
    try:
        named = _named_tensors(file)
        storages = _read_storages(file, {tensor.storage for tensor in named.values()})
        return {name: _array(tensor, storages[tensor.storage]) for name, tensor in named.items()}
    except _NotTensors:
        raise ModelDamaged(
            f"{path.name} holds something else than tensors, such as code, and is not read any further; "
            "get it from whom it was published by."
        ) from None
    except _UNREADABLE:
        raise ModelDamaged(
            f"{path.name} is cut off or not a .pth file of PyTorch's format before version 1.6; get it again."
        ) from None


def _named_tensors(file: io.BytesIO) -> dict[str, _Tensor]:
    magic, protocol, system = (_Unpickler(file).load() for _ in range(3))
    if (magic, protocol) != (MAGIC, PROTOCOL) or system["little_endian"] is not True:
        raise ValueError
    named = _Unpickler(file).load()
    if type(named) is not OrderedDict:
        raise _NotTensors
    for name, tensor in named.items():
        if type(name) is not str or type(tensor) is not _Tensor or type(tensor.storage) is not _Storage:
            raise _NotTensors
    return dict(named)


def _read_storages(file: io.BytesIO, wanted: set[_Storage]) -> dict[_Storage, NDArray[Any]]:
    by_key = {storage.key: storage for storage in wanted}
    keys = _Unpickler(file).load()
    if sorted(keys) != sorted(storage.key for storage in wanted):
        raise ValueError  # one is missing, or two tensors differ about one
    found = {}
    for key in keys:
        storage = by_key[key]
        dtype = np.dtype(storage.dtype)
        numel = int.from_bytes(file.read(8), "little", signed=True)
        content = file.read(numel * dtype.itemsize) if numel == storage.numel and numel >= 0 else b""
        found[storage] = np.frombuffer(content, dtype)
        if len(found[storage]) != storage.numel:
            raise EOFError
    return found


def _array(tensor: _Tensor, storage: NDArray[Any]) -> NDArray[Any]:
    numbers = (tensor.offset, *tensor.shape, *tensor.strides)
    if len(tensor.shape) != len(tensor.strides) or any(type(each) is not int or each < 0 for each in numbers):
        raise ValueError
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    if 0 in tensor.shape or last >= len(storage) or last >= sys.maxsize:
        raise ValueError
    strides = [step * storage.itemsize for step in tensor.strides]
    return np.array(as_strided(storage[tensor.offset :], tensor.shape, strides))
