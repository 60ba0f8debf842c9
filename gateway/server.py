"""How the application is served: HTTP/1.1 within limits."""

from __future__ import annotations

import asyncio
import socket

import h11
from fastapi import FastAPI
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_TIMEOUT_S = 10.0
# Connections beyond these are refused, so that idle ones cannot use up the file descriptors.
MAX_CONNECTIONS = 512
# What is under way at a shutdown has this long to end.
SHUTDOWN_TIMEOUT_S = 15


def server_config(app: FastAPI) -> Config:
    """Logging is left to the entry point, requests are logged by the application."""
    return Config(
        app,
        http=TimedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
    )


class TimedProtocol(H11Protocol):
    """Ends a connection on which no request arrives whole in time.

    The server itself limits only the silence between two requests, so that a byte now and then, or none at
    all from the start, would hold a connection for ever. Bodies have their own limit where they are read.
    """

    _headers_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio sets this only on listeners of its own. Without it an answer's body waits until the client
        # has acknowledged its head, some 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._headers_timer = self.loop.call_later(HEADERS_TIMEOUT_S, transport.close)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        is_waiting = self.conn.their_state is h11.IDLE
        if is_waiting and self._headers_timer is None:
            self._headers_timer = self.loop.call_later(HEADERS_TIMEOUT_S, self.transport.close)
        elif not is_waiting:
            self._stop_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _stop_timer(self) -> None:
        if self._headers_timer is not None:
            self._headers_timer.cancel()
            self._headers_timer = None
