"""Somebody new, in a real browser: empty lists say what will be there; a dropped film is there at once; tips open."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .people import sign_up
from .test_pages_for_everybody import usable
from .test_story import make_project

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EMPTY = ("/projects/", "/history/", "/queue/", "/deleted/", "/metrics/", "/training/", "/models/bake-off/")
DROP = """async (bytes) => {
  const event = new Event("drop", { bubbles: true, cancelable: true });
  const file = new File([new Uint8Array(bytes)], "dropped.mp4", { type: "video/mp4" });
  Object.defineProperty(event, "dataTransfer", { value: { types: ["Files"], items: [], files: [file] } });
  document.dispatchEvent(event);
}"""


def test_every_empty_list_says_what_it_is_for(page: Page) -> None:
    sign_up(page, "newcomer")
    for path in EMPTY:
        page.goto(path)
        empty = page.locator(".empty")
        expect(empty).to_be_visible(timeout=120_000)  # the queue shows somebody else's job while one runs
        expect(empty.get_by_role("heading")).to_be_visible()
        expect(empty.locator("svg").first).to_be_visible()
        usable(page)


def test_a_film_that_is_dropped_shows_its_picture_at_once(page: Page, footage: Path) -> None:
    sign_up(page, "dropper")
    make_project(page, "Dropped")
    page.evaluate(DROP, list((footage / "rabbit.mp4").read_bytes()))
    expect(page.get_by_role("heading", name="dropped.mp4")).to_be_visible()  # one film leads on to its settings
    picture = page.get_by_role("img", name="A frame of the source")
    expect(picture).to_be_visible()
    assert picture.evaluate("async (one) => { await one.decode(); return one.naturalWidth; }") >= 320
    page.go_back()
    tile = page.locator(".tile img").first
    expect(tile).to_be_visible()
    assert tile.evaluate("async (one) => { await one.decode(); return one.naturalWidth; }") >= 320


def test_tips_open_by_keyboard(page: Page, footage: Path) -> None:
    sign_up(page, "asker")
    make_project(page, "Tips")
    page.locator("input[type=file]").set_input_files([str(footage / "rabbit.mp4")])
    expect(page.get_by_role("heading", name="rabbit.mp4")).to_be_visible()
    page.locator(".more > summary", has_text="file details").focus()
    page.keyboard.press("Enter")
    for ask, words in (
        ("What is CRF?", "constant rate factor"),
        ("What does held-out mean?", "the only honest figure"),
    ):
        tip = page.locator(".tip").filter(has=page.get_by_label(ask))
        expect(tip.get_by_text(words)).to_be_hidden()
        tip.locator("summary").focus()
        page.keyboard.press("Enter")
        expect(tip.get_by_text(words)).to_be_visible()
