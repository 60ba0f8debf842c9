"""A shared secret in front of every route but the one that a supervisor asks whether the gateway is alive."""

from __future__ import annotations

import base64
import binascii
import hmac

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.error_handlers import answer
from gateway.errors import GatewayError, Unauthenticated
from gateway.gate import Gate
from gateway.middleware.root_path import route_path

OPEN_ROUTE = "/healthz"
# A browser asks its user for a name and a password on account of the second one; any name will do.
CHALLENGE = {"WWW-Authenticate": 'Bearer, Basic realm="Image search", charset="UTF-8"'}


class ApiKey:
    """Lets requests pass that carry the key, as a bearer token or as the password of HTTP Basic."""

    def __init__(self, app: ASGIApp, key: str, gate: Gate) -> None:
        self._app = app
        self._key = key.encode()
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or route_path(scope) == OPEN_ROUTE:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        application = self._app
        try:
            self._check(request)
        except GatewayError as error:
            application = answer(request, error, CHALLENGE)
        await application(scope, receive, send)

    def _check(self, request: Request) -> None:
        """Raises Unauthenticated, or RateLimited where a client seems to be guessing."""
        given = given_key(request.headers.get("authorization", ""))
        if given is None:
            raise Unauthenticated
        if not hmac.compare_digest(given, self._key):
            self._gate.count_wrong_key(request.client.host if request.client else None)
            raise Unauthenticated


def given_key(authorization: str) -> bytes | None:
    """The key in an Authorization header; None where there is none of either form."""
    scheme, _, credentials = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            return credentials.strip().encode("latin-1")  # as it came over the wire
        case "basic":
            return _password(credentials)
        case _:
            return None


def _password(credentials: str) -> bytes | None:
    try:
        _, colon, password = base64.b64decode(credentials, validate=True).partition(b":")
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        return None
    return password if colon else None
