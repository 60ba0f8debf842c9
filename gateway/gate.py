"""Who may search now: a rate for each client, and bounds on the searches under way and on their bytes."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address

from gateway import errors

# Bounds the memory: the longest unseen client is forgotten, which only ever gives it a fresh allowance.
MAX_REMEMBERED_CLIENTS = 10_000
# Bodies under way may together be as large as so many of the largest. Measured: with pictures of 10 MiB the
# gateway then peaks at 400 MB, because each is held four times on its way to the search service.
LARGEST_AT_ONCE = 8


class RateLimit:
    """A token bucket for each client: `per_minute` searches a minute, as many at once after a pause."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens left, when counted

    def spend(self, client: str) -> None:
        """Raises RateLimited when the client has used up its allowance."""
        now = self._clock()
        tokens, counted = self._buckets.pop(client, (float(self._per_minute), now))
        tokens = min(self._per_minute, tokens + (now - counted) * self._per_minute / 60)
        allowed = tokens >= 1
        self._buckets[client] = (tokens - allowed, now)
        if len(self._buckets) > MAX_REMEMBERED_CLIENTS:
            self._buckets.popitem(last=False)
        if not allowed:
            raise errors.RateLimited(math.ceil((1 - tokens) * 60 / self._per_minute))


class Gate:
    """Lets searches in; neither a rate of 0 nor a client without an address is limited by rate."""

    def __init__(self, rate_limit_per_minute: int, max_concurrent: int, max_body_bytes: int) -> None:
        self._rate_limit = RateLimit(rate_limit_per_minute) if rate_limit_per_minute else None
        self._free_places = max_concurrent
        self._free_bytes = LARGEST_AT_ONCE * max_body_bytes

    @contextmanager
    def admit(self, host: str | None, body_bytes: int) -> Iterator[None]:
        """Holds a place, and room for a body. Raises RateLimited or Overloaded instead of waiting."""
        if self._rate_limit is not None and host is not None:
            self._rate_limit.spend(account_of(host))
        if self._free_places == 0 or self._free_bytes < body_bytes:
            raise errors.Overloaded
        self._free_places -= 1
        self._free_bytes -= body_bytes
        try:
            yield
        finally:
            self._free_places += 1
            self._free_bytes += body_bytes


def account_of(host: str) -> str:
    """The address itself, but a whole IPv6 /64, which is one subscriber."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return address.exploded[:19]
    return str(getattr(address, "ipv4_mapped", None) or address)
