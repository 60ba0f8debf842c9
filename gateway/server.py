"""How the application is served, and how it stops."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress

from fastapi import FastAPI
from uvicorn import Config, Server

from gateway.connections import Connections
from gateway.protocol import GuardedProtocol

# What is under way at a shutdown has this long to end.
SHUTDOWN_TIMEOUT_S = 15
# At a shutdown, connections that are open or that the kernel has taken may make one more request for so long.
LAST_REQUESTS_S = 1.5
QUIET_S = 0.2


def server_config(app: FastAPI) -> Config:
    """Logging is left to the entry point, requests are logged by the application."""
    return Config(
        app,
        http=GuardedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
    )


class GatewayServer(Server):
    """Loses no request when it stops, neither of a kept connection nor of one that waits to be accepted."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        connections: Connections = self.config.app.state.connections  # type: ignore[union-attr]
        connections.is_closing = True
        await self._last_requests(connections)
        waiting = [each for listener in sockets or () for each in _accepted(listener)]
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        for each in waiting:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, each)
        await self._last_requests(connections)
        await super().shutdown(sockets)

    async def _last_requests(self, connections: Connections) -> None:
        """Serves on until everybody has left and it is quiet, or time is up."""
        now = asyncio.get_running_loop().time
        end_s = now() + LAST_REQUESTS_S
        while now() < end_s and not self.force_exit:
            if not connections and now() > connections.heard_at + QUIET_S:
                return
            await asyncio.sleep(QUIET_S / 10)

    def _protocol(self) -> GuardedProtocol:
        return GuardedProtocol(self.config, self.server_state, self.lifespan.state)


def _accepted(listener: socket.socket) -> Iterator[socket.socket]:
    """The connections that the kernel has taken and nobody has accepted."""
    with suppress(BlockingIOError):
        while True:
            yield listener.accept()[0]
