"""HEAD for every route that has GET: the server leaves the body out by itself.

A route whose body is dear can spare it: see `request.state.is_head`.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


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
