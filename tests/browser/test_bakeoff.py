"""A bake-off in a real browser: two models draw, keys judge, the names come last; and everybody can use its pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.conftest import write_clip

from .people import Caller, sign_up
from .test_before_a_job import SHIFTS
from .test_keyboard_alone import choose, tab_to
from .test_pages_for_everybody import findings
from .test_story import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
JOB_MS = 240_000


def test_two_models_are_judged_blind_by_keys_alone_and_named_at_the_end(
    context: BrowserContext, page: Page, tmp_path: Path
) -> None:
    sign_up(page, "baker")
    caller = Caller(context)
    clip = write_clip(tmp_path / "kitchen.mp4", frames=30, fps=10, size=(160, 90))
    caller.upload(caller.post("projects", {"name": "Kitchen"})["id"], video=clip)
    page.goto("/models/bake-off/")
    for label, name in (("One model", "blend"), ("The other", "trained_model")):
        tab_to(page, label)
        page.keyboard.type(name)  # a list takes what is typed
        expect(page.get_by_label(label)).to_have_value(name)
    choose(page, "Draw both")
    page.wait_for_url(re.compile("/models/bake-off/[0-9a-f-]+/$"))
    assert findings(page) == []
    films = page.locator("[data-pane] video")
    expect(films).to_have_count(2, timeout=JOB_MS)
    wait_until(page, "[...document.querySelectorAll('[data-pane] video')].every((film) => film.readyState >= 2)", 30)
    shown = page.locator("main").inner_text()
    assert "trained_model" not in shown and "blend" not in shown
    assert findings(page) == []

    page.locator("main").focus()
    page.keyboard.press(".")
    wait_until(page, "location.hash.includes('f=1')")
    for number, key in ((1, "1"), (2, "0"), (3, "2")):
        expect(page.get_by_text(f"Round {number}: which one looks better?")).to_be_visible()
        page.locator("main").focus()
        page.keyboard.press(key)
    expect(page.get_by_text("Round 4")).to_be_visible()
    choose(page, ".*show which is which")
    tally = page.locator(".bigs")
    expect(tally).to_contain_text("A: blend")
    expect(tally).to_contain_text("B: trained_model")
    votes = [int(words.split()[0]) for words in tally.locator("dd").all_inner_texts()]
    assert votes[2] == 1 and sum(votes) == 3
    assert findings(page) == []
    for width in (390, 1024, 1440):
        assert shifts(page, width) == 0


def shifts(page: Page, width: int) -> float:
    """How far what is seen jumps while the page is loaded anew (cumulative layout shift)."""
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("/models/")
    page.go_back()
    wait_until(page, "[...document.querySelectorAll('[data-pane] video')].every((film) => film.readyState >= 2)")
    page.evaluate(SHIFTS)
    page.wait_for_timeout(500)
    return float(page.evaluate("window.shifted"))
