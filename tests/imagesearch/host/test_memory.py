from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from imagesearch.host.memory import available_bytes
from tests.conftest import REPOSITORY

GIB = 1024**3


@pytest.fixture
def meminfo(tmp_path: Path) -> Path:
    path = tmp_path / "meminfo"
    path.write_text("MemTotal:       25165824 kB\nMemFree:  100 kB\nMemAvailable:   12582912 kB\n")
    return path


def test_without_a_limit_it_is_what_the_machine_can_give(tmp_path: Path, meminfo: Path) -> None:
    assert available_bytes(tmp_path / "nothing", meminfo) == 12 * GIB


@pytest.mark.parametrize(
    "names",
    [
        ("memory.max", "memory.current", "memory.stat"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
    ],
    ids=["version 2", "version 1"],
)
def test_a_control_group_may_allow_less_and_its_cache_makes_way(
    tmp_path: Path, meminfo: Path, names: tuple[str, str, str]
) -> None:
    (tmp_path / "memory").mkdir()
    stat = f"anon 5\nactive_file {GIB // 4}\ninactive_file {GIB // 2}\n"
    for name, content in zip(names, (f"{3 * GIB}\n", f"{2 * GIB}\n", stat), strict=True):
        (tmp_path / name).write_text(content)
    assert available_bytes(tmp_path, meminfo) == GIB + GIB // 4 + GIB // 2
    (tmp_path / names[1]).write_text(f"{9 * GIB}\n")
    assert available_bytes(tmp_path, meminfo) == 0


def test_a_group_without_limit_does_not_count(tmp_path: Path, meminfo: Path) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    assert available_bytes(tmp_path, meminfo) == 12 * GIB


def test_this_machine_has_some() -> None:
    assert 0 < available_bytes() < 2**50


def test_freed_memory_is_taken_again_without_asking_for_it() -> None:
    program = """
import resource
import numpy as np
from imagesearch.host.memory import keep_freed_memory
keep_freed_memory(32 << 20)
def take_and_free():
    kept = [np.ones(1 << 20, np.uint8) for _ in range(8)]
take_and_free()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
take_and_free()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert int(finished.stdout) < 100  # of 2,048 pages
