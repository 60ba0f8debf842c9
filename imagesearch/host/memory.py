"""How much memory a process has, may still take, and keeps of what it had."""

from __future__ import annotations

import ctypes
import mmap
from contextlib import suppress
from pathlib import Path

# Inside a container the control group's own folder is mounted here: version 2, or version 1.
_CGROUP = Path("/sys/fs/cgroup")
_PROC_MEMINFO = Path("/proc/meminfo")
_LIMITS = (
    ("memory.max", "memory.current", "memory.stat"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
)
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc


def keep_freed_memory(keep_bytes: int) -> None:
    """Up to so many bytes that are freed stay with the process, ready for what it allocates next.

    For work that takes and frees the same amounts again and again. mallopt(3) of glibc; other C libraries go
    on as they do.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, keep_bytes)
        mallopt(_M_TRIM_THRESHOLD, keep_bytes)


def be_first_to_go() -> None:
    """Where memory ends, of machine or container, the kernel takes this process before any other:
    proc_pid_oom_score_adj(5)."""
    with suppress(OSError):  # another kernel, or a system that hides it
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


def resident_bytes(pid: int | None) -> int:
    """What a process has in memory, shared libraries included; 0 where there is no such process any more."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * mmap.PAGESIZE
    except OSError:
        return 0


def available_bytes(cgroup: Path = _CGROUP, meminfo: Path = _PROC_MEMINFO) -> int:
    """What the machine can give without swapping, or less where the control group allows less.

    Cached file contents count as available in both, for they make way.
    """
    free = [_of_machine(meminfo), *(_of_group(cgroup, *names) for names in _LIMITS)]
    return max(0, min(each for each in free if each is not None))


def _of_machine(meminfo: Path) -> int:
    fields = dict(line.split(":", 1) for line in meminfo.read_text("ascii").splitlines())
    return int(fields["MemAvailable"].split()[0]) * 1024


def _of_group(cgroup: Path, limit: str, usage: str, stat: str) -> int | None:
    """None without a limit."""
    try:
        limit_bytes, used_bytes = (int((cgroup / name).read_text("ascii")) for name in (limit, usage))
        cached = dict(line.split() for line in (cgroup / stat).read_text("ascii").splitlines())
    except (OSError, ValueError):
        # Not there, or "max", which says that there is no limit.
        return None
    return limit_bytes - used_bytes + int(cached.get("inactive_file", 0)) + int(cached.get("active_file", 0))
