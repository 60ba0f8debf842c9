"""Requests that HTTP leaves to the application: HEAD, and bodies that nobody reads.

HEAD is answered by every route that has GET: the server leaves the body out by itself. A route whose body is
dear can spare it: see `request.state.is_head`.

A connection ends whose request body was answered before it was read, such as one that is too large. Kept
open, the server would read an endless body for ever. Closed at once, the client would get a reset in place of
the answer, because it is still sending. So the answer says "Connection: close" and goes out whole, and what
arrives is thrown away for a moment, so that the client can read the answer before the end.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LINGER_S = 10.0
LINGER_BYTES = 32 * 2**20


class CloseUnread:
    """Answers, lingers and closes where a body is left unread."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(receive, send)
        await self._app(scope, exchange.receive, exchange.send)


class _Exchange:
    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._body_ended = False
        self._closing = False

    async def receive(self) -> Message:
        message = await self._receive()
        if not message.get("more_body", False):  # the last chunk, or a disconnect
            self._body_ended = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self._body_ended:
            self._closing = True
            MutableHeaders(scope=message)["Connection"] = "close"
        is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if not (self._closing and is_last):
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        await self._discard()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _discard(self) -> None:
        left = LINGER_BYTES
        try:
            async with asyncio.timeout(LINGER_S):
                while not self._body_ended and left > 0:
                    left -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            return


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


class HeadAsGet:
    """Shows the application a GET in place of a HEAD; `is_head` in the scope's state says which it was."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            is_head = scope["method"] == "HEAD"
            state = {**scope.get("state", {}), "is_head": is_head}
            scope = {**scope, "state": state, "method": "GET" if is_head else scope["method"]}
        await self._app(scope, receive, send)
