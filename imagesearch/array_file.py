"""Arrays in files of NumPy's own format, written row by row, mapped when read: none has to fit in memory."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

_READING_HEADER = threading.Lock()
"""NumPy parses headers as Python, which Python 3.11 and 3.12 cannot do in two threads at once: now and then a
SystemError says "AST constructor recursion depth mismatch"."""


@contextmanager
def array_file(path: Path, dtype: DTypeLike, row_shape: tuple[int, ...] = ()) -> Iterator[BinaryIO]:
    """A file to write the rows' bytes into, C order; on leaving it is an array, shape=(rows, *row_shape).

    Plain writes: on a full disk they fail with an error, a memory map would end the process.
    """
    row_bytes = np.dtype(dtype).itemsize * math.prod(row_shape)
    with path.open("wb") as file:
        _write_header(file, dtype, (0, *row_shape))
        start = file.tell()
        yield file
        rows = (file.tell() - start) // row_bytes
        # Only now is the length known. NumPy leaves room in the header for an array that grows.
        file.seek(0)
        _write_header(file, dtype, (rows, *row_shape))


def load_array(path: Path, mapped: bool = False) -> NDArray[Any]:
    """mapped: read-only, from the file itself, as far as it is used. Raises OSError and ValueError."""
    with _READING_HEADER:
        array: NDArray[Any] = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    return array


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an .npz file, by name. Raises OSError, ValueError and BadZipFile."""
    with _READING_HEADER, np.load(path, allow_pickle=False) as file:
        return dict(file)


def _write_header(file: BinaryIO, dtype: DTypeLike, shape: tuple[int, ...]) -> None:
    header = {
        "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
        "fortran_order": False,
        "shape": shape,
    }
    np.lib.format.write_array_header_1_0(file, header)
