"""Finished parts play in the page while the rest is drawn, in a real browser and a real portal."""

from __future__ import annotations

import re
from pathlib import Path

import av
import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_pages_for_everybody import usable
from tests.browser.test_story import make_project, sign_up, upload, wait_until
from tests.engine.clips import film, pictures

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOG = "document.getElementById('job-log')"
SHORT_LOG = """() => { const sheet = new CSSStyleSheet(); sheet.replaceSync(".log { max-height: 5rem !important; }");
    document.adoptedStyleSheets = [sheet]; }"""
SHOWN = "document.querySelector('[data-parts] video.front')"


@pytest.fixture(scope="module")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """36 seconds of 320x180 at 10 fps: in slow motion with 2 new frames, 26 parts of about 4 seconds."""
    path = tmp_path_factory.mktemp("film") / "long.mp4"
    return film(path, pictures(24, 320, 180) * 15, rate=10, options={"g": "10", "crf": "30"})


def start(page: Page, name: str, footage: Path, between: str) -> None:
    sign_up(page, name)
    make_project(page, "Parts")
    upload(page, footage)
    expect(page.get_by_role("heading", name=footage.name)).to_be_visible()
    page.get_by_text("Slow motion", exact=True).click()
    page.get_by_label("In-between frames in every gap", exact=True).fill(between)
    page.get_by_role("button", name="Generate").click()
    page.wait_for_url(re.compile("/jobs/"))


def ready(page: Page) -> float:
    return float(page.evaluate("Number(document.querySelector('[data-part-seek]').max)"))


def position(page: Page) -> float:
    return float(page.evaluate("Number(document.querySelector('[data-part-seek]').value)"))


def test_parts_are_watched_by_keyboard_while_more_are_added_and_the_page_is_not_loaded_anew(
    page: Page, long_film: Path
) -> None:
    start(page, "hedy", long_film, "2")
    page.evaluate("window.sameVisit = true")
    expect(page.locator("[data-part-words]")).to_contain_text(
        re.compile(r"The first [\d.]+ s are ready"), timeout=60_000
    )
    wait_until(page, f"{SHOWN}.readyState >= 2", 20)
    assert page.evaluate(f"[{SHOWN}.videoWidth, {SHOWN}.videoHeight]") == [320, 180]

    page.locator("main").focus()
    page.keyboard.press("Space")
    wait_until(page, "Number(document.querySelector('[data-part-seek]').value) > 0.5", 20)
    first = ready(page)
    wait_until(page, f"Number(document.querySelector('[data-part-seek]').max) > {first}", 90)
    page.keyboard.press("End")  # near the end of what is ready: it goes on with what comes next
    page.keyboard.press("ArrowLeft")
    before, edge = position(page), ready(page)
    wait_until(page, f"Number(document.querySelector('[data-part-seek]').value) > {max(before, edge) + 0.3}", 90)
    assert page.evaluate("window.sameVisit") is True

    page.keyboard.press("Space")
    wait_until(page, f"{SHOWN}.paused")
    page.keyboard.press("Home")
    assert position(page) == pytest.approx(0, abs=0.05)
    page.get_by_label("Position").fill("5.5")
    assert page.evaluate(f"{SHOWN}.dataset.place") == "1"
    assert page.evaluate(f"{SHOWN}.currentTime") == pytest.approx(5.5 - 4.2, abs=0.05)  # 14 source frames to a part
    assert position(page) == pytest.approx(5.5, abs=0.05)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled", exact=True)).to_be_visible(timeout=30_000)


def test_the_page_of_a_job_under_way_can_be_used_by_everybody_and_its_log_stays_where_it_is_read(
    page: Page, long_film: Path
) -> None:
    start(page, "perlman", long_film, "2")
    expect(page.locator("[data-part-words]")).to_contain_text("are ready", timeout=60_000)
    expect(page.locator("#job-status .steps .now")).to_have_text("Drawing new frames")
    expect(page.locator("#job-status")).to_contain_text(re.compile(r"about .+ left"))
    page.evaluate(SHORT_LOG)
    page.locator("[data-log] summary").focus()
    page.keyboard.press("Enter")
    lines = page.locator("#job-log li")
    expect(lines.nth(6)).to_be_attached(timeout=60_000)
    usable(page)
    count = lines.count()
    expect(lines.nth(count)).to_be_attached(timeout=60_000)
    assert page.evaluate(f"{LOG}.scrollHeight - {LOG}.clientHeight - {LOG}.scrollTop") <= 4
    page.evaluate(f"{LOG}.scrollTop = 10")
    count = lines.count()
    expect(lines.nth(count)).to_be_attached(timeout=60_000)
    assert page.evaluate(f"{LOG}.scrollTop") == 10
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    usable(page)


def test_the_end_of_the_job_does_not_interrupt_who_watches(page: Page, tmp_path: Path) -> None:
    clip = film(tmp_path / "short.mp4", pictures(24, 160, 90) * 3, rate=10, options={"g": "10"})
    start(page, "lamarr", clip, "2")
    expect(page.locator("[data-part-words]")).to_contain_text("are ready", timeout=60_000)
    page.evaluate("window.sameVisit = true")
    page.locator("[data-part-play]").click()
    expect(page.get_by_role("link", name="Show the result")).to_be_visible(timeout=90_000)
    assert page.evaluate("window.sameVisit") is True
    expect(page.locator("[data-part-words]")).to_contain_text("All 21 s can be watched here.")
    page.get_by_role("link", name="Show the result").click()
    expect(page.locator("[data-result]")).to_be_visible()

    page.get_by_label("From", exact=True).fill("5")
    page.get_by_label("To", exact=True).fill("6")
    page.get_by_label("Where the shot changes").select_option("crossfade")
    page.get_by_role("button", name="Draw this part anew").click()
    expect(page.get_by_text(re.compile("Only 0:04.2 to 0:08.4 is drawn anew"))).to_be_visible()
    expect(page.locator("[data-result]")).to_be_visible(timeout=90_000)


def test_who_does_not_watch_is_shown_the_result_when_it_is_there(page: Page, tmp_path: Path) -> None:
    clip = film(tmp_path / "short.mp4", pictures(12, 160, 90), rate=10)
    start(page, "antheil", clip, "1")
    expect(page.locator("[data-result]")).to_be_visible(timeout=60_000)
    with av.open(str(clip)) as opened:
        assert opened.streams.video[0].frames == 12
