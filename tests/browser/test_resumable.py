"""Large files over bad lines: an upload is paused, cut off, reloaded, and goes on where it was."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Request, Route, expect

from tests.ops.portal import Portal

from .test_pages_for_everybody import findings
from .test_story import make_project, sign_up, upload, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
MB = 1 << 20
SPEED = 6 * MB  # bytes a second of the slow line
LONG = 60_000  # milliseconds that are enough on a busy machine


def grown(path: Path, clip: Path, size: int) -> Path:
    """The clip with a box of nothing behind it, as the format allows: a film of `size` bytes."""
    film = clip.read_bytes()
    rest = size - len(film)
    path.write_bytes(film + rest.to_bytes(4, "big") + b"free" + bytes(rest - 8))
    return path


@pytest.fixture(scope="session")
def large(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grown(tmp_path_factory.mktemp("large") / "holiday.mp4", footage / "rabbit.mp4", 48 * MB)


@pytest.fixture
def slow(context: BrowserContext, page: Page) -> None:
    slowed(context, page)


def slowed(context: BrowserContext, page: Page) -> None:
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    conditions = {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": SPEED}
    line.send("Network.emulateNetworkConditions", conditions)


@pytest.fixture
def offsets(page: Page) -> list[int]:
    return listened(page)


def listened(page: Page) -> list[int]:
    """Where each piece that was sent began."""
    seen: list[int] = []

    def listen(request: Request) -> None:
        if request.method == "PATCH":
            seen.append(int(request.headers["upload-offset"]))

    page.on("request", listen)
    return seen


def bar(page: Page, name: str = "holiday.mp4") -> float:
    return float(page.get_by_role("progressbar", name=f"Upload of {name}").evaluate("bar => bar.value"))


def until(page: Page, percent: float, name: str = "holiday.mp4") -> None:
    for _ in range(600):
        if bar(page, name) >= percent:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{bar(page, name)} % after half a minute")


def arrived(page: Page) -> None:
    expect(page.get_by_role("heading", name="holiday.mp4")).to_be_visible(timeout=LONG)
    assert "/jobs/new/" in page.url


@pytest.mark.usefixtures("slow")
def test_it_says_how_fast_and_is_paused_and_goes_on_by_keyboard(page: Page, large: Path, offsets: list[int]) -> None:
    sign_up(page, "tess")
    make_project(page, "Pause")
    upload(page, large)
    expect(page.locator(".arriving video")).to_be_visible()
    expect(page.locator(".arriving")).to_contain_text(re.compile(r"MB of 48\.0 MB, [\d.]+ MB/s, about \d+ s left"))
    until(page, 20)
    assert findings(page) == []
    expect(page.get_by_role("button", name="Pause holiday.mp4")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".arriving")).to_contain_text("Paused at")
    stood = bar(page)
    page.wait_for_timeout(1200)
    assert bar(page) == stood < 100
    assert findings(page) == []
    page.keyboard.press("Enter")
    arrived(page)
    assert offsets[0] == 0 and max(offsets) > 0.1 * 48 * MB, offsets


@pytest.mark.usefixtures("slow")
def test_a_reload_forgets_nothing_and_the_same_file_goes_on(page: Page, large: Path, offsets: list[int]) -> None:
    sign_up(page, "theo")
    make_project(page, "Reload")
    upload(page, large)
    until(page, 30)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    unfinished = page.get_by_role("region", name="Unfinished uploads")
    expect(unfinished).to_contain_text(re.compile(r"holiday\.mp4.*of 48\.0.MB are here\. Choose the same file", re.S))
    before = len(offsets)
    upload(page, large)
    arrived(page)
    assert offsets[before] > 0.2 * 48 * MB, "it went on where it was"
    page.go_back()
    page.reload()
    expect(page.get_by_role("region", name="Unfinished uploads")).to_have_count(0)


@pytest.mark.usefixtures("slow")
def test_another_browser_goes_on_with_the_same_file_and_a_removed_one_is_gone(
    page: Page, large: Path, offsets: list[int]
) -> None:
    sign_up(page, "tilda")
    make_project(page, "Other")
    upload(page, large)
    until(page, 30)
    page.on("dialog", lambda dialog: dialog.accept())
    page.evaluate("localStorage.clear()")
    page.reload()
    before = len(offsets)
    upload(page, large)
    until(page, 40)
    assert offsets[before] > 0.2 * 48 * MB
    page.get_by_role("button", name="Remove holiday.mp4").first.click()
    expect(page.locator(".arriving")).to_have_count(0)
    page.wait_for_timeout(2500)
    page.reload()
    expect(page.get_by_text("Unfinished uploads")).to_have_count(0)


def test_what_was_chosen_before_the_scripts_came_is_taken_and_going_back_does_not_send_it_again(
    page: Page, footage: Path, offsets: list[int]
) -> None:
    late: list[Route] = []
    page.route("**/js/upload*.js", lambda route: late.append(route))
    sign_up(page, "eager")
    page.get_by_label("Name of the new project").fill("Early")
    page.get_by_role("button", name="New project").click(no_wait_after=True)
    upload(page, footage / "rabbit.mp4")
    wait_until(page, "document.querySelector('input[type=file]').files.length === 1")
    assert not page.locator("[data-upload][data-ready]").count(), "the script was to be late"
    late[-1].continue_()
    expect(page.get_by_role("heading", name="rabbit.mp4")).to_be_visible(timeout=LONG)
    assert offsets == [0]
    page.unroute("**/js/upload*.js")
    page.go_back()
    expect(page.get_by_role("link", name="rabbit.mp4")).to_be_visible()
    expect(page.locator("[data-upload][data-ready]")).to_be_visible()
    assert page.evaluate("document.querySelector('input[type=file]').files.length") == 0
    assert offsets == [0]


@pytest.mark.usefixtures("slow")
def test_several_films_at_once_with_one_that_is_none(page: Page, footage: Path, tmp_path: Path) -> None:
    sign_up(page, "tom")
    make_project(page, "Several")
    sizes = {"one.mp4": 3 * MB, "two.mp4": 24 * MB}
    one, two = (grown(tmp_path / name, footage / "rabbit.mp4", size) for name, size in sizes.items())
    upload(page, one, footage / "words.mp4", two)
    row = page.locator(".arriving", has_text="words.mp4")
    expect(row.get_by_role("alert")).to_contain_text("This is a text, not a video")
    assert findings(page) == []
    expect(page.get_by_role("link", name="two.mp4")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("link", name="one.mp4")).to_be_visible()
    refused = page.get_by_role("region", name="Unfinished uploads")
    expect(refused).to_contain_text("This is a text, not a video")
    assert findings(page) == []
    refused.get_by_role("button", name="Remove words.mp4").click()
    expect(refused).to_have_count(0)


# -- Lines and servers that break: these are last, for they trouble the portal ----------------------------------------


@pytest.fixture
def quiet_page(context: BrowserContext) -> Page:
    """A page that may complain: Chromium writes every lost connection on the console."""
    return context.new_page()


def test_a_lost_line_goes_on_by_itself(context: BrowserContext, quiet_page: Page, large: Path) -> None:
    page = quiet_page
    sign_up(page, "tara")
    make_project(page, "Offline")
    slowed(context, page)
    seen = listened(page)
    upload(page, large)
    until(page, 30)
    context.set_offline(True)
    expect(page.locator(".arriving")).to_contain_text("The connection is lost. It goes on by itself")
    stood = bar(page)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        assert findings(page) == []
    context.set_offline(False)
    arrived(page)
    assert stood < 100 and max(seen) > 0.2 * 48 * MB, (stood, seen)


def test_a_server_that_is_started_anew_in_between(
    context: BrowserContext, quiet_page: Page, portal: Portal, large: Path
) -> None:
    page = quiet_page
    sign_up(page, "tim")
    make_project(page, "Restart")
    slowed(context, page)
    seen = listened(page)
    upload(page, large)
    until(page, 30)
    portal.interrupt()
    expect(page.locator(".arriving")).to_contain_text("It goes on by itself")
    portal.start()
    arrived(page)
    assert max(seen) > 0.2 * 48 * MB, seen
