"""A shared secret in front of every call but health checks."""

from __future__ import annotations

import hmac
from typing import Any

import grpc
from grpc_health.v1 import health

from extractor_service.metrics import CALLS

_EXEMPT = f"/{health.SERVICE_NAME}/"


class BearerTokenInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Ends calls without "authorization: Bearer <token>" in UNAUTHENTICATED, their message unread."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        if handler_call_details.method.startswith(_EXEMPT) or self._is_known(handler_call_details):
            return await continuation(handler_call_details)
        # Fits calls of every kind, because it ends before the first message.
        return grpc.stream_stream_rpc_method_handler(_refuse)

    def _is_known(self, handler_call_details: Any) -> bool:
        given = dict(handler_call_details.invocation_metadata).get("authorization", "")
        given_bytes = given if isinstance(given, bytes) else given.encode()
        return hmac.compare_digest(given_bytes, self._expected)


async def _refuse(_requests: Any, context: Any) -> None:
    CALLS.labels("any", grpc.StatusCode.UNAUTHENTICATED.name).inc()
    await context.abort(
        grpc.StatusCode.UNAUTHENTICATED, "This service asks for a bearer token; send its own."
    )
