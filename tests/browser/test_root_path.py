"""The page under a path of a proxy's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from gateway.app import create_app
from gateway.settings import Settings
from protos.imagesearch.v1 import search_pb2
from tests.browser.conftest import IN_BROWSER, OpenPage, Site
from tests.gateway.fake_service import FakeService
from tests.gateway.proxy import proxied
from tests.gateway.serving import listening

pytestmark = IN_BROWSER

ROOT = "/my/photos"


@pytest_asyncio.fixture(loop_scope="session", params=["stripped", "kept"])
async def site(service: FakeService, photo: Path, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    """At the end, nothing may have been asked for beside the path."""
    settings = Settings(extractor_address=service.address, root_path=ROOT)
    async with (
        listening(create_app(settings)) as port,
        proxied(port, ROOT, strips=request.param == "stripped") as (url, proxy),
    ):
        yield Site(url, service, photo)
        assert proxy.strays == []


async def expect_all_shown(page: Page, selector: str, count: int) -> None:
    """That many pictures, and their pixels there."""
    pictures = page.locator(selector)
    await expect(pictures).to_have_count(count)
    for number in range(count):
        await pictures.nth(number).scroll_into_view_if_needed()
        await expect(pictures.nth(number)).not_to_have_js_property("naturalWidth", 0)


async def test_searching_stays_under_the_path(page: Page, site: Site) -> None:
    await expect_all_shown(page, ".samples img", 8)
    await page.evaluate("document.body.dataset.mark = 'not loaded again'")
    await page.get_by_label("Choose a photo").set_input_files(site.photo)
    await expect_all_shown(page, "#results .photo img", 24)
    await expect(page).to_have_url(f"{site.url}/")

    await page.get_by_role("link", name="Search with set/3.jpg", exact=True).click()
    await expect_all_shown(page, "#results .photo img", 23)
    await expect_all_shown(page, ".query-image", 1)
    image_id = site.service.images[3].image_id
    await expect(page).to_have_url(f"{site.url}/?image_id={image_id}")

    await page.locator(".query summary").click()
    await page.get_by_label("Number of results").locator("visible=true").fill("5")
    await page.get_by_role("button", name="Search again").click()
    # Before anything is scrolled to, which would bring further results.
    await expect(page).to_have_url(f"{site.url}/?image_id={image_id}&limit=5")
    await expect_all_shown(page, "#results .photo img", 5)
    await expect(page.locator("body")).to_have_attribute("data-mark", "not loaded again")


async def test_an_address_under_the_path_brings_a_search_back(open_page: OpenPage, site: Site) -> None:
    site.service.match = search_pb2.Match(inliers=9)
    first, second = (image.image_id for image in site.service.images[:2])
    async with open_page(f"/?image_id={first}&verify=true&match={second}") as page:
        await expect_all_shown(page, "#results .photo img", 23)
        await expect(page.locator("#match-heading")).to_be_visible()
        await page.get_by_role("link", name="Simple Image Search Engine").click()
        await expect_all_shown(page, ".samples img", 8)
        await expect(page).to_have_url(f"{site.url}/")
