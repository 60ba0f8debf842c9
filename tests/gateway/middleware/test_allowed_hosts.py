from __future__ import annotations

import httpx
import pytest

from tests.gateway.conftest import Connect

LOCAL = [
    "127.0.0.1:8000",
    "[::1]:8000",
    "localhost",
    "gateway:8000",
    "photos.local",
    "a.localhost",
    "192.168.1.5",
]
PUBLIC = [
    "evil.example",
    "evil.example:8000",
    "EVIL.example.",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
]


@pytest.mark.parametrize("host", LOCAL)
async def test_names_that_public_dns_cannot_give_out_are_answered(
    client: httpx.AsyncClient, host: str
) -> None:
    assert (await client.get("/healthz", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", PUBLIC)
@pytest.mark.parametrize("address", ["/", "/index", "/healthz/", "/images/0", "/static/app.js"])
async def test_a_stranger_s_name_reads_nothing(client: httpx.AsyncClient, host: str, address: str) -> None:
    response = await client.get(address, headers={"Host": host})
    assert response.status_code == 421
    assert response.json()["code"] == "HOST_NOT_ALLOWED"
    assert "evil" not in response.text
    assert "location" not in response.headers


async def test_the_operator_allows_names(connect: Connect) -> None:
    async with connect(allowed_hosts="photos.example, Other.example") as client:
        for host, status in (("photos.example", 200), ("other.example:443", 200), ("evil.example", 421)):
            assert (await client.get("/healthz", headers={"Host": host})).status_code == status


async def test_a_star_allows_every_name(connect: Connect) -> None:
    async with connect(allowed_hosts="*") as client:
        assert (await client.get("/healthz", headers={"Host": "evil.example"})).status_code == 200
