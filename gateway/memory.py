"""What the process keeps of the memory that it has freed."""

from __future__ import annotations

import ctypes

KEPT_BYTES = 32 << 20
"""An upload is held two or three times on its way. To have memory for that zeroed and mapped again took 12 ms
for a photo of 12 megapixels."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc


def keep_freed_memory() -> None:
    """By mallopt(3) of glibc; with other C libraries nothing changes."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, KEPT_BYTES)
        mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
