"""Knows when calls stop coming in, so that none is lost when the service stops.

gRPC hands over calls one by one and, told to shut down, ends in CANCELLED those it has received but not yet
handed over: under load that is dozens.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import grpc

# A waiting call is handed over within milliseconds, also when the processors are busy.
_QUIET_S = 0.2


class Arrivals(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Notes the time of every call. Put it first, where it sees the refused ones too."""

    def __init__(self) -> None:
        self._last_s = -_QUIET_S

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        self._last_s = time.monotonic()
        return await continuation(handler_call_details)

    async def cease(self, timeout_s: float) -> None:
        """Returns when no call has come in for a moment, at the latest after `timeout_s`."""
        give_up_s = time.monotonic() + timeout_s
        while time.monotonic() < min(self._last_s + _QUIET_S, give_up_s):
            await asyncio.sleep(_QUIET_S / 10)
