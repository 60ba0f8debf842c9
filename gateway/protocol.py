"""HTTP/1.1 as the server speaks it, with clients of any speed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from uuid import uuid4

import h11
from fastapi import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway import pace
from gateway.connections import Connections
from gateway.errors import MalformedRequest
from gateway.middleware.browser_safety import SECURITY_HEADERS
from gateway.problems import problem_response

HEADERS_TIMEOUT_S = 10.0


class GuardedProtocol(H11Protocol):
    """Ends a connection on which no request arrives whole in time, or whose answer is not read in time.

    The server itself limits only the silence between two requests, so that a byte now and then, or none at
    all from the start, would hold a connection for ever. Bodies have their own limit where they are read.
    """

    host: str | None = None
    idle_since: float | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._headers_timer = _Timer()
        self._reading_timer = _Timer()
        self._connections: Connections = self.config.app.state.connections  # type: ignore[union-attr]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio sets this only on listeners of its own. Without it an answer's body waits until the client
        # has acknowledged its head, some 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.client is not None:
            self.client = (_as_ipv4(self.client[0]), self.client[1])
            self.host = self.client[0]
        self._connections.heard_at = self.idle_since = self.loop.time()
        self._headers_timer.start(self.loop, HEADERS_TIMEOUT_S, transport.close)
        if not self._connections.admit(self):
            self._turn_away()

    def data_received(self, data: bytes) -> None:
        self._connections.heard_at = self.loop.time()
        super().data_received(data)
        is_waiting = self.conn.their_state is h11.IDLE
        if is_waiting and not self._headers_timer.runs:
            self._headers_timer.start(self.loop, HEADERS_TIMEOUT_S, self.transport.close)
        elif not is_waiting:
            self._headers_timer.stop()

    def handle_events(self) -> None:
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self.idle_since = None

    def on_response_complete(self) -> None:
        self.idle_since = self.loop.time()  # before the server goes on to a request that has come already
        super().on_response_complete()
        self._expect_reading()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._reading_timer.stop()

    def send_400_response(self, msg: str) -> None:
        """For what is no HTTP, as the application answers what is wrong."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(self._refusal())
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._headers_timer.stop()
        self._reading_timer.stop()
        self._connections.discard(self)
        super().connection_lost(exc)

    def end(self) -> None:
        self.transport.abort()

    def _turn_away(self) -> None:
        """Has the application refuse its request; ends it at once where too many wait to be refused."""
        self.app_state = {**self.app_state, "is_turned_away": True}
        if not self._connections.has_room_to_refuse:
            self.transport.abort()

    def _expect_reading(self) -> None:
        """Gives the client time to read what is written, as much as the slowest line needs."""
        if size := self.transport.get_write_buffer_size():
            time_s = pace.PATIENCE_S + size / pace.MIN_BYTES_PER_S
            self._reading_timer.start(self.loop, time_s, self._end_unread)

    def _end_unread(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()

    def _refusal(self) -> bytes:
        state = {"request_id": uuid4().hex}
        request = Request({"type": "http", "app": self.config.app, "state": state, "headers": []})
        headers = {**SECURITY_HEADERS, "X-Request-ID": state["request_id"], "Connection": "close"}
        answer = problem_response(request, MalformedRequest(), headers)
        head = h11.Response(status_code=answer.status_code, headers=answer.raw_headers, reason="Bad Request")
        events: tuple[h11.Event, ...] = (head, h11.Data(data=bytes(answer.body)), h11.EndOfMessage())
        return b"".join(self.conn.send(event) or b"" for event in events)


class _Timer:
    """Calls something once, unless it is stopped or started again before."""

    _handle: asyncio.TimerHandle | None = None

    @property
    def runs(self) -> bool:
        return self._handle is not None

    def start(self, loop: asyncio.AbstractEventLoop, seconds: float, callback: Callable[[], None]) -> None:
        self.stop()
        self._handle = loop.call_later(seconds, callback)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


def _as_ipv4(host: str) -> str:
    """An IPv4 address as it is, also where it came to a socket of IPv6."""
    with suppress(ValueError):
        return str(getattr(ip_address(host), "ipv4_mapped", None) or host)
    return host
