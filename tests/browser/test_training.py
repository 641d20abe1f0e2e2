"""Training in a real browser and portal: start it, watch the charts come, zoom in and stay there, stop it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.ops.portal import Portal, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RANGE = "document.querySelector('[data-chart-of=loss]').layout.xaxis.range.map(Math.round)"
MODEL = "browser_test"
POINTS = "document.querySelector('[data-chart-of=loss]').data[0].x.length"


def sign_in_as_admin(page: Page, portal: Portal) -> None:
    first = (portal.data / "up1.txt").read_text()
    name, password = re.findall(r"Sign in as (\S+) with the password (\S+)", first)[0]
    page.goto("/sign-in/?next=/training/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Training", exact=True)).to_be_visible()


def wait_for_points(page: Page, more_than: int) -> None:
    """Until the loss chart has that many; page.wait_for_function would need eval, which the portal forbids."""
    assert wait_for(lambda: page.evaluate(POINTS) > more_than, 60)


def wait_for_polls(page: Page, address: str, count: int) -> None:
    for _ in range(count):
        with page.expect_response(lambda answer: address in answer.url):
            pass
    page.wait_for_timeout(200)  # until it has settled


def keeps_what_a_reader_does(page: Page) -> None:
    """While the page is refreshed: where the keys are, how far a table is scrolled, what is ticked."""
    stop = page.get_by_role("button", name="Stop")
    stop.focus()
    room = page.evaluate("document.getElementById('training-epochs').getBoundingClientRect().top + scrollY")
    wait_for_polls(page, "/status/", 3)
    expect(stop).to_be_focused()
    assert page.evaluate("document.getElementById('training-epochs').getBoundingClientRect().top + scrollY") == room

    phone = page.context.new_page()
    phone.set_viewport_size({"width": 390, "height": 844})
    phone.goto(page.url)
    phone.evaluate("document.getElementById('epochs-scroll').scrollLeft = 120")
    rows = phone.locator("#training-epochs tbody tr")
    before = rows.count()
    expect(rows.nth(before)).to_be_visible()
    assert phone.evaluate("document.getElementById('epochs-scroll').scrollLeft") == 120

    phone.goto("/training/")
    tick = phone.get_by_label(f"Compare {MODEL}")
    tick.check()
    wait_for_polls(phone, "/training/", 2)
    expect(tick).to_be_checked()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    phone.close()


def test_a_run_is_started_watched_zoomed_into_and_stopped(page: Page, portal: Portal) -> None:
    sign_in_as_admin(page, portal)
    page.get_by_role("link", name=re.compile("Start a training run|New run")).click()
    page.get_by_label("Name").fill(MODEL)
    expect(page.get_by_label("Folder on the server")).to_be_hidden()
    page.get_by_label("Footage and scenes").check(force=True)
    expect(page.get_by_label("Folder on the server")).to_be_visible()
    page.get_by_label("Scenes made on the fly").check(force=True)
    page.get_by_label("Epochs").fill("500")
    page.get_by_text("More settings").click()
    page.get_by_label("Steps in an epoch").fill("4")
    page.get_by_label("Batch size").fill("1")
    page.get_by_label("Crop, pixels").fill("64")
    page.get_by_label("Triplets kept apart").fill("4")
    page.get_by_role("button", name="Start training").click()

    expect(page.get_by_role("heading", name=MODEL)).to_be_visible()
    expect(page.locator("#training-epochs tbody tr").nth(1)).to_be_visible(timeout=120_000)
    expect(page.locator("[data-chart-of=psnr] .trace")).to_have_count(3)  # this run, untrained, blend
    wait_for_points(page, 8)
    expect(page.get_by_text("new figures come in every two seconds")).to_be_visible()
    for words in ("Best epoch", "Last epoch"):
        expect(page.locator("#training-status .bigs div").filter(has_text=words)).to_contain_text(
            re.compile(r"\d dB\s*epoch \d")
        )

    keeps_what_a_reader_does(page)

    page.locator("[data-chart-of=loss]").scroll_into_view_if_needed()
    area = page.locator("[data-chart-of=loss] .nsewdrag").first.bounding_box()
    assert area
    page.mouse.move(area["x"] + area["width"] * 0.2, area["y"] + area["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.6, area["y"] + area["height"] * 0.9, steps=5)
    page.mouse.up()
    zoomed, points = page.evaluate(RANGE), page.evaluate(POINTS)
    wait_for_points(page, points)
    assert page.evaluate(RANGE) == zoomed

    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#training-status .status.cancelled")).to_be_visible(timeout=60_000)
    expect(page.get_by_text(f"The weights are the model {MODEL}")).to_be_visible()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    page.goto("/models/")
    expect(page.get_by_role("heading", name=MODEL)).to_be_visible()
