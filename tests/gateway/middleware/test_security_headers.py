from __future__ import annotations

import httpx
import pytest

from tests.gateway.fake_service import FakeService

ADDRESSES = ["/", "/nowhere", "/search", "/docs", "/index", "/healthz", "/static/app.js", "/images/x"]


@pytest.mark.parametrize("address", ADDRESSES)
async def test_every_answer_forbids_what_is_not_needed(client: httpx.AsyncClient, address: str) -> None:
    headers = (await client.get(address)).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]


async def test_an_answer_to_a_defect_has_them_too(
    client: httpx.AsyncClient, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.search_client.client.search_answer", lambda message: 1 / 0)
    response = await client.post("/search", files={"image": b"photo"})
    assert response.status_code == 500
    assert "content-security-policy" in response.headers
