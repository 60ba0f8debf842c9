"""What keeps a hostile page from using a visitor's browser against this gateway.

Every response says what a browser must not do with it. And only names are answered that a stranger cannot
point at this machine: against DNS rebinding, where a hostile page has its own name resolve to this machine's
address, and its visitor's browser then lets it read what is answered under that name. That takes a name which
public DNS gives out.
"""

from __future__ import annotations

from ipaddress import ip_address

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import HostNotAllowed
from gateway.problems import problem_response

# Everything comes from this host; nothing is inline. An uploaded query is shown as a data: or blob: picture.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class SecurityHeaders:
    """Adds the headers to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


LOCAL_ENDINGS = (".localhost", ".local")
ANY = "*"


class AllowedHosts:
    """Refuses every request whose Host is a public name that was not allowed."""

    def __init__(self, app: ASGIApp, allowed: frozenset[str]) -> None:
        """allowed: names in lower case, without ports; "*" for all."""
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_allowed(Request(scope).url.hostname or ""):
            await self._app(scope, receive, send)
            return
        await problem_response(Request(scope), HostNotAllowed())(scope, receive, send)

    def _is_allowed(self, host: str) -> bool:
        host = host.lower().rstrip(".")
        return is_out_of_reach(host) or host in self._allowed or ANY in self._allowed


def is_out_of_reach(host: str) -> bool:
    """Whether public DNS cannot give out this name: an address, one label, or a local ending."""
    if not host:
        return False
    try:
        ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(LOCAL_ENDINGS)
    return True
