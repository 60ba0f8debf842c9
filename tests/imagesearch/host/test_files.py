from __future__ import annotations

import os
from pathlib import Path

import pytest

from imagesearch.host.files import file_systems, modified_ns

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


def test_the_file_systems_of_a_folder_and_of_what_is_mounted_below_are_told() -> None:
    assert "proc" in file_systems(Path("/proc/self"))
    assert file_systems(Path("/")) > file_systems(Path("/proc"))


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /photos rw - nfs4 server:/export rw
31 30 0:41 / /photos/my\\040phone rw - fuse.sshfs phone: rw
32 22 0:42 / /photos2 rw - xfs /dev/sdb rw
"""


@pytest.mark.parametrize(
    ("folder", "kinds"),
    [
        ("/photos", {"nfs4", "fuse.sshfs"}),
        ("/photos/2019", {"nfs4"}),
        ("/photos/my phone/DCIM", {"fuse.sshfs"}),
        ("/photos2", {"xfs"}),
        ("/home", {"ext4"}),
    ],
)
def test_each_mount_counts_where_it_is(monkeypatch: pytest.MonkeyPatch, folder: str, kinds: set[str]) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_: MOUNTS)
    assert file_systems(Path(folder)) == kinds
