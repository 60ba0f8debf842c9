"""Asks a running gateway whether it can answer: what a container's health check runs."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException

from gateway.settings import Settings

TIMEOUT_S = 5.0
# Listening on every address is not an address to call.
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def is_ready(settings: Settings) -> bool:
    """Whether the gateway of these settings, on this machine, would answer a search."""
    host = WILDCARDS.get(settings.host, settings.host)
    key = settings.api_key.get_secret_value()
    headers = {"Authorization": f"Bearer {key}".encode()} if key else {}
    connection = HTTPConnection(host, settings.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/readyz", headers=headers)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
