"""Searching with words, in a real browser."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.browser.conftest import IN_BROWSER, Site

pytestmark = IN_BROWSER


async def test_words_are_typed_and_found_without_a_reload(page: Page, site: Site) -> None:
    site.service.text = True
    await page.goto(site.url)
    await page.evaluate("window.stayed = true")
    words = page.get_by_role("searchbox", name="Search with words")
    await words.fill("a red bicycle")
    await words.press("Enter")
    await expect(page).to_have_url(f"{site.url}/?text=a+red+bicycle")
    await expect(page.get_by_role("heading", name="Results")).to_be_visible()
    assert await page.evaluate("window.stayed")
    await expect(words).to_have_value("a red bicycle")
    await words.fill("a blue one")
    await words.press("Enter")
    await expect(page).to_have_url(f"{site.url}/?text=a+blue+one")
    await page.go_back()
    await expect(words).to_have_value("a red bicycle")
    assert [search.text for search in site.service.searches] == ["a red bicycle", "a blue one"]


async def test_words_and_an_uploaded_photo_go_together(page: Page, site: Site) -> None:
    site.service.text = True
    await page.goto(site.url)
    await page.get_by_label("Choose a photo").set_input_files(site.photo)
    words = page.get_by_role("searchbox", name="Search with words")
    await words.fill("at night")
    await words.press("Enter")
    await expect(page.locator(".gallery li").first).to_be_visible()
    await expect(page.locator("main")).not_to_have_attribute("aria-busy", re.compile(""))
    assert site.service.searches[-1].text == "at night"
    assert site.service.searches[-1].WhichOneof("query") == "image"


async def test_a_new_photo_takes_the_place_of_the_words(page: Page, site: Site) -> None:
    site.service.text = True
    await page.goto(f"{site.url}/?text=red")
    await page.get_by_label("Choose a photo").first.set_input_files(site.photo)
    await expect(page.locator(".query-image")).to_be_visible()
    await expect(page).not_to_have_url(re.compile("text="))
    assert site.service.searches[-1].text == ""


async def test_without_words_in_the_model_there_is_no_field(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/?image_id={site.service.images[0].image_id}")
    await expect(page.get_by_role("heading", name="Results")).to_be_visible()
    await expect(page.get_by_role("searchbox")).to_have_count(0)
