"""A gateway under a path of a proxy's, which strips it from requests or leaves it there."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr, ValidationError

from gateway.app import create_app
from gateway.settings import OWN_PATHS, Settings
from protos.imagesearch.v1 import search_pb2
from tests.gateway.conftest import Connect
from tests.gateway.fake_service import FakeService
from tests.gateway.proxy import proxied
from tests.gateway.searching import PHOTO
from tests.gateway.serving import listening

ROOT = "/my/photos"
PAGE = {"accept": "text/html"}


@pytest.fixture(params=["stripped", "kept"])
async def browser(settings: Settings, request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the proxy."""
    async with (
        listening(create_app(settings.model_copy(update={"root_path": ROOT}))) as port,
        proxied(port, ROOT, strips=request.param == "stripped") as (url, _proxy),
        httpx.AsyncClient(base_url=url.removesuffix(ROOT), trust_env=False) as client,
    ):
        yield client


def addresses(page: str, attributes: str = "href|src|action") -> set[str]:
    """What a page refers to, without the parts of pages and what it holds itself."""
    found = re.findall(rf'\b(?:{attributes})="([^"#]+)', page)
    return {html.unescape(each) for each in found if not each.startswith("data:")}


async def test_every_address_of_the_pages_leads_somewhere(
    browser: httpx.AsyncClient, service: FakeService
) -> None:
    service.match = search_pb2.Match(inliers=9)
    service.located = search_pb2.Region(x=0.1, y=0.1, width=0.5, height=0.5)
    first, second = (image.image_id for image in service.images[:2])
    pages = [
        await browser.get(f"{ROOT}/{query}", headers=PAGE)
        for query in (
            "",
            f"?image_id={first}&region=0,0,1,0.5",
            f"?image_id={first}&verify=true&match={second}",
            f"?image_ids={first}&image_ids={second}",
            "docs",
            "nowhere/at/all",
        )
    ]
    pages.append(await browser.post(f"{ROOT}/"))
    pages.append(await browser.post(f"{ROOT}/", files={"image": PHOTO}))
    assert all("text/html" in page.headers["content-type"] for page in pages)
    found = set[str]().union(*(addresses(page.text) for page in pages))
    for_script = addresses(pages[-1].text, "data-address")
    assert len(found) > 20
    assert len(for_script) > 5
    for address in found | for_script:
        assert address.startswith(f"{ROOT}/"), address
    for address in found:
        assert (await browser.get(address)).status_code == 200, address


async def test_addresses_in_json_can_be_followed(browser: httpx.AsyncClient) -> None:
    hit = (await browser.post(f"{ROOT}/search", files={"image": PHOTO})).json()["results"][0]
    for name in ("url", "thumbnail_url"):
        assert (await browser.get(hit[name])).status_code == 200
    problem = (await browser.post(f"{ROOT}/search", json={})).json()
    assert problem["type"] == f"{ROOT}/docs#NOT_ONE_QUERY"


async def test_redirects_and_the_schema_keep_the_path(browser: httpx.AsyncClient) -> None:
    redirect = await browser.get(f"{ROOT}/docs/")
    assert httpx.URL(redirect.headers["location"]).path == f"{ROOT}/docs"
    assert (await browser.get(f"{ROOT}/openapi.json")).json()["servers"] == [{"url": ROOT}]
    assert f" {str(browser.base_url).rstrip('/')}{ROOT}/search" in (await browser.get(f"{ROOT}/docs")).text


async def test_the_path_alone_is_the_page(browser: httpx.AsyncClient) -> None:
    response = await browser.get(ROOT, follow_redirects=True)
    assert (response.status_code, "text/html" in response.headers["content-type"]) == (200, True)


async def test_a_supervisor_is_never_locked_out(connect: Connect) -> None:
    async with connect(root_path=ROOT, read_rate_limit_per_minute=1) as client:
        for _ in range(3):
            assert (await client.get(f"{ROOT}/metrics")).status_code == 200


async def test_a_supervisor_beside_the_gateway_needs_no_path(connect: Connect) -> None:
    async with connect(root_path=ROOT, api_key=SecretStr("key")) as client:
        for address in ("/healthz", f"{ROOT}/healthz"):
            assert (await client.get(address)).status_code == 200
        assert (await client.get("/readyz")).status_code == 401


@pytest.mark.parametrize(("given", "taken"), [("/photos/", "/photos"), ("/", ""), ("/a/b", "/a/b"), ("", "")])
def test_a_slash_at_the_end_is_left_out(given: str, taken: str) -> None:
    assert Settings(root_path=given).root_path == taken


@pytest.mark.parametrize(
    "given", ["photos", "/photos?", "//photos", "/a/../b", "/a b", "/photos//", "/search", "/images/mine"]
)
def test_a_path_that_cannot_be_one_is_refused(given: str) -> None:
    with pytest.raises(ValidationError, match="must "):
        Settings(root_path=given)


def test_no_route_of_the_gateway_is_missing_among_its_own() -> None:
    paths = [route.path for route in iter_route_contexts(create_app(Settings()).routes)]
    assert {path.split("/")[1] for path in paths if path} - {""} == OWN_PATHS
