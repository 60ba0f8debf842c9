from __future__ import annotations

import os
from pathlib import Path

import pytest

from imagesearch.host.cpus import available_cpus


@pytest.mark.parametrize(
    ("content", "expected"),
    [("max 100000", None), ("50000 100000", 1), ("100000 100000", 1), ("100000000 100000", None)],
)
def test_a_control_groups_quota_bounds_the_processors(
    tmp_path: Path, content: str, expected: int | None
) -> None:
    cpu_max = tmp_path / "cpu.max"
    cpu_max.write_text(content)
    assert available_cpus(cpu_max) == (expected or len(os.sched_getaffinity(0)))


def test_without_a_control_group_the_affinity_counts(tmp_path: Path) -> None:
    assert available_cpus(tmp_path / "missing") == len(os.sched_getaffinity(0))
