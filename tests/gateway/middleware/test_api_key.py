from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr

from gateway import gate
from tests.gateway.conftest import Connect
from tests.gateway.fake_service import FakeService
from tests.gateway.searching import PHOTO, problem

KEY = "a very secret kéy"
ROUTES = ["/", "/index", "/docs", "/openapi.json", "/metrics", "/readyz", "/static/page.css", "/nowhere"]


@pytest.mark.parametrize("route", ROUTES)
async def test_every_route_asks_for_the_key(connect: Connect, route: str) -> None:
    async with connect(api_key=SecretStr(KEY)) as client:
        without = await client.get(route, headers={"accept": "application/json"})
        assert without.status_code == 401
        assert without.headers["www-authenticate"].startswith("Bearer, Basic realm=")
        assert without.headers["x-frame-options"] == "DENY"
        assert (await client.get(route, auth=("anybody", KEY))).status_code == (
            404 if route == "/nowhere" else 200
        )


async def test_photos_and_searches_ask_for_the_key(connect: Connect, service: FakeService) -> None:
    image_id = service.images[0].image_id
    none: dict[bytes, bytes] = {}
    bearer = {b"authorization": f"Bearer {KEY}".encode()}
    async with connect(api_key=SecretStr(KEY)) as client:
        for headers, status in ((none, 401), (bearer, 200)):
            for route in (f"/images/{image_id}", f"/thumbnails/{image_id}"):
                assert (await client.get(route, headers=headers)).status_code == status
            search = await client.post("/search", files={"image": PHOTO}, headers=headers)
            assert search.status_code == status
    assert len(service.searches) == 1


async def test_whether_it_is_alive_anybody_may_ask(connect: Connect) -> None:
    async with connect(api_key=SecretStr(KEY)) as client:
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer a",
        f"Bearer {KEY}x",
        f"Token {KEY}",
        KEY,
        "Basic",
        "Basic !",
        "Basic あ",
        "Basic YTpi",  # a:b
        "Basic YQ==",  # a, without a colon
    ],
)
async def test_anything_else_is_no_key(connect: Connect, authorization: str) -> None:
    async with connect(api_key=SecretStr(KEY)) as client:
        headers = {b"authorization": authorization.encode(), b"accept": b"application/json"}
        assert problem(await client.get("/index", headers=headers)) == (401, "UNAUTHENTICATED")


async def test_who_guesses_is_slowed_down_and_nobody_else(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "WRONG_KEYS_PER_MINUTE", 3)
    async with connect(api_key=SecretStr(KEY)) as client:
        guesses = [await client.get("/index", auth=("a", str(guess))) for guess in range(5)]
        assert [guess.status_code for guess in guesses] == [401, 401, 401, 429, 429]
        assert (await client.get("/index", auth=("a", KEY))).status_code == 200


async def test_a_person_without_the_key_sees_a_page(connect: Connect) -> None:
    async with connect(api_key=SecretStr(KEY)) as client:
        page = await client.get("/", headers={"accept": "text/html", "accept-language": "ja"})
    assert page.status_code == 401
    assert "キーが必要です" in page.text


async def test_the_schema_says_whether_a_key_is_needed(client: httpx.AsyncClient, connect: Connect) -> None:
    assert {} in (await client.get("/openapi.json")).json()["security"]
    async with connect(api_key=SecretStr(KEY)) as keyed:
        schema = (await keyed.get("/openapi.json", auth=("a", KEY))).json()
    assert schema["security"] == [{"bearer": []}, {"basic": []}]
    assert schema["paths"]["/healthz"]["get"]["security"] == []
    assert "401" in schema["paths"]["/search"]["post"]["responses"]
