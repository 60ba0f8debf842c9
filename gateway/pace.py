"""How slow a client may be, in either direction."""

from __future__ import annotations

# 64 kbit/s: the slowest line on which anybody would search with photos.
MIN_BYTES_PER_S = 8 * 2**10
# A pause this long is a line's, not a client's.
PATIENCE_S = 5.0
