"""An id, a log line and a measurement for every request, and an answer where the gateway itself fails."""

from __future__ import annotations

import logging
import time
from uuid import uuid4

from opentelemetry.trace import get_current_span
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.error_handlers import CLIENT_LEFT, answer
from gateway.errors import Internal
from gateway.gate import account_of
from gateway.logs import current_request
from gateway.metrics import Metrics
from gateway.problems import problem_response
from gateway.search_client.on_behalf import call_on_behalf
from gateway.tracing import trace_headers, trace_id_of

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
        _tell_of(request_id, scope)
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
        fields = {
            "method": scope["method"],
            "path": scope.get("raw_path", b"").decode("ascii", "replace"),
            "status": status,
            "milliseconds": round(seconds * 1000, 1),
            "client": (scope.get("client") or ("unknown",))[0],
            "request_id": scope["state"]["request_id"],
        }
        text = "%(method)s %(path)s %(status)d in %(milliseconds)s ms for %(client)s, request %(request_id)s"
        logger.info(text, fields, extra=fields)


def _tell_of(request_id: str, scope: Scope) -> None:
    """To logs, traces and the search service, in this task and those that it starts."""
    trace = trace_headers(Headers(scope=scope))
    call_on_behalf(request_id, account_of(scope["client"][0]) if scope.get("client") else None, trace)
    current_request.set({"request_id": request_id, "trace_id": trace_id_of(trace)})
    get_current_span().set_attribute("request_id", request_id)


def _apology(request: Request) -> Response:
    try:
        return answer(request, Internal())
    except Exception:  # the page itself is what is broken
        logger.exception("no page for request %s", request.state.request_id)
        return problem_response(request, Internal())


def _route_of(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", None) or "unmatched"
