"""Who waits for a decoder and who is next: the client whose photos have cost least of late.

A client whose photos take seconds each must not stop those whose photos take milliseconds. So one worker of
several is left to the latter, and the former wait for one another.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

HALF_LIFE_S = 30.0
"""What a photo has cost counts half as much after so long."""
COSTLY_S = 1.0
"""What a client has cost that waits for the worker that is left to others."""
MAX_REMEMBERED = 10_000
"""Clients whose costs are kept."""


class FairQueue(Generic[T]):
    """First come, first served for each client; "" is nobody in particular and never costly. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: dict[str, deque[T]] = {}
        self._costs: OrderedDict[str, tuple[float, float]] = OrderedDict()  # seconds, and as of when
        self._closed = False

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
            self._costs[client] = self._cost(client) + seconds, self._clock()
            self._costs.move_to_end(client)
            if len(self._costs) > MAX_REMEMBERED:
                self._costs.popitem(last=False)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _next(self, costly_too: bool) -> str | None:
        cheapest = min(self._waiting, key=self._cost, default=None)
        if cheapest is None or (not costly_too and self._cost(cheapest) >= COSTLY_S):
            return None
        return cheapest

    def _cost(self, client: str) -> float:
        seconds, counted = self._costs.get(client, (0.0, 0.0))
        return float(seconds * 0.5 ** ((self._clock() - counted) / HALF_LIFE_S))
