from __future__ import annotations

import httpx
import pytest


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("app.js", "text/javascript"),
        ("region.js", "text/javascript"),
        ("page.css", "text/css"),
        ("logo.svg", "image/svg+xml"),
    ],
)
async def test_a_file_of_the_page_is_asked_about_each_time(
    client: httpx.AsyncClient, name: str, media_type: str
) -> None:
    first = await client.get(f"/static/{name}")
    assert first.status_code == 200
    assert first.headers["content-type"].startswith(media_type)
    assert first.headers["cache-control"] == "no-cache"
    again = await client.get(f"/static/{name}", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["../settings.py", "..%2fsettings.py", "%2fetc%2fpasswd", "nothing.js", ""])
async def test_nothing_else_is_there(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(f"/static/{path}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
