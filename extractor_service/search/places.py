"""How much may be under way at once: more is refused at once, instead of slowing down what is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from extractor_service.metrics import UNDER_WAY
from imagesearch.errors import Overloaded


class Places:
    """Counts requests and the bytes that they hold. Use from one event loop.

    gRPC has a message in memory before anybody can count it. What is refused here lets go of it at once, so
    that what stays is bounded; each connection still receives its next message.
    """

    def __init__(self, max_requests: int, max_bytes: int) -> None:
        self._free_requests = max_requests
        self._max_bytes = max_bytes
        self._bytes = 0

    @contextmanager
    def taken(self, size_bytes: int) -> Iterator[None]:
        """A place for a request of this size, for as long as it is used. One alone may have any size.

        Raises Overloaded.
        """
        is_too_much = self._bytes > 0 and self._bytes + size_bytes > self._max_bytes
        if self._free_requests == 0 or is_too_much:
            raise Overloaded("The service is busy; try again in a moment.")
        self._free_requests -= 1
        self._bytes += size_bytes
        try:
            with UNDER_WAY.track_inprogress():
                yield
        finally:
            self._free_requests += 1
            self._bytes -= size_bytes
