"""What file systems tell of a file."""

from __future__ import annotations

import os

_FIRST_NS, _LAST_NS = -(2**63) + 1, 2**63 - 1


def modified_ns(status: os.stat_result) -> int:
    """When the file was modified, in nanoseconds since 1970. Dates before 1677 and after 2262, which cameras
    and copying programs do write, count as these: 64 bits hold no others, nor does SQLite."""
    return min(max(status.st_mtime_ns, _FIRST_NS), _LAST_NS)
