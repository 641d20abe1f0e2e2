"""The theme: the switch in the header and the account say the same, here and elsewhere, before signing in and after."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.ops.portal import Portal

from .people import PASSWORD, sign_in, sign_up

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def shows(page: Page, theme: str, choice: str) -> None:
    """What is painted, what the switch says."""
    root = page.locator("html")
    expect(root).to_have_attribute("data-bs-theme", theme)
    expect(root).to_have_attribute("data-theme-choice", choice)
    words = {"system": "as the system"}.get(choice, choice)
    expect(page.get_by_role("button", name=re.compile("^Theme: "))).to_have_accessible_name(f"Theme: {words}. Change")


def press_switch(page: Page, times: int = 1) -> None:
    for _ in range(times):
        with page.expect_response("**/account/theme/") as answer:
            page.get_by_role("button", name=re.compile("^Theme: ")).click()
        assert answer.value.status == 204


def test_switch_and_account_agree_on_every_page_and_in_every_browser(
    chromium: Browser, portal: Portal, context: BrowserContext, page: Page
) -> None:
    page.goto("/help/")
    shows(page, "light", "system")
    page.get_by_role("button", name=re.compile("^Theme: ")).click()  # of a stranger: this browser remembers
    page.get_by_role("button", name=re.compile("^Theme: ")).click()
    shows(page, "dark", "dark")
    sign_up(page, "themed")
    shows(page, "dark", "dark")  # who has chosen nothing keeps what the browser had
    page.goto("/account/")
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()

    press_switch(page, 2)  # the system's, light
    shows(page, "light", "light")
    expect(page.get_by_role("radio", name="Light")).to_be_checked()
    elsewhere = chromium.new_context(base_url=portal.url, color_scheme="dark")
    other = elsewhere.new_page()
    sign_in(other, "themed", PASSWORD)
    shows(other, "light", "light")

    other.goto("/account/")
    other.get_by_text("Dark", exact=True).click()
    other.get_by_role("button", name="Keep").click()
    expect(other.get_by_text("Kept.")).to_be_visible()
    shows(other, "dark", "dark")
    page.reload()  # the session here still has what was chosen here last
    sign_out(page)
    shows(page, "light", "light")
    sign_in(page, "themed", PASSWORD)
    shows(page, "dark", "dark")
    sign_out(page)
    shows(page, "dark", "dark")
    elsewhere.close()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_load_state()
