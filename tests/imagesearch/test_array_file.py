from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imagesearch.array_file import array_file


@pytest.mark.parametrize("array", [np.arange(12, dtype="<f4").reshape(4, 3), np.zeros((0, 5), "<f2")])
def test_rows_written_one_by_one_are_the_file_that_numpy_writes(tmp_path: Path, array: np.ndarray) -> None:
    with array_file(tmp_path / "ours.npy", array.dtype, array.shape[1:]) as file:
        for row in array:
            file.write(row.tobytes())
    np.save(tmp_path / "theirs.npy", array)
    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "theirs.npy").read_bytes()
