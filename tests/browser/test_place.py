"""Nobody loses their place: errors, matches, what is added, and files that are no photos."""

from __future__ import annotations

import io

import grpc
from PIL import Image
from playwright.async_api import FilePayload, Page, expect

from protos.imagesearch.v1 import search_pb2
from tests.browser.conftest import IN_BROWSER, OpenPage, Site, picture
from tests.gateway.fake_service import Failure

pytestmark = IN_BROWSER

BUSY = Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")


def file(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


async def test_an_error_keeps_the_address_and_can_be_tried_again(page: Page, site: Site) -> None:
    first, second = site.service.images[:2]
    await page.goto(f"{site.url}/?image_id={first.image_id}&limit=5")
    site.service.failure = BUSY
    await page.get_by_role("link", name="Search with set/1.jpg", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("Busy")
    await expect(page).to_have_url(f"{site.url}/?image_id={second.image_id}&limit=5")
    site.service.failure = None
    await page.get_by_role("link", name="Try again").click()
    await expect(page.locator("#results li[data-photo]")).to_have_count(5)
    await page.go_back()
    await page.go_back()
    await expect(page.locator(".query-image")).to_have_attribute("alt", "set/0.jpg")

    await page.context.set_offline(True)
    await page.get_by_role("link", name="Search with set/2.jpg", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    await expect(page.locator("#results li[data-photo]")).to_have_count(5)
    await page.context.set_offline(False)
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".query-image")).to_have_attribute("alt", "set/2.jpg")

    site.service.failure = BUSY
    await page.get_by_label("Choose a photo").set_input_files(site.photo)
    await expect(page.get_by_role("alert")).to_contain_text("Busy")
    site.service.failure = None
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator("#results li[data-photo]")).to_have_count(5)
    assert site.service.searches[-1].image.content == site.photo.read_bytes()


async def test_a_broken_link_keeps_its_address_without_scripts_too(open_page: OpenPage, site: Site) -> None:
    async with open_page(java_script_enabled=False) as page:
        site.service.failure = BUSY
        address = f"{site.url}/?image_id={site.service.images[0].image_id}&limit=5"
        await page.goto(address)
        site.service.failure = None
        await page.get_by_role("link", name="Try again").click()
        await expect(page).to_have_url(address)
        await expect(page.locator("#results li[data-photo]")).to_have_count(5)


async def test_options_ticked_on_the_start_page_hold_for_a_sample(page: Page, site: Site) -> None:
    await page.get_by_text("Options", exact=True).locator("visible=true").click()
    await page.get_by_label("Number of results").locator("visible=true").fill("4")
    await page.get_by_role("link", name="Search with set/0.jpg", exact=True).click()
    await expect(page.locator("#results li[data-photo]")).to_have_count(4)


async def test_a_match_is_closed_by_escape_and_leads_back_to_its_result(page: Page, site: Site) -> None:
    site.service.match = search_pb2.Match(inliers=9)
    await page.goto(f"{site.url}/?image_id={site.service.images[0].image_id}")
    shown = page.get_by_role("link", name="Show where set/20.jpg matches")
    await shown.click()
    await expect(page.locator("#match-heading")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("#match-heading")).to_have_count(0)
    await expect(shown).to_be_focused()
    await expect(shown).to_be_in_viewport()


async def test_the_pointer_stays_over_the_photo_that_is_added(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/?image_id={site.service.images[0].image_id}")
    tile = page.locator("#results li[data-photo]").nth(17)
    await tile.hover()
    place = await tile.bounding_box()
    assert place is not None
    at = (place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    await page.get_by_role("link", name="More like set/18.jpg").click()
    await expect(page.locator(".photo-set img")).to_have_count(2)
    under = "([x, y]) => document.elementFromPoint(x, y).closest('li')?.className"
    assert "chosen" in await page.evaluate(under, at)
    await expect(
        page.locator("#results .chosen").get_by_role("link", name="Search with set/18")
    ).to_be_focused()


async def test_at_eight_photos_the_page_says_so(page: Page, site: Site) -> None:
    ids = "&".join(f"image_ids={image.image_id}" for image in site.service.images[:8])
    await page.goto(f"{site.url}/?{ids}")
    await expect(page.locator("#query")).to_contain_text("That is the most a search takes: 8 photos.")


async def test_one_bad_file_costs_only_itself_and_is_named(page: Page, site: Site) -> None:
    site.service.unreadable = b"Dear diary"
    one, two = (file(f"{number}.jpg", picture(number, "JPEG")) for number in (1, 2))
    bad = file("diary.jpg", b"Dear diary")
    await page.get_by_label("Choose a photo").set_input_files([one, bad, two])
    await expect(page.locator(".note")).to_have_text(
        "diary.jpg was left out: it is not a photo that can be read."
    )
    await expect(page.locator(".photo-set img")).to_have_count(2)


async def test_a_photo_above_the_limit_is_scaled_down_and_the_page_says_so(page: Page, site: Site) -> None:
    buffer = io.BytesIO()
    Image.effect_noise((1_500, 1_000), 90).save(buffer, "PNG")
    assert len(buffer.getvalue()) > 1_000_000
    await page.get_by_label("Choose a photo").set_input_files(file("large.png", buffer.getvalue()))
    await expect(page.locator(".note")).to_contain_text("large.png was too large and was sent at")
    assert 0 < len(site.service.searches[-1].image.content) <= 1_000_000


async def test_an_upload_shows_how_far_it_is_and_can_be_cancelled(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/?image_id={site.service.images[0].image_id}&limit=5")
    devtools = await page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 100_000}
    await devtools.send("Network.emulateNetworkConditions", slow)
    buffer = io.BytesIO()
    Image.effect_noise((900, 900), 90).save(buffer, "PNG")
    await page.get_by_label("Choose a photo").set_input_files(file("large.png", buffer.getvalue()))
    await expect(page.get_by_role("progressbar")).to_be_visible()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator("#results li[data-photo]")).to_have_count(5)
    await expect(page.locator(".query-image")).to_have_attribute("alt", "set/0.jpg")
    await expect(page.get_by_role("progressbar")).to_be_hidden()


async def test_a_dropped_photo_of_the_page_is_searched_with_and_a_foreign_address_is_answered(
    page: Page, site: Site
) -> None:
    drop = """(address) => {
      const data = new DataTransfer();
      data.setData("text/uri-list", address);
      const options = { dataTransfer: data, bubbles: true, cancelable: true };
      document.body.dispatchEvent(new DragEvent("drop", options));
    }"""
    image = site.service.images[3]
    await page.evaluate(drop, f"{site.url}/thumbnails/{image.image_id}")
    await expect(page).to_have_url(f"{site.url}/?image_id={image.image_id}")
    await expect(page.locator("#results li[data-photo]")).to_have_count(23)
    await page.evaluate(drop, "https://elsewhere.example/photo.jpg")
    await expect(page.get_by_role("alert")).to_contain_text("Save the picture, then drop the file here.")
    await expect(page.locator("#results li[data-photo]")).to_have_count(23)
