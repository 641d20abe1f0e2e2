"""Nothing jumps while a page loads, at any width, and every link into the help leads somewhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from .conftest import Studio
from .test_before_a_job import SHIFTS

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST = 0.05  # cumulative layout shift; 0.1 is called good
LINKS = "[...document.querySelectorAll('a[href]')].map((one) => one.href)"


def paths(studio: Studio) -> list[str]:
    one, two = studio.jobs
    return [
        f"/jobs/{one}/",
        f"/jobs/{studio.still}/",
        f"/compare/?a={one}&b={two}",
        "/history/",
        f"/sources/{studio.film}/jobs/new/",
        "/help/",
        "/metrics/",
        "/account/",
    ]


def test_pages_stay_put_at_every_width(page: Page, studio: Studio) -> None:
    studio.enter(page.context)
    page.add_init_script(f"({SHIFTS})()")
    shifted = {}
    for width in (1440, 1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for path in paths(studio):
            page.goto(path)
            page.wait_for_load_state("networkidle")
            for top in (700, 1400, 0):  # what is fetched when it comes into view must not push the rest either
                page.evaluate(f"scrollTo(0, {top})")
                page.wait_for_timeout(120)
            shifted[f"{path} at {width}"] = round(float(page.evaluate("window.shifted")), 3)
    assert {where: value for where, value in shifted.items() if value >= MOST} == {}


def test_every_link_into_the_help_leads_to_a_part_of_it(page: Page, studio: Studio) -> None:
    studio.enter(page.context)
    wanted: dict[str, str] = {}
    for path in [*paths(studio), "/projects/", "/queue/", "/models/", "/training/", f"/projects/{studio.project}/"]:
        page.goto(path)
        for link in page.evaluate(LINKS):
            if "/help/#" in link:
                wanted[link.split("#")[1]] = path
    assert {"keys", "figures", "start"} <= wanted.keys()
    page.goto("/help/")
    missing = {name: path for name, path in wanted.items() if not page.locator(f"[id='{name}']").count()}
    assert missing == {}
