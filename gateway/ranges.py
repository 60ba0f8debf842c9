"""One range of bytes of a file (RFC 9110, section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.datastructures import Headers

from gateway.errors import RangeNotSatisfiable

# From a byte on, perhaps to another one; or the last so many bytes.
_ONE_RANGE = re.compile(r"(?i:bytes)=(?:(?P<first>[0-9]+)-(?P<last>[0-9]*)|-(?P<count>[0-9]+))")
# No file is as long, and it still fits into the protocol's 64 bits.
_FAR = 10**18


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A part of a file whose size is not known yet."""

    offset: int
    """Its first byte; a negative one counts from the end of the file."""
    length: int | None
    """None: up to the end of the file."""

    def within(self, size_bytes: int) -> range:
        """The bytes of it that the file has. Raises RangeNotSatisfiable where there are none."""
        start, end, _ = slice(self.offset, None).indices(size_bytes)
        stop = end if self.length is None else min(start + self.length, end)
        if start >= stop:
            raise RangeNotSatisfiable(size_bytes)
        return range(start, stop)


def requested_range(headers: Headers, etag: str) -> ByteRange | None:
    """The range asked for; None where it is the whole file.

    So it is where what is asked for is not one well-formed range of bytes (section 14.2), or is a part of
    another version of the file (section 13.1.5).
    """
    one = _ONE_RANGE.fullmatch(headers.get("range", ""))
    if one is None or headers.get("if-range", etag) != etag:
        return None
    if one["count"]:
        count = _number(one["count"])
        return ByteRange(-count, None) if count else ByteRange(0, 0)
    first = _number(one["first"])
    if not one["last"]:
        return ByteRange(first, None)
    last = _number(one["last"])
    return ByteRange(first, last - first + 1) if first <= last else None


def _number(digits: str) -> int:
    """At most _FAR: Python converts only some thousand digits."""
    significant = digits.lstrip("0") or "0"
    return int(significant) if len(significant) < len(str(_FAR)) else _FAR
