"""The players of a result: wheel, hand, full screen, sound, speed, loop; and the slider of the landing page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .conftest import Studio
from .test_story import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FILMS = "[...document.querySelectorAll('[data-pane] video')]"
LEAD = "document.querySelector('[data-result]')"


@pytest.fixture
def watching(page: Page, studio: Studio) -> Page:
    studio.enter(page.context)
    page.goto(f"/jobs/{studio.jobs[0]}/")
    wait_until(page, f"{FILMS}.every((film) => film.readyState >= 2 && !film.seeking)", 20)
    return page


def places(page: Page) -> list[str]:
    """How each film is moved and scaled."""
    found: list[str] = page.evaluate(f"{FILMS}.map((film) => film.style.transform)")
    return found


def test_wheel_and_hand_enlarge_and_move_both_films_together(watching: Page) -> None:
    page = watching
    box = page.locator("[data-pane]").last.bounding_box()
    assert box
    x, y = box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.25
    page.mouse.move(x, y)
    down = page.evaluate("scrollY")
    page.mouse.wheel(0, 40)
    page.wait_for_timeout(200)
    assert places(page) == ["", ""], "without Ctrl the wheel scrolls the page"
    page.evaluate(f"scrollTo(0, {down})")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    wait_until(page, f"{FILMS}.every((film) => film.style.transform.includes('scale(4)'))")
    first = places(page)
    assert first[0] == first[1]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y - 30, steps=4)
    page.mouse.up()
    moved = places(page)
    assert moved[0] == moved[1] != first[0]
    expect(page.locator("[data-zoom-words]")).to_have_text("400 %")
    page.get_by_role("button", name=re.compile("Zoom")).click()
    assert places(page) == ["", ""]
    assert page.evaluate(f"{LEAD}.paused"), "moving is not clicking"


def test_full_screen_sound_and_speed_by_key_and_button(watching: Page) -> None:
    page = watching
    page.locator("main").focus()
    page.keyboard.press("f")
    wait_until(page, "document.fullscreenElement?.matches('[data-player]') ?? false")
    assert page.evaluate("document.querySelector('.transport').getBoundingClientRect().bottom <= innerHeight + 1")
    page.get_by_role("button", name="Full screen").click()
    wait_until(page, "document.fullscreenElement === null")

    sound = page.get_by_role("button", name="Mute")
    assert page.evaluate(f"{FILMS}.map((film) => film.muted)") == [True, False], "only the result is heard"
    page.locator("main").focus()
    page.keyboard.press("m")
    expect(sound).to_have_attribute("aria-pressed", "true")
    assert page.evaluate(f"{LEAD}.muted")
    sound.click()
    assert not page.evaluate(f"{LEAD}.muted")

    page.locator("main").focus()
    for _ in range(3):
        page.keyboard.press("<")
    assert page.evaluate(f"{LEAD}.playbackRate") == 0.125
    page.get_by_label("Speed").select_option("2 ×")
    assert page.evaluate(f"{LEAD}.playbackRate") == 2
    page.get_by_role("button", name="Play").click()
    wait_until(page, f"!{LEAD}.paused && {LEAD}.currentTime > 0.3", 20)
    page.get_by_role("button", name="Pause").click()


def test_a_range_is_marked_with_the_pointer_and_left_again(watching: Page) -> None:
    page = watching
    for name, frame in (("Loop from this frame", "10"), ("Loop up to this frame", "20")):
        page.get_by_label("Position").fill(frame)
        page.get_by_role("button", name=name).click()
        expect(page.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
    wait_until(page, "location.hash.includes('a=10') && location.hash.includes('b=20')")
    page.get_by_role("button", name="Play").click()
    wait_until(page, f"!{LEAD}.paused")
    page.wait_for_timeout(700)  # longer than the range
    page.get_by_role("button", name="Pause").click()
    assert 10 <= page.evaluate(f"Math.floor({LEAD}.currentTime * 60)") <= 26  # drawing lags behind the film here
    page.locator("main").focus()
    page.keyboard.press("\\")
    expect(page.get_by_role("button", name="Loop from this frame")).to_have_attribute("aria-pressed", "false")


def test_the_motion_under_the_pointer_is_said(watching: Page) -> None:
    page = watching
    canvas = page.locator("[data-motion-canvas]")
    canvas.scroll_into_view_if_needed()
    wait_until(page, "Boolean(document.querySelector('[data-motion]').dataset.shown)", 20)
    box = canvas.bounding_box()
    assert box
    said = set()
    for share in (0.3, 0.5, 0.7):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.45)
        words = page.locator("[data-motion-value]")
        expect(words).to_have_text(re.compile(r"dx [+−]\d+\.\d\s+dy [+−]\d+\.\d\s+\d+\.\d px"))
        said.add(words.inner_text())
    assert len(said) > 1, "other places move otherwise"


def test_the_slider_of_the_landing_page_shows_each_moment(page: Page) -> None:
    page.goto("/")
    slider = page.get_by_label("Moment between the two frames")
    shown = page.locator(".scrub-stage img:visible")
    slider.focus()
    seen = []
    for key, words in (
        ("Home", "first frame, as filmed"),
        ("ArrowRight", "drawn: 1 of 7"),
        ("End", "next frame, as filmed"),
    ):
        page.keyboard.press(key)
        expect(page.locator("[data-scrub-tag]")).to_have_text(words)
        expect(shown).to_have_count(1)
        wait_until(
            page, "[...document.querySelectorAll('.scrub-stage img')].find((one) => !one.hidden).naturalWidth > 0"
        )
        seen.append(shown.get_attribute("src"))
    assert len(set(seen)) == 3
    box = slider.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("[data-scrub-tag]")).to_have_text("drawn: 4 of 7")
