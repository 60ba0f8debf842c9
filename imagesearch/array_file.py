"""Arrays written row by row in NumPy's own format, so that none has to fit in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import DTypeLike


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


def _write_header(file: BinaryIO, dtype: DTypeLike, shape: tuple[int, ...]) -> None:
    header = {
        "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
        "fortran_order": False,
        "shape": shape,
    }
    np.lib.format.write_array_header_1_0(file, header)
