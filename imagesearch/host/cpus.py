"""How many processors this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

# Inside a container the control group's own folder is mounted here (cgroup v2).
_CPU_MAX = Path("/sys/fs/cgroup/cpu.max")


def available_cpus(cpu_max: Path = _CPU_MAX) -> int:
    """Processors by affinity, or fewer where the control group grants less time; at least 1.

    Threads beyond a container's quota only get the whole process throttled.
    """
    by_affinity = len(os.sched_getaffinity(0))
    quota = _quota(cpu_max)
    return by_affinity if quota is None else max(1, min(by_affinity, math.ceil(quota)))


def cpu_seconds(pid: int | None) -> float:
    """What a process has computed, by all its threads; 0 where there is no such process any more."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    user, system = fields[11:13]  # proc_pid_stat(5), which counts from the name on by 3
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _quota(cpu_max: Path) -> float | None:
    """Processors' worth of time per period; None without a limit."""
    try:
        quota_us, period_us = cpu_max.read_text("ascii").split()
        return int(quota_us) / int(period_us)
    except (OSError, ValueError, ZeroDivisionError):
        # "max 100000" says that there is no limit.
        return None
