"""Who waits for a decoder and who is next: the client whose photos have cost least of late.

A client whose photos take seconds each must not stop those whose photos take milliseconds. So one worker of
several is left to the latter, and the former wait for one another.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

HALF_LIFE_S = 30.0
"""What a client's photos have cost counts half as much after so long."""
COSTLY_S = 1.0
"""What a photo of a client's costs, of late, that waits for the workers that are not left to others."""
MAX_REMEMBERED = 10_000
"""Clients whose costs are kept."""


@dataclass(frozen=True, slots=True)
class _Account:
    """What a client's photos have cost, in seconds."""

    total: float = 0.0
    """As of `counted`."""
    counted: float = 0.0
    of_late: float = 0.0
    """Of one: each counts twice as much as the one before."""


_NEWCOMER = _Account()


class FairQueue(Generic[T]):
    """First come, first served for each client; "" is nobody in particular and never costly. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: dict[str, deque[T]] = {}
        self._accounts: OrderedDict[str, _Account] = OrderedDict()
        self._closed = False

    def __len__(self) -> int:
        with self._changed:
            return sum(len(items) for items in self._waiting.values())

    def put(self, client: str, item: T) -> None:
        with self._changed:
            self._waiting.setdefault(client, deque()).append(item)
            self._changed.notify_all()

    def take(self, costly_too: bool = True) -> tuple[str, T] | None:
        """Waits for an item, and gives its client too. None once the queue is closed and empty."""
        with self._changed:
            while (client := self._next(costly_too or self._closed)) is None:
                if self._closed:
                    return None
                self._changed.wait()
            items = self._waiting[client]
            item = items.popleft()
            if not items:
                del self._waiting[client]
            return client, item

    def charge(self, client: str, seconds: float) -> None:
        """What one of its items has cost."""
        if not client:
            return
        with self._changed:
            is_known = client in self._accounts
            of_late = (self._of_late(client) + seconds) / 2 if is_known else seconds
            total = self._total(client) + seconds
            self._accounts[client] = _Account(total, self._clock(), of_late)
            self._accounts.move_to_end(client)
            if len(self._accounts) > MAX_REMEMBERED:
                self._accounts.popitem(last=False)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _next(self, costly_too: bool) -> str | None:
        clients = [each for each in self._waiting if costly_too or self._of_late(each) < COSTLY_S]
        return min(clients, key=self._total, default=None)

    def _total(self, client: str) -> float:
        account = self._accounts.get(client, _NEWCOMER)
        return float(account.total * 0.5 ** ((self._clock() - account.counted) / HALF_LIFE_S))

    def _of_late(self, client: str) -> float:
        return self._accounts.get(client, _NEWCOMER).of_late
