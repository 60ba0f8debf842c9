from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from imagesearch.index.matrix import DescriptorMatrix, prefetch


def blocks_read() -> int:
    """Bytes that the disk has read for this process."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text("ascii").splitlines())
    return int(fields["read_bytes"])


def test_rows_of_mapped_files_and_of_memory_may_be_asked_for(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    parts = [rng.random((count, 3_000)).astype(np.float16) for count in (40, 7, 90)]
    for number in (0, 2):
        np.save(tmp_path / f"{number}.npy", parts[number])
        parts[number] = np.asarray(np.load(tmp_path / f"{number}.npy", mmap_mode="r"))
    matrix = DescriptorMatrix(parts)
    for rows in ([], [0], [136], [39, 40, 46, 47], list(range(137))):
        prefetch(matrix, np.array(rows, np.int64))


def test_what_is_asked_for_is_read_and_little_else(tmp_path: Path) -> None:
    path = tmp_path / "rows.npy"
    np.save(path, np.ones((20_000, 512), np.float16))
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    matrix = DescriptorMatrix([np.asarray(np.load(path, mmap_mode="r"))])
    before = blocks_read()
    prefetch(matrix, np.arange(0, 20_000, 200))
    if blocks_read() == before:
        pytest.skip("this file system does not read from a disk")
    assert 100 * 1_024 <= blocks_read() - before <= 100 * 8_192
