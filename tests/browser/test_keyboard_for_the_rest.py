"""With keys alone, beside the main path: links, people, tokens and the account."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .conftest import Studio
from .people import sign_up
from .test_keyboard_alone import choose, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def answer_yes(page: Page) -> None:
    """To "are you sure?", which the browser asks and takes Enter for."""
    page.once("dialog", lambda dialog: dialog.accept())


def test_a_link_is_made_and_revoked_and_somebody_is_let_in_and_out(page: Page, studio: Studio) -> None:
    page.goto("/")
    sign_up(page, "keys-guest")
    page.context.clear_cookies()
    studio.enter(page.context)
    page.goto(f"/jobs/{studio.jobs[0]}/")
    choose(page, "Share")
    page.wait_for_url(re.compile("/links/"))
    tab_to(page, "It is good for")
    page.keyboard.press("ArrowUp")
    choose(page, "Make a link")
    expect(page.locator(".link-row")).to_have_count(1)
    answer_yes(page)
    choose(page, "Revoke")
    expect(page.get_by_text("The link is revoked.")).to_be_visible()

    page.goto(f"/projects/{studio.project}/")
    choose(page, "People")
    page.wait_for_url(re.compile("/people/"))
    tab_to(page, "Their user name")
    page.keyboard.type("keys-guest")
    choose(page, "Share")
    expect(page.get_by_text("keys-guest is viewer of this project.")).to_be_visible()
    answer_yes(page)
    choose(page, r"Remove\s*keys-guest")
    expect(page.get_by_text("keys-guest does not see this project any more.")).to_be_visible()


def test_the_account_is_kept_as_wanted_with_tokens_and_can_be_left(page: Page) -> None:
    sign_up(page, "keys-account")
    page.goto("/account/")
    tab_to(page, "Time zone")
    page.keyboard.type("Asia/Tokyo")
    tab_to(page, "System")
    for _ in range(2):  # arrows go round, whatever the order
        if page.get_by_role("radio", name="Dark").is_checked():
            break
        page.keyboard.press("ArrowRight")
    choose(page, "Keep")
    expect(page.get_by_text("Kept.")).to_be_visible()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")

    tab_to(page, "Name")
    page.keyboard.type("by keys")
    choose(page, "New token")
    expect(page.get_by_label("New token", exact=True)).to_be_visible()
    answer_yes(page)
    choose(page, r"Revoke\s+by keys")
    expect(page.get_by_text("by keys")).to_have_count(0)

    choose(page, "Delete my account")
    tab_to(page, "Your password")
    page.keyboard.type("not this one")
    choose(page, "Delete my account and everything in it")
    expect(page.locator("#leave ~ details .errors")).to_be_visible()
