"""Pages that one sees when something went another way, and those of administrators: usable by everybody too."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.ops.portal import Portal

from .conftest import Studio
from .people import SAMPLE, Caller, sign_up
from .test_pages_for_everybody import findings, in_both_themes, usable
from .test_training import sign_in_as_admin

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def row(portal: Portal, words: str, *values: str) -> str:
    """What an SQL statement tells, if anything: for what no page and no API can bring about."""
    with closing(sqlite3.connect(portal.data / "db.sqlite3", timeout=20)) as rows, rows:
        found = rows.execute(words, values).fetchone()
    return str(found[0]) if found else ""


def test_a_failed_and_a_cancelled_job_can_be_used_by_everybody(
    context: BrowserContext, page: Page, portal: Portal
) -> None:
    sign_up(page, "unlucky")
    caller = Caller(context)
    project = caller.post("projects", {"name": "Unlucky"})["id"]
    film = caller.upload(project, sample="true")
    pair = caller.upload(project, frame1=SAMPLE / "frame_a.png", frame2=SAMPLE / "frame_b.png")
    lost = row(portal, "SELECT file FROM interpolation_source WHERE id = ?", pair.replace("-", ""))
    (Path(portal.data) / "media" / lost).unlink()  # its disk lost it
    stopped, failed = caller.start(film, inbetween=10), caller.start(pair, inbetween=1)
    caller.post(f"jobs/{stopped}/cancel", {})
    for job, state in ((stopped, "cancelled"), (failed, "failed")):
        page.goto(f"/jobs/{job}/")
        expect(page.locator(f".status.{state}").first).to_be_visible(timeout=60_000)
        page.reload()
        usable(page)
    page.goto("/history/?status=failed")
    usable(page)


@contextmanager
def broken(portal: Portal, job: str) -> Iterator[None]:
    """While its row holds what the portal never writes."""
    name = job.replace("-", "")
    kept = row(portal, "SELECT options FROM interpolation_job WHERE id = ?", name)
    row(portal, "UPDATE interpolation_job SET options = '7' WHERE id = ?", name)
    yield
    row(portal, "UPDATE interpolation_job SET options = ? WHERE id = ?", kept, name)


def test_pages_that_refuse_can_be_used_by_everybody(
    context: BrowserContext, chromium: Browser, portal: Portal, studio: Studio
) -> None:
    page = context.new_page()  # a broken page is meant to complain
    studio.enter(context)
    for path, status in (("/training/new/", 403), ("/nowhere/", 404), ("/s/a-link-that-never-was/", 404)):
        answer = page.goto(path)
        assert answer and answer.status == status
        usable(page)
    with broken(portal, studio.jobs[0]):
        answer = page.goto(f"/jobs/{studio.jobs[0]}/")
        assert answer and answer.status == 500
        usable(page)


def test_the_way_in_can_be_used_by_everybody(page: Page) -> None:
    for path in ("/", "/sign-in/", "/sign-up/", "/help/"):
        page.goto(path)
        usable(page)
    page.goto("/sign-in/")
    page.get_by_label("User name").fill("nobody")
    page.get_by_label("Password", exact=True).fill("not a password")
    page.get_by_role("button", name="Sign in").click()
    usable(page)  # with what was wrong


ADMIN = (
    "/admin/",
    "/admin/status/",
    "/admin/interpolation/job/?status__exact=succeeded",
    "/admin/interpolation/project/{project}/delete/",
    "/admin/interpolation/project/{project}/history/",
    "/admin/interpolation/job/{job}/change/",
    "/admin/auth/user/1/password/",
    "/admin/auth/user/add/",
    "/admin/auth/group/add/",
    "/admin/password_change/",
)


def addresses(page: Page, links: str) -> list[str]:
    return [one.get_attribute("href") or "" for one in page.locator(links).all()]


def administration(page: Page, studio: Studio) -> list[str]:
    """Addresses: its own pages, every list, and one row of each that has any."""
    page.goto("/admin/")
    lists, rows = addresses(page, "#content-main th a"), []
    for one in lists:
        page.goto(one)
        rows += addresses(page, "#result_list tbody th a")[:1]
    assert len(lists) > 10 and len(rows) > 5
    return [*(one.format(project=studio.project, job=studio.jobs[0]) for one in ADMIN), *lists, *rows]


def test_the_administration_can_be_used_by_everybody(page: Page, portal: Portal, studio: Studio) -> None:
    page.goto("/admin/login/")
    found = {"sign-in": findings(page)}
    sign_in_as_admin(page, portal)
    for address in administration(page, studio):
        answer = page.goto(address)
        assert answer and answer.ok, address
        found |= {f"{address}, {theme}": words for theme, words in in_both_themes(page, settle_ms=200).items()}
    assert {name: words for name, words in found.items() if words} == {}
