"""Which of many files are in the collection already, told on the page."""

from __future__ import annotations

from pathlib import Path

import grpc
from playwright.async_api import FilePayload, Page, expect

from tests.browser.conftest import IN_BROWSER, Site, picture
from tests.gateway.fake_service import Failure

pytestmark = IN_BROWSER


def files(count: int) -> list[FilePayload]:
    return [
        {"name": f"{number}.png", "mimeType": "image/png", "buffer": picture(number, "PNG")}
        for number in range(count)
    ]


async def test_of_many_files_it_is_told_which_are_there_already(page: Page, site: Site) -> None:
    site.service.unreadable = b"Dear diary"
    site.service.likeness = ["identical"]
    diary: FilePayload = {"name": "diary.jpg", "mimeType": "image/jpeg", "buffer": b"Dear diary"}
    await page.get_by_label("Choose a photo").set_input_files([*files(8), diary])
    await expect(page.locator("#looked-up")).to_have_text("9 of 9 looked up")
    held, refused = page.locator("[data-group=held]"), page.locator("[data-group=refused]")
    await expect(held.get_by_role("heading")).to_have_text("In the collection already 8")
    await expect(held.locator(".name")).to_have_text([f"{number}.png" for number in range(8)])
    await expect(refused).to_contain_text("Not a photo of a known type")
    await page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    await refused.get_by_role("button", name="Copy their names").click()
    assert await page.evaluate("window.copied") == "diary.jpg"
    await held.locator(".look").first.click()
    await expect(page.get_by_role("dialog")).to_contain_text("set/")
    await page.get_by_role("button", name="Compare with the query").click()
    await expect(page.get_by_role("dialog").locator(".over img")).to_be_visible()


async def test_where_nobody_answers_the_rest_is_looked_up_later_and_going_back_shows_it_all(
    page: Page, site: Site
) -> None:
    site.service.likeness = ["weak"]
    site.service.failure = Failure(grpc.StatusCode.UNAVAILABLE)
    await page.get_by_label("Choose a photo").set_input_files(files(9))
    await expect(page.get_by_role("alert")).to_contain_text("It stopped here")
    site.service.failure = None
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator("[data-group=unknown] .name")).to_have_count(9)
    await expect(page.get_by_role("alert")).to_be_hidden()
    await page.get_by_role("link", name="Simple Image Search Engine").click()
    await expect(page.locator(".samples img")).to_have_count(8)
    await page.go_back()
    await expect(page.locator("[data-group=unknown] .name")).to_have_count(9)


async def test_photos_searched_with_together_can_be_looked_up_each(page: Page, site: Site) -> None:
    await page.get_by_label("Choose a photo").set_input_files(files(2))
    await page.get_by_role("button", name="Which of these do I have?").click()
    await expect(page.locator("#looked-up")).to_have_text("2 of 2 looked up")
    assert [search.limit for search in site.service.searches] == [30, 1, 1]


async def test_a_dropped_folder_stands_for_the_files_in_it_and_below(
    page: Page, site: Site, tmp_path: Path
) -> None:
    for number in range(9):
        folder = tmp_path / "trip" / ("below" if number % 2 else "")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").write_bytes(picture(number, "PNG"))
    (tmp_path / "trip" / ".hidden").touch()
    devtools = await page.context.new_cdp_session(page)
    dropped = {"items": [], "files": [str(tmp_path / "trip")], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        await devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 200, "y": 200, "data": dropped})
    await expect(page.locator("#looked-up")).to_have_text("9 of 9 looked up")
