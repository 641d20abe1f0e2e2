"""The whole story in a real browser and a real portal: sign up, upload, generate, watch, play, download, come back."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error, Page, expect

from engine.video import probe
from tests.ops.portal import Portal

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "correct-horse-9"
JOB_SECONDS = 100


def sign_up(page: Page, name: str) -> None:
    page.goto("/")
    page.get_by_role("link", name="Make an account").click()
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The password again").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("heading", name="Projects", exact=True)).to_be_visible()


def make_project(page: Page, name: str) -> None:
    page.get_by_label("Name of the new project").fill(name)
    page.get_by_role("button", name="New project").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def upload(page: Page, *files: Path) -> None:
    page.locator("input[type=file]").set_input_files([str(file) for file in files])


LOOK = """() => document.querySelector('[data-result]') ? 'done'
    : document.querySelector('.ended') ? document.querySelector('.ended').innerText
    : document.querySelector('#job-status')?.dataset.percent ?? ''"""


def watch_until_done(page: Page) -> list[int]:
    """Per cents shown while the job ran, in the order they were seen; the page reloads itself at the end."""
    seen: list[int] = []
    for _ in range(JOB_SECONDS * 5):
        try:
            shown = page.evaluate(LOOK)
        except Error:  # the page is just being loaded anew
            shown = ""
        if shown == "done":
            return seen
        assert shown == "" or shown.isdigit(), f"The job ended otherwise: {shown}"
        if shown and [int(shown)] != seen[-1:]:
            seen.append(int(shown))
        page.wait_for_timeout(200)
    raise AssertionError(f"The job did not end in {JOB_SECONDS} s: {page.locator('main').inner_text()}")


def wait_until(page: Page, truth: str, seconds: float = 10) -> None:
    """Until the JavaScript expression is true. (Playwright's own waiting needs eval, which our pages forbid.)"""
    for _ in range(int(seconds * 20)):
        if page.evaluate(truth):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"Not true within {seconds} s: {truth}")


def time_of(page: Page, player: str) -> float:
    return float(page.evaluate(f"document.querySelector('[data-{player}]').currentTime"))


def at(player: str, moment: float) -> str:
    """True once it is there: a seek waits for the one before it."""
    return f"Math.abs(document.querySelector('[data-{player}]').currentTime - {moment}) < 0.005"


def play_and_seek(page: Page) -> None:
    """Play moves both players together; the slider and the frame keys land where they say."""
    wait_until(page, "document.querySelector('[data-result]').readyState >= 2")
    wait_until(page, "document.querySelector('[data-source]').readyState >= 2")
    page.get_by_role("button", name="Play").click()
    wait_until(page, "document.querySelector('[data-result]').currentTime > 0.4")
    page.get_by_role("button", name="Pause").click()
    wait_until(page, "!document.querySelector('[data-source]').seeking")
    assert abs(time_of(page, "result") - time_of(page, "source")) < 0.1
    page.get_by_label("Position").fill("90")
    wait_until(page, at("result", 90.5 / 60))
    page.locator("main").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    wait_until(page, at("result", 1.5 / 60))  # the middle of the second of 60 frames a second


def downloaded(page: Page, name: str, folder: Path) -> Path:
    with page.expect_download() as waiting:
        page.get_by_role("link", name=name, exact=True).click()
    path = folder / f"downloaded-{name}"
    waiting.value.save_as(path)
    return path


def check_downloads(page: Page, folder: Path) -> None:
    info = probe(downloaded(page, "MP4", folder))
    assert (info.frame_count, float(info.duration), info.width, info.height) == (120, 2.0, 160, 90)
    assert len(info.audio) == 1
    with zipfile.ZipFile(downloaded(page, "Pictures", folder)) as pictures:
        assert pictures.testzip() is None and len(pictures.namelist()) >= 1
    figures = json.loads(downloaded(page, "Figures", folder).read_text())
    assert "held-out" in json.dumps(figures)


