"""The form of a new job in a real browser: what does not fit cannot be chosen, and what is chosen is what comes out."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine.video import probe
from tests.browser.test_story import downloaded, make_project, sign_up, upload, watch_until_done

pytestmark = [pytest.mark.browser, pytest.mark.slow]

UNFIT = "select => [...select.options].filter(option => option.disabled).map(option => option.value)"


def test_only_what_fits_can_be_chosen_and_a_looping_gif_of_a_part_comes_out(
    page: Page, footage: Path, tmp_path: Path
) -> None:
    sign_up(page, "lotte")
    make_project(page, "Silhouettes")
    upload(page, footage / "rabbit.mp4")
    expect(page.get_by_role("heading", name="rabbit.mp4")).to_be_visible(timeout=30_000)
    page.locator("details.more summary", has_text="More").first.click()
    sound, repeats, loop = (page.locator(f"#{name}") for name in ("sound", "duplicates", "loop"))

    assert (sound.evaluate(UNFIT), sound.input_value()) == (["stretch"], "keep")
    page.get_by_text("Slow motion", exact=True).click()
    assert (sound.evaluate(UNFIT), sound.input_value()) == (["keep"], "drop")
    sound.select_option("stretch")
    page.get_by_text("Smooth", exact=True).click()
    assert sound.input_value() == "keep"
    page.get_by_text("Slow motion", exact=True).click()
    assert (sound.input_value(), repeats.evaluate(UNFIT)) == ("stretch", ["drop"])

    page.get_by_text("Smooth", exact=True).click()
    repeats.select_option("drop")
    expect(loop).to_be_disabled()
    expect(page.locator("#prediction")).to_contain_text("At most")
    repeats.select_option("keep")
    loop.check()
    page.get_by_label("Format").select_option("gif")
    for name in ("sound", "crf", "encoder", "bit_depth"):
        expect(page.locator(f"#{name}")).to_be_hidden()
    page.get_by_label("Size of the result").select_option("custom")
    page.get_by_label("Width × height").fill("160x90")
    page.get_by_label("Measure quality on held-out frames").uncheck()
    page.locator("#quality").fill("20")
    expect(page.locator("[data-quality-word]")).to_contain_text("Small file")

    page.get_by_label("From", exact=True).fill("1")
    page.get_by_label("To", exact=True).fill("0.5")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_text("The end of the part to use lies before its start.")).to_be_visible()
    expect(loop).to_be_checked()
    page.get_by_text("Exact frame rate", exact=True).click()
    page.get_by_label("Frames per second").fill("20")
    page.get_by_label("To", exact=True).fill("0:01,3")
    expect(page.locator("#prediction")).to_contain_text("6 frames, 3 of them new")
    page.get_by_role("button", name="Generate").click()
    watch_until_done(page)
    assert probe(downloaded(page, "GIF", tmp_path)).frame_count == 6
