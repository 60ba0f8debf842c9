from __future__ import annotations

import httpx

from gateway.errors import GatewayError
from gateway.routers.docs import type_text


async def test_every_route_of_the_schema_is_described(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    for path in (await client.get("/openapi.json")).json()["paths"]:
        assert f"<code>{path}</code>" in page
    assert "max_distance" in page


async def test_its_language_is_that_of_its_text(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs", headers={"accept-language": "ja"})
    assert '<html lang="en">' in page.text
    assert page.headers["content-language"] == "en"


async def test_every_error_has_an_anchor_where_its_type_points(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    for cause in GatewayError.__subclasses__():
        assert f'<tr id="{cause.code}"><td>{cause.status}</td>' in page


def test_types_are_told_in_words() -> None:
    assert type_text({"type": "integer"}) == "integer"
    assert type_text({"type": "string", "format": "date-time"}) == "date-time"
    assert type_text({"type": "array", "items": {"$ref": "#/components/schemas/Hit"}}) == "array of Hit"
    assert type_text({"anyOf": [{"type": "number"}, {"type": "null"}]}) == "number or null"
    assert type_text({}) == "any"
