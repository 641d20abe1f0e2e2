"""Sharing in a real browser: links with an end and a password, and people of a project who may look, or change."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.ops.portal import Portal

from .conftest import Studio
from .people import Caller, sign_up
from .test_pages_for_everybody import usable
from .test_story import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def stranger(chromium: Browser, portal: Portal) -> Iterator[Page]:
    """Another browser, where nobody is signed in."""
    context = chromium.new_context(base_url=portal.url)
    yield context.new_page()
    context.close()


def new_link(page: Page, studio: Studio, good_for: str, password: str = "") -> str:
    page.goto(f"/jobs/{studio.jobs[0]}/")
    page.get_by_role("link", name="Share").click()
    page.get_by_label("It is good for").select_option(good_for)
    page.get_by_label("Password, if you want one").fill(password)
    page.get_by_role("button", name="Make a link").click()
    return page.get_by_label("Address").first.input_value()


def revoke(page: Page) -> None:
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Revoke").first.click()
    expect(page.get_by_text("The link is revoked.")).to_be_visible()


def test_whoever_has_the_link_sees_the_result_and_nothing_else(page: Page, stranger: Page, studio: Studio) -> None:
    studio.enter(page.context)
    address = new_link(page, studio, "A week")
    expect(page.locator(".link-row").first).to_contain_text("until")
    expect(page.locator(".link-row").first).to_contain_text("no password")

    stranger.goto(address)
    wait_until(stranger, "document.querySelector('[data-result]').readyState >= 2", 20)
    expect(stranger.get_by_text("this link is good until")).to_be_visible()
    usable(stranger)
    with stranger.expect_download() as waiting:
        stranger.get_by_role("link", name="MP4").click()
    assert waiting.value.path().stat().st_size > 10_000
    for closed in (f"/jobs/{studio.jobs[1]}/", f"/projects/{studio.project}/"):
        answer = stranger.goto(closed)
        assert answer and (answer.status == 404 or "/sign-in/" in stranger.url)
    assert stranger.request.get(f"/api/v1/jobs/{studio.jobs[0]}/").status == 401

    page.reload()
    expect(page.locator(".link-row").first).to_contain_text("opened 1 time,")
    revoke(page)
    answer = stranger.goto(address)
    assert answer and answer.status == 404


def test_a_link_with_a_password_opens_with_that_password_only(page: Page, stranger: Page, studio: Studio) -> None:
    studio.enter(page.context)
    address = new_link(page, studio, "No end", "seven rabbits")
    expect(page.locator(".link-row").first).to_contain_text("with a password")

    stranger.goto(address)
    expect(stranger.locator("video")).to_have_count(0)
    usable(stranger)
    for password, then in (("six rabbits", "This is not the password."), ("seven rabbits", "")):
        stranger.get_by_label("Password").fill(password)
        stranger.get_by_role("button", name="Open").click()
        if then:
            expect(stranger.get_by_role("alert")).to_have_text(then)
    expect(stranger.locator("video").first).to_be_visible()
    revoke(page)
    answer = stranger.reload()
    assert answer and answer.status == 404, "also closed to who had opened it"


def test_a_link_is_over_at_its_end(page: Page, stranger: Page, studio: Studio, portal: Portal) -> None:
    studio.enter(page.context)
    address = new_link(page, studio, "One day")
    stranger.goto(address)
    expect(stranger.get_by_text("this link is good until")).to_be_visible()
    with closing(sqlite3.connect(portal.data / "db.sqlite3", timeout=20)) as rows, rows:  # the day passes
        rows.execute("UPDATE interpolation_sharelink SET expires_at = datetime('now', '-1 second')")
    answer = stranger.reload()
    assert answer and answer.status == 404
    usable(stranger)
    page.reload()
    expect(page.locator(".link-row").first).to_contain_text("over since")
    usable(page)
    revoke(page)


def give(page: Page, name: str, role: str) -> None:
    page.get_by_label("Their user name").fill(name)
    page.get_by_label("Role", exact=True).select_option(role)
    page.get_by_role("button", name="Share").click()


def project_of(context: BrowserContext, page: Page) -> tuple[str, str]:
    """(address of a project with the sample clip, of the clip)"""
    sign_up(page, "director")
    caller = Caller(context)
    project = caller.post("projects", {"name": "Second unit"})["id"]
    return f"/projects/{project}/", caller.upload(project, sample="true")


def test_a_viewer_looks_an_editor_works_and_who_was_removed_sees_nothing(
    context: BrowserContext, page: Page, stranger: Page
) -> None:
    sign_up(stranger, "colleague")
    project, film = project_of(context, page)
    page.goto(project)
    page.get_by_role("link", name="People").click()
    give(page, "nobody-of-that-name", "viewer")
    expect(page.get_by_text('There is no user "nobody-of-that-name" here.')).to_be_visible()
    give(page, "colleague", "viewer")
    expect(page.get_by_text("colleague is viewer of this project.")).to_be_visible()

    stranger.goto("/projects/")
    stranger.get_by_role("link", name="Second unit").click()
    expect(stranger.get_by_role("heading", name="Sample clip")).to_be_visible()
    for missing in ("Drop a video or pictures here", "Delete this project", "New job"):
        expect(stranger.get_by_text(missing)).to_have_count(0)
    answer = stranger.goto(f"/sources/{film}/jobs/new/")
    assert answer and answer.status == 403
    expect(stranger.get_by_text("Ask its owner to make you an editor.")).to_be_visible()

    page.get_by_label("Role of colleague").select_option("editor")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_text("colleague is editor of this project.")).to_be_visible()
    stranger.goto(project)
    stranger.get_by_role("link", name="Sample clip").click()
    expect(stranger.get_by_role("button", name="Generate")).to_be_visible()
    stranger.goto(f"{project}people/")
    expect(stranger.get_by_label("Their user name")).to_have_count(0)

    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove colleague").click()
    expect(page.get_by_text("colleague does not see this project any more.")).to_be_visible()
    answer = stranger.goto(project)
    assert answer and answer.status == 404
    stranger.goto("/projects/")
    expect(stranger.get_by_text("Second unit")).to_have_count(0)
