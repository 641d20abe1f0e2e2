"""Finding jobs again in a real browser: words, filters, order, tags, notes; several deleted and brought back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .conftest import Studio
from .test_keyboard_alone import choose, follow, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def names(page: Page, count: int) -> list[str]:
    rows = page.locator(".job-row h2")
    expect(rows).to_have_count(count)
    return rows.all_inner_texts()


def tick_all(page: Page, count: int) -> None:
    """By keys: j goes to the next job, x ticks it."""
    for _ in range(count):
        page.keyboard.press("j")
        page.keyboard.press("x")
    expect(page.get_by_text(f"{count} jobs ticked")).to_be_visible()


def test_words_filters_and_order_narrow_the_list_and_stand_in_the_address(page: Page, studio: Studio) -> None:
    studio.enter(page.context)
    page.goto("/history/")
    assert names(page, 3) == ["frame_a.png + frame_b.png", "Sample clip", "Sample clip"]
    page.get_by_label("Order").select_option("Oldest first")
    expect(page.locator(".job-row h2").first).to_have_text("Sample clip")
    page.get_by_label("Search").fill("frame_a")
    assert names(page, 1) == ["frame_a.png + frame_b.png"]
    expect(page).to_have_url(re.compile(r"\?(?=.*q=frame_a)(?=.*sort=oldest)"))

    page.reload()  # a bookmark shows the same
    assert names(page, 1) == ["frame_a.png + frame_b.png"]
    page.get_by_role("link", name="show all").click()
    page.get_by_label("State").select_option("Failed")
    expect(page.get_by_role("heading", name="Nothing fits")).to_be_visible()
    page.get_by_label("State").select_option("Done")
    names(page, 3)
    page.get_by_label("Size").select_option("HD, 1280 and up")
    expect(page.get_by_role("heading", name="Nothing fits")).to_be_visible()
    page.get_by_label("Size").select_option("Below HD")
    names(page, 3)
    page.get_by_label("From").fill("2020-01-01")
    names(page, 3)
    page.get_by_label("To", exact=True).fill("2020-01-02")
    expect(page.get_by_role("heading", name="Nothing fits")).to_be_visible()


def test_tags_and_notes_are_kept_found_and_shown_by_keys_alone(page: Page, studio: Studio) -> None:
    studio.enter(page.context)
    page.goto(f"/jobs/{studio.still}/")
    choose(page, "Tags and notes")
    for label, text in (("Tags, separated by commas", "butterfly, keeper"), ("Notes", "The wing is the proof.")):
        tab_to(page, label)
        page.keyboard.type(text)
    follow(page, "Keep")
    page.goto("/history/")
    for word in ("butterfly", "wing"):
        page.get_by_label("Search").fill(word)
        assert names(page, 1) == ["frame_a.png + frame_b.png"]
    expect(page.locator(".job-row")).to_contain_text("The wing is the proof.")

    page.goto("/history/?q=sample")
    tick_all(page, 2)
    tab_to(page, "Tags to add.*")
    page.keyboard.type("rabbit")
    choose(page, "Add tag")
    expect(page.get_by_text("2 jobs tagged.")).to_be_visible()
    choose(page, "rabbit")
    expect(page).to_have_url(re.compile("tag=rabbit"))
    assert names(page, 2) == ["Sample clip", "Sample clip"]


def test_what_does_not_fit_what_is_ticked_cannot_be_pressed(page: Page, studio: Studio) -> None:
    studio.enter(page.context)
    page.goto("/history/")
    button = {name: page.get_by_role("button", name=name) for name in ("Compare two", "Retry", "Delete")}
    button["Again"] = page.get_by_role("button", name=re.compile("^Again with trained_model"))
    for one in button.values():
        expect(one).to_be_disabled()
    film, other, pair = (page.locator(f"#tick-{job}") for job in (*studio.jobs, studio.still))
    film.check()
    pair.check()
    expect(page.get_by_text("2 jobs ticked")).to_be_visible()
    expect(button["Compare two"]).to_be_disabled()  # of two sources
    expect(button["Delete"]).to_be_enabled()
    expect(button["Again"]).to_be_disabled()  # it was that model that drew them
    pair.uncheck()
    other.check()
    choose(page, "Compare two")
    page.wait_for_url(re.compile("/compare/"))
    differs = page.locator("[aria-labelledby=settings] tbody tr")
    expect(differs).to_have_count(1)
    expect(differs).to_contain_text("In-between frames")


def test_several_are_deleted_at_once_and_brought_back_twice(page: Page, studio: Studio) -> None:
    studio.enter(page.context)
    for way in ("at once", "later"):
        page.goto("/history/")
        for job in studio.jobs:
            page.locator(f"#tick-{job}").check()
        page.get_by_role("button", name="Delete").click()
        expect(page.get_by_text("2 jobs are deleted.")).to_be_visible()
        assert names(page, 1) == ["frame_a.png + frame_b.png"]
        answer = page.request.get(f"/jobs/{studio.jobs[0]}/")
        assert answer.status == 404
        if way == "at once":
            follow(page, "Undo")
        else:
            for _ in studio.jobs:
                page.goto("/deleted/")
                choose(page, r"Bring back\s+Sample clip")
                expect(page.locator(".notice.success")).to_be_visible()
        page.goto("/history/")
        names(page, 3)
    page.goto(f"/jobs/{studio.jobs[0]}/")
    expect(page.locator("[data-result]")).to_be_visible()
