"""The indexer on a disk that is full for real: a tmpfs of a few MB, or a limit on the size of files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.inspection import damage
from tests.conftest import REPOSITORY
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw_many


def can_mount(folder: Path) -> bool:
    if os.geteuid() != 0:
        return False
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=False, capture_output=True
    )
    if done.returncode == 0:
        subprocess.run(["umount", folder], check=True)
    return done.returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if not can_mount(folder):
        pytest.skip("only root may mount a small disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def index(workplace: Workplace, max_file_bytes: int | None = None) -> tuple[int, str]:
    limited = [] if max_file_bytes is None else ["prlimit", f"--fsize={max_file_bytes}"]
    done = subprocess.run(
        [
            *limited,
            *(sys.executable, "-m", "tests.indexer.fake_networks", "build", "--store", str(workplace.store)),
        ],
        cwd=REPOSITORY,
        env=os.environ | {"INDEXER_IMAGES_DIR": str(workplace.images), "INDEXER_WORKERS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def fill(disk: Path, but_bytes: int) -> Path:
    """Leaves `but_bytes` free."""
    filler = disk / "filler"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    filler.write_bytes(bytes(free - but_bytes))
    return filler


@pytest.mark.parametrize("free_kib", [0, 40, 150, 260])
def test_a_disk_that_fills_up_at_any_point_costs_neither_the_live_snapshot_nor_the_work_done(
    workplace: Workplace, small_disk: Path, free_kib: int
) -> None:
    workplace.store = small_disk / "store"
    draw_many(workplace.images, range(40))
    workplace.build()
    before = workplace.indexed().keys()
    draw_many(workplace.images, range(40, 140))
    filler = fill(small_disk, free_kib * 1024)
    code, err = index(workplace)
    assert code == 1, err
    assert err.splitlines()[-1].startswith("indexer: There is no space left for the store")
    assert "Traceback" not in err
    assert workplace.indexed().keys() == before
    filler.unlink()
    workplace.build()
    assert len(workplace.indexed()) == 140
    assert damage(workplace.layout, workplace.networks) == []


def test_a_disk_that_is_full_from_the_start_is_told_as_such(workplace: Workplace, small_disk: Path) -> None:
    workplace.store = small_disk / "store"
    draw_many(workplace.images, range(3))
    fill(small_disk, 4096)
    code, err = index(workplace)
    assert (code, "no space left" in err, "Traceback" in err) == (1, True, False)


@pytest.mark.parametrize("max_file_kib", [1, 60])
def test_a_limit_on_the_size_of_files_is_told_like_a_full_disk(
    workplace: Workplace, max_file_kib: int
) -> None:
    draw_many(workplace.images, range(40))
    workplace.build()
    before = workplace.indexed().keys()
    draw_many(workplace.images, range(40, 240))
    code, err = index(workplace, max_file_kib * 1024)
    assert code == 1, err
    assert "no space left" in err and "Traceback" not in err
    assert workplace.indexed().keys() == before
    workplace.build()
    assert len(workplace.indexed()) == 240
