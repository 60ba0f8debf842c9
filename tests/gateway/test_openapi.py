"""The schema that clients are generated from changes only by intent."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

SNAPSHOT = Path(__file__).with_name("openapi.json")


async def test_the_schema_is_the_agreed_one(client: httpx.AsyncClient) -> None:
    """After an intended change: save what GET /openapi.json answers, through python -m json.tool."""
    assert (await client.get("/openapi.json")).json() == json.loads(SNAPSHOT.read_text("utf-8"))


async def test_every_reference_of_the_schema_leads_somewhere(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/openapi.json")).json()

    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for value in node.values() for found in references(value)]
        if isinstance(node, list):
            return [found for value in node for found in references(value)]
        return []

    found = references(schema)
    assert found
    for reference in found:
        assert reference.removeprefix("#/components/schemas/") in schema["components"]["schemas"]
