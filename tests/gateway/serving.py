"""The gateway on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from fastapi import FastAPI
from uvicorn import Server

from gateway.server import GatewayServer, server_config


@contextlib.asynccontextmanager
async def listening(app: FastAPI) -> AsyncIterator[int]:
    """Serves on a free port of 127.0.0.1, in this event loop; yields the port."""
    async with serving(GatewayServer(server_config(app))) as port:
        yield port


@contextlib.asynccontextmanager
async def serving(server: Server) -> AsyncIterator[int]:
    """The same for any server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
        running = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await running
