"""Tells clients that an answer is the last one of its connection."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.connections import Connections


class LastAnswers:
    """Says "Connection: close" while the server stops, and to those it has no room for."""

    def __init__(self, app: ASGIApp, connections: Connections) -> None:
        self._app = app
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_last(message: Message) -> None:
            is_last = self._connections.is_closing or scope.get("state", {}).get("is_turned_away")
            if message["type"] == "http.response.start" and is_last:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, send_last if scope["type"] == "http" else send)
