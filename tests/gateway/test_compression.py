from __future__ import annotations

import httpx
import pytest

from tests.gateway.fake_service import FakeService

TAKES_GZIP = {"accept-encoding": "gzip"}


@pytest.mark.parametrize("route", ["/", "/docs", "/openapi.json", "/static/page.css", "/static/app.js"])
async def test_long_texts_are_compressed_for_who_takes_them(client: httpx.AsyncClient, route: str) -> None:
    plain = await client.get(route, headers={"accept-encoding": "identity"})
    compressed = await client.get(route, headers=TAKES_GZIP)
    assert "content-encoding" not in plain.headers
    assert compressed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in compressed.headers["vary"]
    assert int(compressed.headers["content-length"]) < len(plain.content) / 2
    assert len(compressed.content) == len(plain.content)


async def test_results_and_pages_of_errors_are_compressed(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    search = await client.post("/search", files={"image": b"photo"}, headers=TAKES_GZIP)
    nowhere = await client.get("/nowhere", headers={**TAKES_GZIP, "accept": "text/html"})
    for response in (search, nowhere):
        assert response.headers["content-encoding"] == "gzip"


async def test_short_answers_and_photos_go_out_as_they_are(
    client: httpx.AsyncClient, service: FakeService
) -> None:
    for route in ("/healthz", f"/images/{service.images[0].image_id}", "/static/logo.svg"):
        assert "content-encoding" not in (await client.get(route, headers=TAKES_GZIP)).headers
