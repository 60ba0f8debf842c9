"""The page while the photos are being indexed."""

from __future__ import annotations

import grpc
from playwright.async_api import expect

from protos.imagesearch.v1 import search_pb2
from tests.browser.conftest import IN_BROWSER, OpenPage, Site
from tests.gateway.fake_service import Failure

pytestmark = IN_BROWSER


def at_work(done: int) -> search_pb2.Indexing:
    return search_pb2.Indexing(phase="describing", done=done, total=1_000, per_second=1.0)


async def test_the_first_photos_appear_by_themselves_and_the_line_goes_at_the_end(
    site: Site, open_page: OpenPage
) -> None:
    site.service.version, site.service.indexing = "", at_work(100)
    async with open_page() as page:
        line = page.locator("#live")
        await expect(line).to_have_text("Indexing: 100 of 1,000 new photos · about 15 minutes left")
        await expect(page.locator(".samples img")).to_have_count(0)
        site.service.version, site.service.indexing = "000001", at_work(400)
        await expect(line).to_contain_text("400 of 1,000")
        await expect(page.locator(".samples img")).to_have_count(8)
        await expect(page.locator("footer")).to_contain_text("24 photos")
        site.service.indexing = None
        await expect(line).to_be_hidden()


async def test_it_goes_on_beside_a_search(site: Site, open_page: OpenPage) -> None:
    site.service.indexing = at_work(100)
    async with open_page() as page:
        await page.locator(".samples a").first.click()
        await expect(page.locator("#results")).to_be_visible()
        site.service.indexing = at_work(700)
        await expect(page.locator("#live")).to_contain_text("700 of 1,000")
        await expect(page.locator("#results")).to_be_visible()


async def test_a_page_opened_too_early_becomes_the_start(site: Site, open_page: OpenPage) -> None:
    site.service.failure = Failure(grpc.StatusCode.UNAVAILABLE, "INDEX_NOT_READY")
    async with open_page() as page:
        await expect(page.locator(".problem")).to_be_visible()
        site.service.failure = None
        await expect(page.locator(".problem")).to_have_count(0)
        await expect(page.locator(".samples img")).to_have_count(8)


async def test_what_went_wrong_stays_to_be_read(site: Site, open_page: OpenPage) -> None:
    site.service.version, site.service.indexing = "", at_work(100)
    async with open_page() as page:
        site.service.failure = Failure(grpc.StatusCode.UNAVAILABLE, "INDEX_NOT_READY")
        site.service.failing_calls = ("Search",)
        await page.set_input_files("#photo", site.photo)
        await expect(page.locator(".problem")).to_be_visible()
        site.service.indexing = at_work(400)
        await expect(page.locator("#live")).to_contain_text("400 of 1,000")
        await expect(page.locator(".problem")).to_be_visible()


async def test_going_back_meets_the_start_that_was_taken_up(site: Site, open_page: OpenPage) -> None:
    site.service.version, site.service.indexing = "", at_work(100)
    async with open_page() as page:
        await expect(page.locator("#live")).to_contain_text("100 of 1,000")
        site.service.version = "000001"
        await page.locator(".samples a").first.click()
        await expect(page.locator("#results")).to_be_visible()
        await page.go_back()
        await expect(page.locator(".samples img")).to_have_count(8)
