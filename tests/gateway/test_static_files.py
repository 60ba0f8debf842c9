from __future__ import annotations

import re

import httpx
import pytest

PAGE = {"accept": "text/html"}


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("app.js", "text/javascript"),
        ("page.css", "text/css"),
        ("logo.svg", "image/svg+xml"),
        ("manifest.webmanifest", "application/manifest+json"),
    ],
)
async def test_a_file_of_the_page_is_kept_for_good_under_the_address_that_names_its_contents(
    client: httpx.AsyncClient, name: str, media_type: str
) -> None:
    page = (await client.get("/", headers=PAGE)).text
    [address] = set(re.findall(rf'"(/static/[0-9a-f]+/{re.escape(name)})"', page))
    response = await client.get(address)
    assert response.headers["content-type"].startswith(media_type)
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    for other in (f"/static/{name}", f"/static/0123456789abcdef/{name}"):
        latest = await client.get(other)
        assert (latest.content, latest.headers["cache-control"]) == (response.content, "no-cache")
        again = await client.get(other, headers={"if-none-match": latest.headers["etag"]})
        assert (again.status_code, again.headers["cache-control"]) == (304, "no-cache")


async def test_the_page_asks_for_every_module_at_once(client: httpx.AsyncClient) -> None:
    page = (await client.get("/", headers=PAGE)).text
    preloaded = re.findall(r'rel="modulepreload" href="(/static/[^"]+)"', page)
    imported = {
        f"{address.rpartition('/')[0]}/{name}"
        for address in preloaded
        for name in re.findall(r'^import .*"\./([^"]+)";', (await client.get(address)).text, re.M)
    }
    assert imported
    assert imported == {address for address in preloaded if not address.endswith("/app.js")}


@pytest.mark.parametrize("path", ["../settings.py", "..%2fsettings.py", "%2fetc%2fpasswd", "nothing.js", ""])
async def test_nothing_else_is_there(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(f"/static/{path}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
