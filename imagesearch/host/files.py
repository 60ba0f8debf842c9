"""What file systems tell of a file."""

from __future__ import annotations

import os
import re
from pathlib import Path

_FIRST_NS, _LAST_NS = -(2**63) + 1, 2**63 - 1


def modified_ns(status: os.stat_result) -> int:
    """When the file was modified, in nanoseconds since 1970. Dates before 1677 and after 2262, which cameras
    and copying programs do write, count as these: 64 bits hold no others, nor does SQLite."""
    return min(max(status.st_mtime_ns, _FIRST_NS), _LAST_NS)


def file_systems(folder: Path) -> set[str]:
    """The types, such as "ext4" or "nfs4", of what holds a folder and of all that is mounted below it. Empty
    where the kernel does not tell."""
    try:
        lines = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return set()
    mounts = [(Path(_unescaped(line.split()[4])), line.partition(" - ")[2].split()[0]) for line in lines]
    root = folder.resolve()
    # The last one mounted over a place hides the others.
    holding = max((mount for mount in mounts if root.is_relative_to(mount[0])), key=_depth, default=None)
    below = {kind for place, kind in mounts if place.is_relative_to(root)}
    return below | ({holding[1]} if holding else set())


def _depth(mount: tuple[Path, str]) -> int:
    return len(mount[0].parts)


def _unescaped(path: str) -> str:
    """As the kernel writes it: blanks and backslashes in octal."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), path)
