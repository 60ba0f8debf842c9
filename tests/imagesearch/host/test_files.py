from __future__ import annotations

import os
from pathlib import Path

import pytest

from imagesearch.host.files import modified_ns

YEAR_2300_NS = 10_413_792_000 * 10**9


@pytest.mark.parametrize(
    ("written", "told"),
    [(5, 5), (10**18, 10**18), (YEAR_2300_NS, 2**63 - 1)],
)
def test_every_date_is_told_in_64_bits(tmp_path: Path, written: int, told: int) -> None:
    path = tmp_path / "a.jpg"
    path.touch()
    os.utime(path, ns=(written, written))
    if path.stat().st_mtime_ns != written:
        pytest.skip("this file system holds no such date")
    assert modified_ns(path.stat()) == told
