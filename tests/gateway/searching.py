"""What tests of searching send, and what every problem has that comes back."""

from __future__ import annotations

import base64

import httpx

PHOTO = b"the bytes of a photo"


def in_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def problem(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem, after a check of what every problem has."""
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert set(body) == {"type", "title", "status", "detail", "code", "request_id"}
    assert body["status"] == response.status_code
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["type"] == f"/docs#{body['code']}"
    assert "secret" not in response.text
    assert "Traceback" not in response.text
    return response.status_code, body["code"]
