"""How long from the click on "Generate" until the preview can be seen: `python -m tests.ops.measure_click_to_preview`.

A real portal, a real headless Chromium, two pictures of 1280x720. Times are seconds from the click until the player in
the page has a picture, and until the page with the whole result is there. The first job is not counted. Give the
pictures (two files) and the number of new pictures; without, the sample's two pictures are enlarged.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Error, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, SWITCHES
from tests.browser.test_story import make_project, sign_up, upload
from tests.ops.portal import Portal

SIZE = (1280, 720)
PREVIEW = "[...document.querySelectorAll('[data-parts] video.front, [data-result]')].some((v) => v.readyState >= 2)"
RESULT = "(document.querySelector('[data-result]')?.readyState ?? 0) >= 2"


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("pictures", nargs="*", type=Path)
    given.add_argument("--between", type=int, default=1)
    given.add_argument("--times", type=int, default=10)
    options = given.parse_args()
    folder = Path(tempfile.mkdtemp())
    portal = Portal(folder / "portal")
    try:
        portal.start()
        measure(portal, enlarged(options.pictures or samples(), folder), options.between, options.times)
    finally:
        portal.interrupt()
        portal.clean_up()
        shutil.rmtree(folder)


def measure(portal: Portal, pictures: list[Path], between: int, times: int) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        page = browser.new_context(base_url=portal.url).new_page()
        sign_up(page, "clock")
        make_project(page, "Clock")
        upload(page, *pictures)
        page.get_by_role("button", name="Upload both").click()
        page.wait_for_url("**/jobs/new/", timeout=60_000)
        form, found = page.url, []
        for number in range(times + 1):
            found.append(one(page, form, between))
            load = os.getloadavg()[0]
            print(
                f"{number:2d}  preview {found[-1][0]:.2f} s  result {found[-1][1]:.2f} s  load {load:.1f}", flush=True
            )
        browser.close()
    for name, column in (("preview", 0), ("result", 1)):
        counted = [row[column] for row in found[1:]]
        print(f"{name}: median {statistics.median(counted):.2f} s, {min(counted):.2f} to {max(counted):.2f}")


def one(page: Page, form: str, between: int) -> tuple[float, float]:
    page.goto(form)
    page.get_by_label("In-between frames", exact=True).fill(str(between))
    page.wait_for_timeout(2500)  # the line beside the button is worked out; and what the last job left to do is done
    begun = time.monotonic()
    page.get_by_role("button", name="Generate").click(no_wait_after=True)
    preview = until(page, form, PREVIEW) - begun
    return preview, until(page, form, RESULT) - begun


def until(page: Page, form: str, truth: str) -> float:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if page.url != form and page.evaluate(truth):
                return time.monotonic()
        except Error:  # the page is just being loaded anew
            pass
        page.wait_for_timeout(20)
    raise SystemExit("No result within two minutes.")


def samples() -> list[Path]:
    folder = Path(__file__).parents[2] / "interpolation" / "sample"
    return [folder / "frame_a.png", folder / "frame_b.png"]


def enlarged(pictures: list[Path], folder: Path) -> list[Path]:
    made = []
    for number, path in enumerate(pictures):
        with Image.open(path) as picture:
            picture.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS).save(folder / f"picture{number}.png")
        made.append(folder / f"picture{number}.png")
    return made


if __name__ == "__main__":
    main()
