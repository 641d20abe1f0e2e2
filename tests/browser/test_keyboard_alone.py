"""With keys alone: from signing in to a result, through its frames, to deleting it and taking that back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .people import PASSWORD, sign_up
from .test_story import wait_until, watch_until_done

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LOOK_MS = 60_000  # a film is looked into, on a busy machine
MOST = 120  # presses of Tab to anything on a page
WORDS = """(() => { const at = document.activeElement, label = at.labels?.[0];
    return (at.getAttribute('aria-label') || label?.innerText || at.innerText || at.value || '').trim(); })()"""


def tab_to(page: Page, words: str) -> None:
    """To what is called so, which has to be reached, seen, and marked as what has the focus."""
    for _ in range(MOST):
        page.keyboard.press("Tab")
        if re.fullmatch(words, page.evaluate(WORDS)):
            break
    else:
        raise AssertionError(f"Tab does not lead to {words!r} on {page.url}")
    box = "document.activeElement.getBoundingClientRect()"
    wait_until(page, f"{box}.width > 0 && {box}.bottom > 0 && {box}.top < innerHeight")
    style = "getComputedStyle(document.activeElement)"
    ring = f"{style}.outlineStyle !== 'none' || {style}.boxShadow !== 'none'"
    assert page.evaluate(ring), f"Nothing shows that {words!r} has the focus."


def choose(page: Page, words: str) -> None:
    tab_to(page, words)
    page.keyboard.press("Enter")


def follow(page: Page, words: str) -> None:
    """To the page that it leads to."""
    with page.expect_navigation():
        choose(page, words)


def test_log_in_make_a_film_walk_its_frames_delete_it_and_take_that_back(context: BrowserContext, page: Page) -> None:
    sign_up(page, "keys-alone")  # what follows is done without a pointer
    context.clear_cookies()
    page.goto("/")
    choose(page, "Sign in")
    page.wait_for_url(re.compile("/sign-in/"))
    for label, text in (("User name", "keys-alone"), ("Password", PASSWORD)):
        tab_to(page, label)
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/projects/$"))

    tab_to(page, "Name of the new project")
    page.keyboard.type("Keys")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/projects/[0-9a-f-]+/"))
    choose(page, "Use the sample clip")
    page.wait_for_url(re.compile("/jobs/new/"), timeout=LOOK_MS)

    tab_to(page, "Size of the result")
    page.keyboard.type("Other")  # a list takes what is typed
    if page.evaluate("document.activeElement.value") != "custom":
        page.keyboard.press("End")
    expect(page.locator("#resolution")).to_have_value("custom")
    tab_to(page, "Width × height")
    page.keyboard.type("160x90")
    choose(page, "Generate")
    page.wait_for_url(re.compile("/jobs/[0-9a-f-]+/$"))
    watch_until_done(page)

    lead = "document.querySelector('[data-result]')"
    wait_until(page, f"{lead}.readyState >= 2 && !{lead}.seeking")
    choose(page, "One frame on")
    expect(page.locator("[data-frame]")).to_have_text("2 / 120")
    for key in (".", ".", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.locator("[data-frame]")).to_have_text("3 / 120")
    choose(page, "Onion skin")
    wait_until(page, "location.hash.includes('view=onion')")

    page.keyboard.press("Home")
    choose(page, "Log")
    expect(page.locator("#job-log")).to_contain_text("done; the finished file was checked")
    choose(page, "The same from a script")
    tab_to(page, "curl")
    assert '"resolution": [160, 90]' in page.evaluate("document.activeElement.value")

    page.goto("/history/")
    page.keyboard.press("j")
    page.keyboard.press("x")
    tab_to(page, "Delete")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 job is deleted.")).to_be_visible()
    choose(page, "Undo")
    expect(page.locator(".job-row")).to_have_count(1)
