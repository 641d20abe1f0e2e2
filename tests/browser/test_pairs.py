"""A trial is stopped and tried again on its page, and word comes when it is done; pages say when the server is away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.ops.portal import Portal

from .people import Caller, sign_up
from .test_pages_for_everybody import findings

pytestmark = [pytest.mark.browser, pytest.mark.slow]
JOB_MS = 240_000
NOTIFIED = """
  window.Notification = class { static permission = "default";
    constructor(title, { body }) { window.told = [title, body]; }
    static async requestPermission() { return (this.permission = "granted"); } };
  Object.defineProperty(document, "hidden", { get: () => true });"""  # as where another tab is in front


@pytest.fixture
def held(portal: Portal) -> Iterator[Callable[[], None]]:
    """No job is taken up until this is called: a test may look at what waits as long as it likes."""
    assert portal.manage("drain", "interpolation").wait(60) == 0
    yield lambda: portal.manage("release", "interpolation").wait(60)
    portal.manage("release", "interpolation").wait(60)


def test_a_trial_is_cancelled_tried_again_and_told_of_on_another_page(
    context: BrowserContext, page: Page, held: Callable[[], None]
) -> None:
    sign_up(page, "trier")
    caller = Caller(context)
    film = caller.upload(caller.post("projects", {"name": "Trials"})["id"], sample="true")
    light = {"model": "blend", "resolution": [160, 90], "held_out": False}
    sides = {"first": light, "second": light | {"duplicates": "retime"}}
    trial = caller.post("trials", {"source": film, "start": "0", **sides})["id"]
    page.goto(f"/trials/{trial}/")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    assert findings(page) == []
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    assert findings(page) == []
    page.goto("/help/")
    held()
    told = page.locator(".toast-note")
    expect(told).to_contain_text(re.compile(r"The three seconds of .+ are done\."), timeout=JOB_MS)
    told.get_by_role("link").click()
    expect(page.locator("[data-pane] video")).to_have_count(2)


def test_the_browser_says_so_when_a_job_is_done_and_the_page_is_not_looked_at(
    context: BrowserContext, page: Page, held: Callable[[], None]
) -> None:
    page.add_init_script(NOTIFIED)
    sign_up(page, "elsewhere")
    caller = Caller(context)
    film = caller.upload(caller.post("projects", {"name": "Told"})["id"], sample="true")
    caller.start(film, model="blend", resolution=[160, 90], held_out=False)
    page.goto("/queue/")
    button = page.get_by_role("button", name="Tell me when mine are done")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-notify]")).to_have_attribute("aria-pressed", "true")
    with page.expect_response("**/notices/**"):  # it is known to be under way
        pass
    held()
    expect(page.locator(".toast-note")).to_contain_text("done", timeout=JOB_MS)
    title, words = page.evaluate("window.told")
    assert title == "Inbetween" and re.search("Sample clip.* done", words), words


def test_every_page_says_that_the_server_is_away_until_it_is_back(context: BrowserContext) -> None:
    page = context.new_page()  # not the one that fails a test for what the console says: here it says it rightly
    sign_up(page, "waiter")
    lost = page.get_by_text("The server does not answer.")
    for address in ("/queue/", "/account/"):
        page.goto(address)
        expect(lost).to_be_hidden()
        context.set_offline(True)
        expect(lost).to_be_visible(timeout=45_000)
        context.set_offline(False)
        expect(lost).to_be_hidden(timeout=45_000)
    page.route("**/notices/", lambda route: route.fulfill(status=503, body="starting"))  # a proxy that finds nobody
    page.reload()
    expect(lost).to_be_visible()
    page.unroute("**/notices/")
    expect(lost).to_be_hidden()
