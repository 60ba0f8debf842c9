"""A body as it arrives: charged by its bytes, and given up where it comes too slowly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fastapi import Request
from starlette.types import Message, Receive

from gateway import errors, pace


def metered(request: Request, take: Callable[[int], None]) -> Request:
    """The same request; reading its body takes room for each chunk, and raises UploadTimeout."""
    return Request(request.scope, _Meter(request.receive, take).receive)


class _Meter:
    """Wants so many bytes in each span of time: nobody may send fast first and then stand still."""

    def __init__(self, receive: Receive, take: Callable[[int], None]) -> None:
        self._receive = receive
        self._take = take
        self._begin_span()

    async def receive(self) -> Message:
        try:
            async with asyncio.timeout_at(self._end_s):
                message = await self._receive()
        except TimeoutError:
            raise errors.UploadTimeout from None
        size = len(message.get("body", b""))
        self._take(size)
        self._missing -= size
        if self._missing <= 0:
            self._begin_span()
        return message

    def _begin_span(self) -> None:
        self._end_s = asyncio.get_running_loop().time() + pace.PATIENCE_S
        self._missing = pace.MIN_BYTES_PER_S * pace.PATIENCE_S
