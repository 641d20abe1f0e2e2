"""Before a job, in a real browser: presets, what they cost, three seconds with two settings, and nothing that jumps."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from .conftest import Studio
from .people import Caller, sign_up
from .test_keyboard_alone import choose, tab_to
from .test_pages_for_everybody import findings

pytestmark = [pytest.mark.browser, pytest.mark.slow]

JOB_MS = 240_000
SHIFTS = """() => { window.shifted = 0; new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted += one.value; })
    .observe({ type: "layout-shift", buffered: true }); }"""


def film(context: BrowserContext) -> tuple[str, str]:
    """(project, source) of the sample clip."""
    caller = Caller(context)
    project = caller.post("projects", {"name": "Before"})["id"]
    return project, caller.upload(project, sample="true")


def test_presets_fill_in_the_form_and_say_what_it_costs(context: BrowserContext, page: Page) -> None:
    sign_up(page, "presets")
    page.goto(f"/sources/{film(context)[1]}/jobs/new/")
    flight = page.locator("#preflight")
    expect(flight).to_contain_text("59 drawn anew")
    expect(page.locator("[data-preset=good]")).to_have_attribute("data-on", "")
    before = page.locator("#cost-film").inner_text()
    page.locator("[data-preset=film]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#mode-fps")).to_be_checked()
    expect(page.locator("#target_fps")).to_have_value("60")
    page.get_by_text("Slow motion", exact=True).click()
    expect(flight).to_contain_text("left out")
    page.get_by_label("Size of the result").select_option("custom")
    page.get_by_label("Width × height").fill("160x90")
    page.keyboard.press("Tab")
    expect(page.locator("#cost-film")).not_to_have_text(before)
    page.get_by_text("Keep these settings").click()
    page.get_by_label("Name of the preset").fill("Slow and small")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_role("link", name="Slow and small")).to_be_visible()
    expect(page.get_by_label("Width × height")).to_have_value("160x90")
    page.get_by_role("button", name="Delete the preset").click()
    expect(page.get_by_role("link", name="Slow and small")).to_have_count(0)


def test_a_draft_is_drawn_by_the_quick_model_and_another_quality_by_the_default_again(
    page: Page, studio: Studio
) -> None:
    studio.enter(page.context)
    page.goto(f"/sources/{studio.film}/jobs/new/")
    page.get_by_text("More", exact=False).locator("xpath=ancestor-or-self::summary").first.click()
    model, measured = page.get_by_label("Model", exact=True), page.get_by_label(re.compile("Measure quality"))
    usual = model.input_value()
    draft, good = page.locator("[data-preset=draft]"), page.locator("[data-preset=good]")
    expect(good).to_have_attribute("data-on", "")
    for one in (draft, good):
        expect(one.locator(".num")).to_have_text(re.compile(r"^[\d.]+ (s|min)( [\d.]+ s)?, [\d.]+ [kMG]B$"))
    draft.focus()
    expect(page.locator("[data-preset-why]")).to_contain_text("drawn by flow_fusion_fast")
    page.keyboard.press("Enter")
    expect(model).to_have_value("flow_fusion_fast")
    expect(measured).not_to_be_checked()
    expect(draft).to_have_attribute("data-on", "")
    expect(good).not_to_have_attribute("data-on", "")
    good.focus()
    page.keyboard.press("Enter")
    expect(model).to_have_value(usual)
    expect(measured).to_be_checked()
    page.goto(f"/sources/{studio.film}/jobs/new/?preset=draft")
    expect(model).to_have_value("flow_fusion_fast")


def test_three_seconds_with_two_settings_and_by_keys_one_becomes_the_job(context: BrowserContext, page: Page) -> None:
    sign_up(page, "trials")
    _, source = film(context)
    page.goto(f"/sources/{source}/jobs/new/")
    page.get_by_label("Size of the result").select_option("custom")
    page.get_by_label("Width × height").fill("160x90")
    choose(page, r"Try three seconds\b.*")
    tab_to(page, "From which moment")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("0:00.5")
    page.get_by_label("Compare with").select_option("model:blend" if page.locator("[value='model:blend']").count() else
                                                    "preset:film")  # fmt: skip
    choose(page, "Draw both")
    page.wait_for_url(re.compile("/trials/"))
    expect(page.locator("video[data-side]")).to_have_count(2, timeout=JOB_MS)
    expect(page.get_by_text("These three seconds took").first).to_be_visible()
    assert findings(page) == []
    choose(page, "The whole film like B")
    page.wait_for_url(re.compile("/jobs/"))
    page.goto("/history/")
    expect(page.locator(".job-row")).to_have_count(1)
    page.get_by_label("Trials").select_option("only")
    expect(page.locator(".job-row")).to_have_count(2)


def test_what_is_chosen_before_the_scripts_have_come_is_predicted_too(page: Page, studio: Studio) -> None:
    studio.enter(page.context)
    late: list[Route] = []
    page.route(re.compile("htmx.min"), lambda route: late.append(route))
    page.goto(f"/sources/{studio.film}/jobs/new/", wait_until="commit")
    page.get_by_label("In-between frames in every gap", exact=True).fill("3")
    expect(page.locator("#prediction")).to_contain_text("120 frames")
    late[0].continue_()
    expect(page.locator("#prediction")).to_contain_text("240 frames")
    expect(page.locator("[data-count-range]")).to_have_value("3")


def test_a_form_sent_while_its_cost_is_still_asked_for_leaves_without_complaint(
    context: BrowserContext, page: Page
) -> None:
    sign_up(page, "hasty")
    _, source = film(context)
    page.goto(f"/sources/{source}/jobs/new/")
    page.route("**/jobs/prediction/**", lambda route: None)  # never answered
    with page.expect_request("**/jobs/prediction/**"):
        page.get_by_label("In-between frames in every gap", exact=True).fill("2")
    page.get_by_role("button", name="Generate").click()
    page.wait_for_url(re.compile("/jobs/[0-9a-f]{8}-"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled", exact=True)).to_be_visible()


def test_pages_do_not_jump_while_they_load(context: BrowserContext, page: Page) -> None:
    page.add_init_script(f"({SHIFTS})()")
    sign_up(page, "steady")
    project, source = film(context)
    shifted = {}
    for path in ("/", "/help/", "/projects/", f"/projects/{project}/", f"/sources/{source}/jobs/new/", "/history/",
                 "/queue/", "/models/", "/metrics/", "/account/"):  # fmt: skip
        page.goto(path)
        page.wait_for_timeout(600)
        shifted[path] = float(page.evaluate("window.shifted"))
    assert {path: value for path, value in shifted.items() if value >= 0.1} == {}
