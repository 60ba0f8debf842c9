"""The open connections: how many there may be, and which one goes when there are too many."""

from __future__ import annotations

import resource
from collections.abc import Collection, Sequence
from ipaddress import ip_address, ip_network
from typing import Protocol

from gateway.gate import account_of

MAX_CONNECTIONS = 512


class Connection(Protocol):
    """What is asked of a connection, and what it can be told."""

    host: str | None
    idle_since: float | None
    """On the event loop's clock; None while a request is under way."""

    def end(self) -> None:
        """Closes it at once; only asked of an idle one."""


class Connections:
    """Idle ones make room for new ones; one address has at most half, unless it is a trusted proxy's."""

    def __init__(self, limit: int, trusted_proxies: Sequence[str]) -> None:
        """trusted_proxies: addresses or networks."""
        self._limit = limit
        self._share = -(-limit // 2)
        self._trusted = [ip_network(proxy) for proxy in trusted_proxies]
        self._open: dict[Connection, str | None] = {}  # to the account that it counts for
        self._turned_away: set[Connection] = set()
        self.is_closing = False
        """Whether every answer is the last one of its connection."""
        self.heard_at = float("-inf")
        """When a connection or a byte last arrived, on the event loop's clock."""

    def __len__(self) -> int:
        return len(self._open) + len(self._turned_away)

    def admit(self, newcomer: Connection) -> bool:
        """Counts it in, ending an idle one if need be. False where it can only be turned away."""
        account = self._account(newcomer)
        if crowd := self._crowd(account):
            longest_idle = _longest_idle(crowd)
            if longest_idle is None:
                self._turned_away.add(newcomer)
                return False
            self.discard(longest_idle)
            longest_idle.end()
        self._open[newcomer] = account
        return True

    @property
    def has_room_to_refuse(self) -> bool:
        """Whether one that is turned away can still be told so."""
        return len(self._turned_away) <= self._limit // 8

    def discard(self, connection: Connection) -> None:
        self._open.pop(connection, None)
        self._turned_away.discard(connection)

    def _crowd(self, account: str | None) -> Collection[Connection]:
        """Those of which one has to go; empty where there is room."""
        own = [each for each, other in self._open.items() if account is not None and other == account]
        if len(own) >= self._share:
            return own
        return self._open if len(self._open) >= self._limit else ()

    def _account(self, connection: Connection) -> str | None:
        """None for who speaks for many, or has no address."""
        if connection.host is None or any(ip_address(connection.host) in each for each in self._trusted):
            return None
        return account_of(connection.host)


def _longest_idle(crowd: Collection[Connection]) -> Connection | None:
    idle = [(each.idle_since, each) for each in crowd if each.idle_since is not None]
    return min(idle, key=lambda pair: pair[0])[1] if idle else None


def most_connections() -> int:
    """Half of the descriptors that this process may open: the rest is for what requests need."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, soft // 2)
