"""A storage that is full: an upload is refused in words, what is there stays, and it goes on where there is room."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.ops.portal import Portal

from .people import sign_up
from .test_resumable import MB, grown
from .test_story import make_project, upload

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def allow(portal: Portal, name: str, megabytes: int) -> None:
    """As an administrator does on the page of the user."""
    with closing(sqlite3.connect(portal.data / "db.sqlite3", timeout=20)) as rows, rows:
        (user,) = rows.execute("SELECT id FROM auth_user WHERE username = ?", [name]).fetchone()
        rows.execute("DELETE FROM interpolation_userlimits WHERE user_id = ?", [user])
        rows.execute(
            "INSERT INTO interpolation_userlimits (user_id, storage_mb, note) VALUES (?, ?, '')", [user, megabytes]
        )


def test_full_storage_is_said_before_anything_is_sent_and_nothing_is_lost(
    page: Page, portal: Portal, footage: Path, tmp_path: Path
) -> None:
    sign_up(page, "hoarder")
    make_project(page, "Attic")
    allow(portal, "hoarder", 8)
    address = page.url
    upload(page, footage / "rabbit.mp4")
    expect(page.get_by_role("heading", name="rabbit.mp4")).to_be_visible()

    film = grown(tmp_path / "cellar.mp4", footage / "rabbit.mp4", 9 * MB)
    page.goto(address)
    sent: list[str] = []
    page.on("request", lambda request: request.method == "PATCH" and sent.append(request.url))
    upload(page, film)
    expect(page.get_by_role("alert")).to_contain_text("storage")
    expect(page.get_by_role("alert")).to_contain_text("ask the administrator for more")
    assert sent == []
    page.reload()
    expect(page.get_by_role("link", name="rabbit.mp4")).to_be_visible()
    expect(page.get_by_text("cellar.mp4")).to_have_count(0)

    allow(portal, "hoarder", 40)
    upload(page, film)
    expect(page.get_by_role("heading", name="cellar.mp4")).to_be_visible(timeout=60_000)
