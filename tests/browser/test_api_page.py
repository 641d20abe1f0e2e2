"""The page of the API in a real browser: everybody can read it and try its calls, by keyboard too."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .conftest import Studio
from .test_pages_for_everybody import findings, usable

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CALLS = ("jobs_list", "jobs_create", "sources_create", "projects_partial_update", "trials_cancel_create")


def call(page: Page, name: str) -> str:
    """Where a call of the API is on the page."""
    place = page.locator(f"[id$=-{name}]").first
    expect(place).to_be_visible()
    return f"#{place.get_attribute('id')}"


def opened(page: Page, name: str) -> str:
    place = call(page, name)
    page.locator(f"{place} .opblock-summary-control").focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"{place} .opblock-body")).to_be_visible()
    return place


def test_the_page_of_the_api_opens_without_a_complaint(page: Page) -> None:
    page.goto("/api/docs/")
    expect(page.get_by_role("heading", name=re.compile("Inbetween API"), level=1)).to_be_visible()
    place = opened(page, "trials_cancel_create")
    expect(page.locator(place)).to_contain_text("Stop drawing.")
    assert "trials_cancel_create" in page.url  # a call can be linked to


def test_the_page_of_the_api_can_be_used_by_everybody(page: Page, studio: Studio) -> None:
    studio.enter(page.context)
    page.goto("/api/docs/")
    expect(page.locator(".opblock").first).to_be_visible()
    usable(page)
    for name in CALLS:
        page.locator(f"{opened(page, name)} .try-out__btn").click()
    page.locator(".json-schema-2020-12-expand-deep-button").first.click()
    usable(page)


def test_a_call_is_tried_by_keyboard(page: Page, studio: Studio) -> None:
    studio.enter(page.context)
    page.goto("/api/docs/")
    place = page.locator(opened(page, "jobs_list"))
    for button in ("Try it out", "Execute"):
        place.get_by_role("button", name=button).focus()
        page.keyboard.press("Enter")
    answer = place.locator(".live-responses-table")
    expect(answer).to_contain_text("200")
    expect(answer).to_contain_text(studio.jobs[0])
    assert findings(page) == []
