"""Things that several tasks use at once and that close when the last of them is done."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self


class Shared(ABC):
    """Counts its holders, starting with its creator. Thread-safe."""

    def __init__(self) -> None:
        self._holders = 1
        self._lock = threading.Lock()

    def hold(self) -> None:
        """Only for somebody who reached it through another holder: a closed one cannot be held again."""
        with self._lock:
            if self._holders == 0:
                raise RuntimeError("held after it was closed")
            self._holders += 1

    def release(self) -> None:
        with self._lock:
            self._holders -= 1
            last = self._holders == 0
        if last:
            self._close()

    @contextmanager
    def held(self) -> Iterator[Self]:
        self.hold()
        try:
            yield self
        finally:
            self.release()

    @abstractmethod
    def _close(self) -> None:
        """Called once, by the last holder's release."""
