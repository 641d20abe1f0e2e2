"""The dashboard of a project and of the site, and the page of the models, on jobs that were really drawn."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.ops.portal import Portal

from .conftest import Studio
from .test_story import wait_until
from .test_training import sign_in_as_admin

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHARTS = "[...document.querySelectorAll('.dash-chart')]"
TALL = ".some((bar) => bar.getBoundingClientRect().height > 20)"  # a day without jobs has a bar without height
DRAWN = f"{CHARTS}.length && {CHARTS}.every((one) => [...one.querySelectorAll('.point path')]{TALL})"


def figures(page: Page) -> dict[str, str]:
    names, values = page.locator(".bigs dt").all_inner_texts(), page.locator(".bigs dd").all_inner_texts()
    return {name: value.split("\n")[0] for name, value in zip(names, values, strict=True)}


def test_the_dashboard_shows_what_was_drawn_how_fast_and_how_well(page: Page, studio: Studio) -> None:
    studio.enter(page.context)
    page.goto("/metrics/")
    wait_until(page, DRAWN, 20)
    expect(page.locator(".dash-chart")).to_have_count(4)
    told = figures(page)
    drawn = [page.request.get(f"/api/v1/jobs/{job}/").json()["figures"] for job in (*studio.jobs, studio.still)]
    assert told["Jobs"].startswith("3")
    assert told["Frames drawn"] == str(sum(one["frames"]["new"] for one in drawn))
    psnr = float(told["Held-out PSNR"].split()[0])
    assert psnr == pytest.approx(sum(one["held_out"]["psnr"] for one in drawn[:2]) / 2, abs=0.06)

    page.get_by_label("Of which project").select_option("Studio")
    expect(page).to_have_url(re.compile(f"project={studio.project}"))
    expect(page.locator(".lead")).to_have_text("Studio")
    assert figures(page) == told
    expect(page.get_by_role("link", name="Whole site")).to_have_count(0)
    answer = page.request.get("/metrics/?scope=site")
    assert "everybody’s jobs together" not in answer.text(), "only administrators see the site"


def test_an_administrator_sees_the_whole_site_without_names_of_projects(
    page: Page, portal: Portal, studio: Studio
) -> None:
    sign_in_as_admin(page, portal)
    page.goto("/metrics/?scope=site")
    expect(page.get_by_text("The whole site, everybody’s jobs together.")).to_be_visible()
    assert int(figures(page)["Jobs"].replace(",", "")) >= 3
    wait_until(page, DRAWN, 20)
    page.get_by_role("link", name="Only mine").click()
    expect(page.get_by_text("All your projects together.")).to_be_visible()


def test_a_model_says_where_it_comes_from_how_good_it_is_and_what_it_drew(page: Page, studio: Studio) -> None:
    studio.enter(page.context)
    page.goto("/models/")
    first = page.locator("article.model").first
    expect(first.locator(".status")).to_have_text("Default")
    for word in ("flow_fusion", "Training steps", "Learned from", "Weights (SHA-256)"):
        expect(first).to_contain_text(word)
    expect(first).not_to_contain_text("kept apart")
    first.get_by_role("link", name="benchmark").click()  # where models are compared, not by their runs' own pictures
    expect(page.get_by_role("heading", name="Benchmark")).to_be_in_viewport()
    pictures = first.locator("img")
    expect(pictures.first).to_be_visible()
    assert pictures.first.evaluate("(one) => one.complete && one.naturalWidth > 0")
    table = page.get_by_role("table").first
    means = [float(words) for words in table.locator("tbody tr td:nth-last-child(2)").all_inner_texts()]
    assert len(means) >= 4 and means == sorted(means, reverse=True)
    expect(table.locator("tbody tr").first).to_contain_text(first.locator("h2").inner_text())
    drawn = first.locator("a").filter(has=page.locator("img"))
    drawn.first.click()
    expect(page.locator("[data-result]")).to_be_visible()
