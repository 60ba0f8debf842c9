"""Knows when calls stop coming in, so that none is lost when the service stops.

gRPC hands over calls one by one and, told to shut down, ends in CANCELLED those it has received but not yet
handed over: under load that is dozens.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import grpc

# A waiting call is handed over within a few turns of the event loop. So they are counted, and not
# the time, of which a busy machine may give the loop nothing.
_QUIET_TURNS = 10
_TURN_S = 0.02


class Arrivals(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Counts the calls. Put it first, where it sees the refused ones too."""

    def __init__(self) -> None:
        self._count = 0

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        self._count += 1
        return await continuation(handler_call_details)

    async def cease(self, timeout_s: float) -> None:
        """Returns when no call has come in for some turns of the loop, at the latest after `timeout_s`."""
        give_up_s = time.monotonic() + timeout_s
        quiet_turns = 0
        while quiet_turns < _QUIET_TURNS and time.monotonic() < give_up_s:
            before = self._count
            await asyncio.sleep(_TURN_S)
            quiet_turns = quiet_turns + 1 if self._count == before else 0
