"""An id, a log line and a measurement for every request, and an answer where the gateway itself fails."""

from __future__ import annotations

import logging
import time
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.error_handlers import CLIENT_LEFT, answer
from gateway.errors import Internal
from gateway.gate import account_of
from gateway.metrics import Metrics
from gateway.problems import problem_response
from gateway.search_client.on_behalf import call_on_behalf

logger = logging.getLogger(__name__)


class RequestContext:
    """Puts `request_id` into the scope's state and the X-Request-ID header."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        call_on_behalf(request_id, account_of(scope["client"][0]) if scope.get("client") else None)
        status = CLIENT_LEFT

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        started = time.perf_counter()
        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            logger.exception("request %s failed", request_id)
            if status != CLIENT_LEFT:  # too late for an answer: the server closes the connection
                raise
            await _apology(Request(scope))(scope, receive, send_with_id)
        finally:
            self._record(scope, status, time.perf_counter() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        self._metrics.count_request(scope["method"], _route_of(scope), status, seconds)
        logger.info(
            "%s %s %d in %.1f ms for %s, request %s",
            scope["method"],
            scope.get("raw_path", b"").decode("ascii", "replace"),
            status,
            seconds * 1000,
            (scope.get("client") or ("unknown",))[0],
            scope["state"]["request_id"],
        )


def _apology(request: Request) -> Response:
    try:
        return answer(request, Internal())
    except Exception:  # the page itself is what is broken
        logger.exception("no page for request %s", request.state.request_id)
        return problem_response(request, Internal())


def _route_of(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", None) or "unmatched"