def test_from_signing_up_to_a_film_that_is_still_there_after_a_restart(
    page: Page, portal: Portal, footage: Path, tmp_path: Path
) -> None:
    sign_up(page, "ada")
    make_project(page, "Rabbit")
    upload(page, footage / "rabbit.mp4")
    expect(page.get_by_role("heading", name="rabbit.mp4")).to_be_visible()
    expect(page.locator("#prediction")).to_contain_text("120 frames")
    page.get_by_label("Size of the result").select_option("custom")
    page.get_by_label("Width × height").fill("160x90")
    page.get_by_role("button", name="Generate").click()
    page.wait_for_url(re.compile("/jobs/"))

    seen = watch_until_done(page)
    assert seen == sorted(seen)
    assert len([percent for percent in seen if 0 < percent < 100]) >= 2, f"no progress was seen: {seen}"

    play_and_seek(page)
    page.locator("[data-chart]").scroll_into_view_if_needed()  # it is fetched when somebody is about to see it
    expect(page.locator("[data-chart] .main-svg").first).to_be_visible()
    expect(page.locator("#figures")).to_be_visible()
    expect(page.get_by_text("held-out", exact=False).first).to_be_visible()
    check_downloads(page, tmp_path)

    address = page.url
    portal.interrupt()
    portal.start()
    page.goto(address)
    play_and_seek(page)
    page.locator(".strip a").first.click()
    expect(page.locator("dialog[open] img")).to_have_js_property("complete", True)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Rabbit").click()
    expect(page.locator(".status.succeeded")).to_have_count(1)


def test_two_pictures_of_different_sizes_are_offered_to_be_resized_and_give_a_film(page: Page, footage: Path) -> None:
    sign_up(page, "grace")
    make_project(page, "Pictures")
    upload(page, footage / "frame_a.png", footage / "small_b.png")
    page.get_by_role("button", name="Upload both").click()
    expect(page.get_by_role("alert")).to_contain_text("320x180 and 240x136")
    page.get_by_role("button", name="Resize the second to fit, and upload").click()
    expect(page.get_by_role("heading", name="frame_a.png + small_b.png")).to_be_visible()
    page.get_by_label("In-between frames", exact=True).fill("3")
    expect(page.locator("#prediction")).to_contain_text("5 frames, 3 of them new")
    page.get_by_role("button", name="Generate").click()
    watch_until_done(page)
    expect(page.locator(".strip[data-lightbox] li")).to_have_count(3)
    expect(page.locator("img-comparison-slider.rendered")).to_be_visible()
    form = page.locator(".two-stills img").first.evaluate("(img) => img.clientWidth / img.clientHeight")
    assert form == pytest.approx(320 / 180, abs=0.02)  # not squeezed into the column
    expect(page.get_by_text("nothing to compare with", exact=False)).to_be_visible()


def test_what_is_no_video_is_refused_in_words_and_the_page_goes_on(page: Page, footage: Path) -> None:
    sign_up(page, "linus")
    make_project(page, "Words")
    upload(page, footage / "words.mp4")
    expect(page.get_by_role("alert")).to_contain_text("This is a text, not a video")
    page.get_by_role("button", name="Use the sample clip").click()
    expect(page.get_by_role("heading", name="Sample clip")).to_be_visible()


def test_a_running_job_can_be_cancelled_and_started_again(page: Page) -> None:
    sign_up(page, "margaret")
    make_project(page, "Cancel")
    page.get_by_role("button", name="Use the sample clip").click()
    page.get_by_label("In-between frames in every gap", exact=True).fill("10")
    page.get_by_role("button", name="Generate").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Start again")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Cancelled", exact=True)).to_be_visible()


def test_a_stranger_sees_nothing_of_a_project(context: BrowserContext, page: Page) -> None:
    sign_up(page, "alan")
    make_project(page, "Secret")
    address = page.url
    page.get_by_role("button", name="Sign out").click()
    sign_up(page, "mallory")
    answer = page.goto(address)
    assert answer is not None and answer.status == 404
    expect(page.get_by_role("heading", name="This page is not here")).to_be_visible()
