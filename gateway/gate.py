"""Who may do what now: a rate for each client, and totals that clients share."""

from __future__ import annotations

import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address

from gateway import errors
from gateway.settings import Settings

# Bounds the memory: the longest unseen client is forgotten, which only ever gives it a fresh allowance.
MAX_REMEMBERED_CLIENTS = 10_000
# Bodies under way may together be as large as so many of the largest. Measured: with pictures of 10 MiB the
# gateway then peaks at 400 MB, because each is held four times on its way to the search service.
LARGEST_AT_ONCE = 8
# More than anybody mistypes, and too few to guess a key by.
WRONG_KEYS_PER_MINUTE = 60
# Pages, pictures and descriptions under way at once: a browser asks for six at once.
MAX_CONCURRENT_READS = 128


class RateLimit:
    """A token bucket for each client: `per_minute` requests a minute, as many at once after a pause."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """per_minute: 0 for no limit."""
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens left, when counted

    def spend(self, client: str) -> None:
        """Raises RateLimited when the client has used up its allowance."""
        if self._per_minute == 0:
            return
        now = self._clock()
        tokens, counted = self._buckets.pop(client, (float(self._per_minute), now))
        tokens = min(self._per_minute, tokens + (now - counted) * self._per_minute / 60)
        allowed = tokens >= 1
        self._buckets[client] = (tokens - allowed, now)
        if len(self._buckets) > MAX_REMEMBERED_CLIENTS:
            self._buckets.popitem(last=False)
        if not allowed:
            raise errors.RateLimited(math.ceil((1 - tokens) * 60 / self._per_minute))


class Shared:
    """A total that clients share: none holds more than it leaves free, so that some is always left."""

    def __init__(self, total: int) -> None:
        self._free = total
        self._held: Counter[str] = Counter()

    def take(self, client: str | None, amount: int = 1) -> None:
        """Raises Overloaded instead of waiting. A client without an address is bounded by the total alone."""
        held = self._held[client] if client is not None else 0
        is_over_share = held > 0 and held + amount > self._free - amount
        if amount > self._free or is_over_share:
            raise errors.Overloaded
        self._free -= amount
        if client is not None:
            self._held[client] += amount

    def give_back(self, client: str | None, amount: int = 1) -> None:
        self._free += amount
        if client is not None:
            self._held[client] -= amount
            if not self._held[client]:
                del self._held[client]


class Gate:
    """Lets requests in. Every method raises RateLimited or Overloaded instead of waiting."""

    def __init__(self, settings: Settings, max_body_bytes: int) -> None:
        self._search_rate = RateLimit(settings.rate_limit_per_minute)
        self._searches = Shared(settings.max_concurrent_searches)
        self._body_bytes = Shared(LARGEST_AT_ONCE * max_body_bytes)
        self._read_rate = RateLimit(settings.read_rate_limit_per_minute)
        self._reads = Shared(MAX_CONCURRENT_READS)
        self._wrong_keys = RateLimit(WRONG_KEYS_PER_MINUTE)

    def count_search(self, host: str | None) -> None:
        """Before anything of a search is read."""
        if host is not None:
            self._search_rate.spend(account_of(host))

    def count_wrong_key(self, host: str | None) -> None:
        if host is not None:
            self._wrong_keys.spend(account_of(host))

    @contextmanager
    def search(self, host: str | None) -> Iterator[None]:
        """Holds a place while the search service works."""
        with _held(self._searches, host):
            yield

    @contextmanager
    def body(self, host: str | None) -> Iterator[Callable[[int], None]]:
        """Yields what takes room for so many more bytes of a body; all of it is free again at the end."""
        client, taken = _account(host), 0

        def take(amount: int) -> None:
            nonlocal taken
            self._body_bytes.take(client, amount)
            taken += amount

        try:
            yield take
        finally:
            self._body_bytes.give_back(client, taken)

    @contextmanager
    def read(self, host: str | None) -> Iterator[None]:
        """Counts a request that is no search, and holds a place until its answer is out."""
        if host is not None:
            self._read_rate.spend(account_of(host))
        with _held(self._reads, host):
            yield


@contextmanager
def _held(places: Shared, host: str | None) -> Iterator[None]:
    client = _account(host)
    places.take(client)
    try:
        yield
    finally:
        places.give_back(client)


def _account(host: str | None) -> str | None:
    return None if host is None else account_of(host)


def account_of(host: str) -> str:
    """The address itself, but a whole IPv6 /64, which is one subscriber."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return address.exploded[:19]
    return str(getattr(address, "ipv4_mapped", None) or address)
