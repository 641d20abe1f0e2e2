"""The account in a real browser: tokens, storage, time zone, theme, a mail when done, all data, and the way out."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import APIResponse, BrowserContext, Page, expect

from tests.ops.portal import wait_for

from .conftest import Studio
from .mailbox import Mailbox
from .people import PASSWORD, SAMPLE, Caller, sign_in, sign_up

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ADDRESS = "mary@example.org"


def new_token(page: Page, name: str, scope: str) -> str:
    page.locator("#token-name").fill(name)
    page.locator("#token-scope").select_option(scope)
    page.get_by_role("button", name="New token").click()
    return page.get_by_label("New token", exact=True).input_value()


def test_a_token_is_shown_once_works_as_far_as_its_scope_and_is_revoked(context: BrowserContext, page: Page) -> None:
    sign_up(page, "tokens")
    page.goto("/account/")
    read, write = new_token(page, "look only", "read"), new_token(page, "render farm", "write")
    page.goto("/account/")
    assert read not in page.content() and write not in page.content()
    context.clear_cookies()

    def make(token: str, name: str) -> APIResponse:
        headers = {"Authorization": f"Token {token}"}
        return context.request.post("/api/v1/projects/", data={"name": name}, headers=headers)

    refused = make(read, "Not made")
    assert refused.status == 403 and "may only read" in refused.json()["detail"]
    assert make(write, "Made by a script").status == 201

    sign_in(page, "tokens")
    expect(page.get_by_role("link", name="Made by a script")).to_be_visible()
    page.goto("/account/")
    row = page.get_by_role("row").filter(has_text="render farm")
    expect(row).not_to_contain_text("never")
    page.once("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("Scripts that use it are refused from now on.")).to_be_visible()
    expect(row).to_have_count(0)
    context.clear_cookies()
    assert make(write, "Too late").status == 401


def test_the_time_zone_moves_all_times_and_the_theme_is_kept(page: Page, studio: Studio) -> None:
    studio.enter(page.context)
    shown = {}
    for zone in ("Asia/Tokyo", "America/New_York", "UTC"):
        page.goto("/account/")
        page.get_by_label("Time zone").select_option(zone)
        page.get_by_role("button", name="Keep", exact=True).click()
        expect(page.get_by_text("Kept.")).to_be_visible()
        page.goto("/history/")
        shown[zone] = page.locator("time").first.get_attribute("datetime") or ""
    assert shown["Asia/Tokyo"].endswith("+09:00") and shown["UTC"].endswith("+00:00")
    assert shown["America/New_York"][-6:] in ("-05:00", "-04:00")
    assert len({words[:16] for words in shown.values()}) == 3

    page.goto("/account/")
    for theme, colour in (("Dark", "dark"), ("Light", "light"), ("System", "light")):
        page.get_by_text(theme, exact=True).click()
        page.get_by_role("button", name="Keep", exact=True).click()
        expect(page.locator("html")).to_have_attribute("data-bs-theme", colour)
        expect(page.get_by_role("radio", name=theme)).to_be_checked()


def test_a_mail_comes_when_a_job_is_done(page: Page, mailbox: Mailbox) -> None:
    sign_up(page, "mary")
    page.goto("/account/")
    page.get_by_label("Write to me when").check()
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator("#email-error, .invalid-feedback, .errors").first).to_be_visible()  # no address to write to
    page.locator("[name=email]").fill(ADDRESS)
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_text("Kept.")).to_be_visible()
    caller = Caller(page.context)
    project = caller.post("projects", {"name": "Mail"})["id"]
    pair = caller.upload(project, frame1=SAMPLE / "frame_a.png", frame2=SAMPLE / "frame_b.png")
    job = caller.job(pair, inbetween=1, resolution=[160, 90])
    assert wait_for(lambda: mailbox.to(ADDRESS), 60)  # the worker sends it once the job is put away
    (mail,) = mailbox.to(ADDRESS)
    assert "frame_a.png" in mail["Subject"]
    assert f"/jobs/{job}/" in mail.get_content()


def test_storage_is_shown_all_data_is_given_and_the_account_goes_with_everything(page: Page) -> None:
    sign_up(page, "leaver")
    caller = Caller(page.context)
    project = caller.post("projects", {"name": "To be gone"})["id"]
    caller.upload(project, sample="true")
    page.goto("/account/")
    uploads = page.locator("#storage ~ dl div").filter(has_text="Uploads").first
    expect(uploads).to_contain_text(re.compile(r"[1-9][\d.]*\s[KM]B"))
    assert float(page.get_by_label("Storage used").get_attribute("value") or 0) > 100_000

    with page.expect_download() as waiting:
        page.get_by_role("link", name="Export my data").click()
    told = json.dumps(json.loads(waiting.value.path().read_text()))
    for word in ("leaver", "To be gone", "Sample clip"):
        assert word in told

    page.get_by_text("Delete my account", exact=True).click()
    for password, then in (("not-mine", "#password-error, .errors"), (PASSWORD, "")):
        page.get_by_label("Your password").fill(password)
        page.get_by_role("button", name="Delete my account and everything in it").click()
        if then:
            expect(page.locator("#leave ~ details .errors")).to_be_visible()
    expect(page.get_by_text("Your account and everything in it is deleted.")).to_be_visible()
    sign_in(page, "leaver")
    expect(page).to_have_url(re.compile("/sign-in/"))
