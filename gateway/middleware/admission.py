"""The door: refuses what there is no room for now, before anything is done for it."""

from __future__ import annotations

from contextlib import ExitStack

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.error_handlers import answer
from gateway.errors import GatewayError, Overloaded
from gateway.gate import Gate
from gateway.middleware.root_path import route_path

# They cost nothing, and who watches over the gateway must not be locked out by who overruns it.
FREE_ROUTES = {"/healthz", "/readyz", "/metrics"}


class Admission:
    """Counts pages, pictures and descriptions by client; searches have a gate of their own."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with ExitStack() as admitted:
            application = self._app
            try:
                self._admit(scope, admitted)
            except GatewayError as error:
                application = answer(Request(scope), error)
            await application(scope, receive, send)

    def _admit(self, scope: Scope, admitted: ExitStack) -> None:
        if scope["state"].get("is_turned_away"):
            raise Overloaded
        if scope["method"] == "GET" and route_path(scope) not in FREE_ROUTES:
            host = scope["client"][0] if scope.get("client") else None
            admitted.enter_context(self._gate.read(host))
