"""The page of a finished job in a real browser, with a real job: players, worst frames, motion, chart, calls."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.test_story import make_project, sign_up, upload, wait_until, watch_until_done
from tests.ops.portal import Portal

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LEAD = "document.querySelector('[data-result]')"
SOURCE = "document.querySelector('[data-source]')"


@pytest.fixture(scope="module")
def made(chromium: Browser, portal: Portal, footage: Path) -> tuple[dict[str, str], Path]:
    """Addresses of two real jobs of the sample clip, 160x90, and the file with the session that may see them."""
    context = chromium.new_context(base_url=portal.url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    sign_up(page, "katherine")
    make_project(page, "Looking")
    upload(page, footage / "rabbit.mp4")
    start_small(page)
    watch_until_done(page)
    first = page.url
    page.get_by_role("link", name="Run with changes").click()
    page.get_by_text("Slow motion", exact=True).click()
    start_small(page)
    watch_until_done(page)
    state = footage / "katherine.json"
    context.storage_state(path=state)
    addresses = {"smooth": first, "slow": page.url}
    context.close()
    return addresses, state


def start_small(page: Page) -> None:
    page.get_by_label("Size of the result").select_option("custom")
    page.get_by_label("Width × height").fill("160x90")
    page.get_by_role("button", name="Generate").click()
    page.wait_for_url(re.compile("/jobs/[0-9a-f-]{36}/"))


@pytest.fixture
def job(page: Page, made: tuple[dict[str, str], Path]) -> dict[str, str]:
    """Signed in as who may see the two jobs."""
    import json

    page.context.add_cookies(json.loads(made[1].read_text())["cookies"])
    return made[0]


def opened(page: Page, address: str) -> None:
    page.goto(address)
    wait_until(page, f"{LEAD}.readyState >= 2 && {SOURCE}.readyState >= 2 && !{LEAD}.seeking && !{SOURCE}.seeking")


def frame_of(page: Page, film: str = LEAD) -> int:
    wait_until(page, f"!{film}.seeking")
    return int(page.evaluate(f"Math.floor({film}.currentTime * Number({film}.dataset.fps))"))


def numbers(words: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?[0-9.]+", words)]


def moved(page: Page, film: str) -> list[float]:
    """How a film is moved and scaled: right and down in per cent, and times."""
    return numbers(page.evaluate(f"{film}.style.transform"))


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def in_address(page: Page, words: str) -> None:
    page.wait_for_timeout(50)
    wait_until(page, f"location.hash.includes({words!r})")


def test_frames_are_counted_and_the_source_shows_the_frame_that_belongs_to_each(
    page: Page, job: dict[str, str]
) -> None:
    opened(page, job["smooth"])
    page.locator("main").focus()
    press(page, ".", ".", ".", ",", ".")
    assert (frame_of(page), frame_of(page, SOURCE)) == (3, 1)
    expect(page.locator("[data-frame]")).to_have_text("4 / 120")
    expect(page.locator("[data-frame]")).to_have_attribute("data-kind", "new")
    press(page, "ArrowRight")
    assert (frame_of(page), frame_of(page, SOURCE)) == (4, 2)
    expect(page.locator("[data-frame]")).to_have_attribute("data-kind", "source")
    press(page, "Shift+ArrowRight")
    assert frame_of(page) == 64
    in_address(page, "f=64")


def test_all_views_by_keyboard_and_the_address_shows_the_same_again(page: Page, job: dict[str, str]) -> None:
    opened(page, job["smooth"])
    page.locator("main").focus()
    upper = "document.querySelector('.side-b')"
    press(page, "w")
    assert page.evaluate(f"{upper}.style.clipPath") == "inset(0px 0px 0px 50%)"
    page.get_by_label("Border", exact=True).press("ArrowRight")
    page.locator("main").focus()
    press(page, "o")
    assert page.evaluate(f"{upper}.style.opacity") == "0.5"
    press(page, "d")
    assert page.evaluate(f"getComputedStyle({upper}).mixBlendMode") == "difference"
    assert page.evaluate("document.querySelector('[data-screens]').style.filter") == "brightness(2)"
    press(page, "+", "+", "Shift+ArrowRight", ".", ".", "[", ".", ".", ".", "]", ">")
    in_address(page, "b=5")
    in_address(page, "speed=2")
    for words in ("view=difference", "zoom=2.25", "f=5", "a=2"):
        assert words in page.url
    address, before = page.url, page.evaluate(f"{LEAD}.style.transform")
    assert before.startswith("translate(") and before.endswith("scale(2.25)")

    page.goto("about:blank")
    opened(page, address)
    assert frame_of(page) == 5
    assert moved(page, LEAD) == moved(page, SOURCE) == pytest.approx(numbers(before), abs=0.2)  # the address rounds
    assert page.evaluate("document.querySelector('[data-player]').dataset.viewNow") == "difference"
    assert page.evaluate(f"{LEAD}.playbackRate") == 2
    page.locator("main").focus()
    press(page, "z", "l", "\\", "<")
    expect(page.locator(".side-a")).to_be_hidden()
    in_address(page, "only=b")
    assert "zoom" not in page.url and "a=2" not in page.url and "speed" not in page.url


def test_a_range_is_looped(page: Page, job: dict[str, str]) -> None:
    opened(page, f"{job['smooth']}#f=30&a=30&b=40")
    page.evaluate(
        f"""window.seen = [];
        document.addEventListener('inbetween:time', () => seen.push(Math.floor({LEAD}.currentTime * 60 + 0.01)))"""
    )
    page.locator("main").focus()
    press(page, " ")
    wait_until(page, "seen.some((frame, at) => at && frame < seen[at - 1])", 20)  # it went back
    press(page, " ")
    assert page.evaluate("Math.min(...seen)") >= 30
    assert page.evaluate("Math.max(...seen)") <= 46  # drawing in this browser may lag a few frames behind the film


def test_the_pointer_moves_the_border_and_the_enlarged_picture(page: Page, job: dict[str, str]) -> None:
    opened(page, f"{job['smooth']}#view=wipe")
    box = page.locator(".side-b .pane").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, middle, steps=4)
    page.mouse.up()
    in_address(page, "at=25")
    assert page.evaluate(f"{LEAD}.paused")
    page.mouse.dblclick(box["x"] + box["width"] * 0.9, middle)
    in_address(page, "zoom=3")
    before = page.evaluate(f"{LEAD}.style.transform")
    page.mouse.move(box["x"] + box["width"] * 0.8, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, middle, steps=4)
    page.mouse.up()
    assert page.evaluate(f"{LEAD}.style.transform") != before


def test_another_job_of_the_source_is_laid_beside_this_one_in_step(page: Page, job: dict[str, str]) -> None:
    opened(page, f"{job['smooth']}#f=60")
    page.get_by_label("beside").select_option(label="slow motion, 1 between, 160 × 90, trained_model")
    wait_until(page, f"{SOURCE}.readyState >= 2 && !{SOURCE}.seeking && {SOURCE}.currentTime > 1.5")
    assert page.evaluate(f"{SOURCE}.currentTime") == pytest.approx(60.5 / 30, abs=0.02)  # twice as long, half the rate
    in_address(page, f"with={job['slow'].split('/')[-2]}")
    opened(page, page.url)
    assert frame_of(page, SOURCE) == 60


def test_two_jobs_compared_run_in_step_and_keep_their_state(page: Page, job: dict[str, str]) -> None:
    one, two = (address.split("/")[-2] for address in (job["smooth"], job["slow"]))
    page.goto(f"/compare/?a={one}&b={two}#f=20&view=onion")
    wait_until(page, "[...document.querySelectorAll('[data-pane] video')].every((film) => film.readyState >= 2)")
    wait_until(page, "[...document.querySelectorAll('[data-pane] video')].every((film) => !film.seeking)")
    times = page.evaluate("[...document.querySelectorAll('[data-pane] video')].map((film) => film.currentTime)")
    assert times == [pytest.approx(20.5 / 60, abs=0.02), pytest.approx(20.5 / 30, abs=0.02)]
    page.locator("main").focus()
    press(page, "a")
    expect(page.locator(".side-b")).to_be_hidden()
    press(page, "s", ".")
    expect(page.locator(".side-b")).to_be_visible()
    in_address(page, "f=21")
    assert "view" not in page.url or "view=side" in page.url


def test_the_worst_held_out_frames_are_shown_and_lead_the_player_there(page: Page, job: dict[str, str]) -> None:
    opened(page, job["smooth"])
    choices = page.locator("[data-worst-choice]")
    assert choices.count() >= 4
    figures = [float(words.split(" dB")[0]) for words in choices.locator(".num").all_inner_texts()]
    assert figures == sorted(figures)
    last = choices.last
    last.focus()
    press(page, "Enter")
    at = float(last.get_attribute("data-time") or "nan")
    assert frame_of(page) == round(at * 60)
    expect(page.locator("[data-worst-truth]")).to_have_attribute("src", last.get_attribute("data-truth") or "")
    for name in ("truth", "drawn", "error"):
        wait_until(page, f"document.querySelector('[data-worst-{name}]').naturalWidth === 160")
    page.get_by_label("Error over the picture").fill("40")
    assert page.evaluate("document.querySelector('[data-worst-error]').style.opacity") == "0.4"


def test_motion_is_looked_into_by_keyboard(page: Page, job: dict[str, str]) -> None:
    opened(page, job["smooth"])
    page.locator("[data-motion]").scroll_into_view_if_needed()
    wait_until(page, "Boolean(document.querySelector('[data-motion]').dataset.shown)")
    seen = set()
    for layer in ("Colour", "Arrows", "Speed", "Hidden points"):
        page.get_by_role("button", name=layer, exact=True).click()
        seen.add(page.evaluate("document.querySelector('[data-motion-canvas]').toDataURL()"))
    assert len(seen) == 4
    page.locator("[data-motion-canvas]").focus()
    press(page, "ArrowLeft", "Shift+ArrowUp")
    value = page.locator("[data-motion-value]")
    expect(value).to_have_text(re.compile(r"dx [+−]\d+\.\d\s+dy [+−]\d+\.\d\s+\d+\.\d px"))
    dx, dy, length = (float(number) for number in re.findall(r"[+−]?\d+\.\d", value.inner_text().replace("−", "-")))
    assert (dx**2 + dy**2) ** 0.5 == pytest.approx(length, abs=0.15)
    moment = page.locator("[data-motion-choice]").first
    moment.click()
    wait_until(page, "document.querySelector('[data-motion-choice]').dataset.field === "
                     "document.querySelector('[data-motion]').dataset.shown")  # fmt: skip
    assert frame_of(page) == int(float(moment.get_attribute("data-time") or "nan") * 60 + 0.01)


def test_the_address_shows_the_same_motion_and_the_same_comparison_again(page: Page, job: dict[str, str]) -> None:
    opened(page, job["smooth"])
    page.locator("[data-motion]").scroll_into_view_if_needed()
    shown = "document.querySelector('[data-motion]').dataset.shown"
    wait_until(page, f"Boolean({shown})")
    page.get_by_role("button", name="Arrows", exact=True).click()
    page.locator("[data-motion-choice]").first.click()
    in_address(page, "motion=0&layer=arrows")
    page.get_by_role("button", name="Frame after").click()
    handle = page.locator("img-comparison-slider")
    handle.focus()
    page.keyboard.down("ArrowLeft")  # it moves as long as the key is held
    wait_until(page, "document.querySelector('img-comparison-slider').value < 45")
    page.keyboard.up("ArrowLeft")
    in_address(page, "border=")
    page.locator("main").focus()
    press(page, "w")
    in_address(page, "view=wipe")
    address, border = page.url, page.evaluate("Math.round(document.querySelector('img-comparison-slider').value)")
    assert border < 50 and all(words in address for words in ("motion=0", "layer=arrows", "left=frame1", "f="))

    page.goto("about:blank")
    opened(page, address)
    page.locator("[data-motion]").scroll_into_view_if_needed()
    wait_until(page, f"{shown} === document.querySelector('[data-motion-choice]').dataset.field")
    expect(page.get_by_role("button", name="Arrows", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Frame after")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("document.querySelector('img-comparison-slider').value") == border
    assert page.evaluate("document.querySelector('[data-player]').dataset.viewNow") == "wipe"
    page.get_by_role("button", name="Colour", exact=True).click()
    wait_until(page, "!location.hash.includes('layer')")
    assert "left=frame1" in page.url and "view=wipe" in page.url


def test_a_step_between_the_end_of_a_seek_and_its_event_is_not_lost(page: Page, job: dict[str, str]) -> None:
    opened(page, job["smooth"])
    assert page.evaluate("""() => {
        const film = Object.assign(new EventTarget(), { seeking: false, currentTime: 0 });
        inbetweenSeek(film, 1);
        film.seeking = true;
        inbetweenSeek(film, 2); // waits for the first one
        film.seeking = false; // which has ended; its event comes a moment later
        inbetweenSeek(film, inbetweenMoment(film) + 1);
        film.dispatchEvent(new Event("seeked"));
        return [film.currentTime, inbetweenMoment(film)];
    }""") == [3, 3]


def test_the_chart_and_the_player_lead_to_each_other(page: Page, job: dict[str, str]) -> None:
    opened(page, job["smooth"])
    assert page.evaluate("typeof Plotly") == "undefined"  # fetched only by those who come by
    chart = page.locator("[data-chart]")
    chart.scroll_into_view_if_needed()
    expect(chart.locator(".main-svg").first).to_be_visible()
    now = "document.querySelector('[data-chart]').layout.shapes.find((shape) => shape.name === 'now').x0"
    page.locator("main").focus()
    press(page, "Home", *["."] * 12)
    wait_until(page, f"Math.abs({now} - 12.5 / 60) < 0.01")
    point = chart.locator(".scatterlayer .trace").first.locator("path.point").nth(2).bounding_box()
    assert point is not None
    page.mouse.click(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    sample = float(page.locator("[data-seek-to]").nth(2).get_attribute("data-seek-to") or "nan")
    wait_until(page, f"Math.abs({LEAD}.currentTime - {sample}) < 0.02")
    wait_until(page, f"Math.abs({now} - {sample}) < 0.02")


def test_what_is_copied_from_the_page_starts_the_same_job_again(
    page: Page, job: dict[str, str], tmp_path: Path
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/account/")
    page.get_by_role("button", name="New token").click()
    token = page.get_by_label("New token", exact=True).input_value()
    opened(page, job["smooth"])
    page.get_by_text("The same from a script").click()
    made = []
    for name, program in (("curl", "bash"), ("Python", sys.executable)):
        page.get_by_role("button", name=f"Copy as {name}").click()
        expect(page.get_by_role("status").filter(has_text="Copied")).to_have_count(len(made) + 1)
        recipe = tmp_path / name
        recipe.write_text(page.evaluate("navigator.clipboard.readText()"))
        environment = {**os.environ, "INBETWEEN_TOKEN": token}
        ran = subprocess.run(
            [program, str(recipe)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240
        )
        assert ran.returncode == 0, ran.stderr
        found = re.search(r"[0-9a-f-]{36}", ran.stdout)
        assert found, ran.stdout
        made.append(found.group())
    api = [page.request.get(f"/api/v1/jobs/{key}/").json() for key in (job["smooth"].split("/")[-2], *made)]
    assert [one["source"] for one in api] == [api[0]["source"]] * 3
    assert [one["options"] for one in api] == [api[0]["options"]] * 3
    assert (tmp_path / "result.mp4").stat().st_size > 10_000
