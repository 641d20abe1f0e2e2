"""Every page, in a real browser: usable by everybody (axe-core, WCAG 2.2 AA), light to load, quiet in the console."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import BrowserContext, Page, Response

from tests.ops.portal import Portal

from .conftest import Studio
from .people import sign_up

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
ALL = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}  # all that differs between themes
BUDGET = 150_000  # bytes over the wire of a first visit
# Style sheets are not preloaded: axe would write them into the page, which the portal forbids, for a rule not run here.
RUN = """async (rules) => (await axe.run(document,
    { runOnly: rules, resultTypes: ["violations"], preload: { assets: ["media"] } })).violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.target.join(" ")).join("; ")}`)"""


def findings(page: Page, rules: dict[str, Any] = ALL) -> list[str]:
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(RUN, rules)
    return found


def in_both_themes(page: Page, settle_ms: int = 0) -> dict[str, list[str]]:
    """What axe finds, by theme. settle_ms: until colours have changed."""
    found: dict[str, list[str]] = {}
    rules_of: dict[Literal["light", "dark"], dict[str, Any]] = {"light": ALL, "dark": COLOURS}
    for theme, rules in rules_of.items():
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.wait_for_timeout(settle_ms if theme == "dark" else 0)
        found[theme] = findings(page, rules)
    return found


def usable(page: Page) -> None:
    """By everybody, in both themes, and without scrolling sideways on a phone."""
    assert in_both_themes(page) == {"light": [], "dark": []}, page.url
    size = page.viewport_size
    assert size
    page.set_viewport_size({"width": 390, "height": 844})
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), f"{page.url} on a phone"
    page.set_viewport_size(size)


def addresses(studio: Studio) -> dict[str, str]:
    project, film, jobs, still = studio.project, studio.film, studio.jobs, studio.still
    return {
        "projects": "/projects/",
        "project": f"/projects/{project}/",
        "new job": f"/sources/{film}/jobs/new/",
        "job": f"/jobs/{jobs[0]}/",
        "pictures": f"/jobs/{still}/",
        "history": "/history/",
        "nothing found": "/history/?q=nothing",
        "compare": f"/compare/?a={jobs[0]}&b={jobs[1]}",
        "queue": "/queue/",
        "models": "/models/",
        "bake-off": "/models/bake-off/",
        "metrics": "/metrics/",
        "training": "/training/",
        "help": "/help/",
        "account": "/account/",
        "deleted": "/deleted/",
        "people": f"/projects/{project}/people/",
        "links": f"/jobs/{jobs[0]}/links/",
        "not found": "/nowhere/",
    }


def test_every_page_can_be_used_by_everybody(context: BrowserContext, page: Page, studio: Studio) -> None:
    found = {}
    for path in ("/", "/sign-in/", "/sign-up/", "/help/"):
        page.goto(path)
        found[path] = findings(page)
    studio.enter(context)
    pages = addresses(studio)
    page.goto("/account/")
    page.fill("#token-name", "made by manage.py create_token")
    page.get_by_role("button", name="New token").click()  # its table is wide: the page must not be
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        for name, path in pages.items():
            page.goto(path)
            page.wait_for_timeout(150)
            found[f"{name}, {theme}"] = findings(page)
    page.set_viewport_size({"width": 390, "height": 844})
    wide = []
    for name, path in pages.items():
        page.goto(path)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(name)
    assert {name: words for name, words in found.items() if words} == {}
    assert wide == [], "pages that scroll sideways on a phone"


def test_a_first_visit_is_light_and_charts_load_only_where_shown(
    context: BrowserContext, page: Page, portal: Portal
) -> None:
    sizes: dict[str, int] = {}

    def weigh(answer: Response) -> None:
        name = answer.url.removeprefix(portal.url)
        body = answer.request.sizes()
        sizes[name] = body["responseBodySize"]

    page.on("requestfinished", lambda request: weigh(request.response()) if request.response() else None)
    page.goto("/")
    page.wait_for_load_state("networkidle")
    assert sizes and sum(sizes.values()) < BUDGET, sizes
    assert not any("plotly" in name for name in sizes)
    sign_up(page, "light")
    for path in ("/projects/", "/history/", "/queue/", "/models/", "/metrics/", "/account/", "/help/", "/training/"):
        sizes.clear()
        page.goto(path)
        assert not any("plotly" in name for name in sizes), path


def test_the_keyboard_alone_finds_and_compares_jobs(context: BrowserContext, page: Page, studio: Studio) -> None:
    studio.enter(context)
    page.goto("/history/?sort=oldest")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("sample")
    for _ in range(100):
        if page.locator(".job-row").count() == 2:
            break
        page.wait_for_timeout(100)
    assert page.locator(".job-row").count() == 2
    assert "q=sample" in page.url
    page.evaluate("document.activeElement.blur()")
    for _ in range(2):
        page.keyboard.press("j")
        page.keyboard.press("x")
    page.locator("button[value=compare]").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/compare/"))
    page.locator("main").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("w")
    page.wait_for_url(re.compile(r"#(?=.*\bview=wipe)(?=.*\bf=1\b)"))
