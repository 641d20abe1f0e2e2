"""After a run was stopped, in a real browser: its pictures, one curve over a stop, two runs compared, and the gate."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.ops.portal import REPOSITORY, Portal

from .conftest import PATIENCE_MS
from .test_keyboard_alone import choose, follow, tab_to
from .test_pages_for_everybody import usable
from .test_story import wait_until
from .test_training import sign_in_as_admin

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG_MS = 180_000  # for a few steps, on a busy machine
STEPS = "document.querySelector('[data-chart-of=loss]').data[0].x"


def write(page: Page, label: str, value: str | int) -> None:
    """In the place of what stands there: Tab selects it."""
    tab_to(page, label)
    page.keyboard.type(str(value))


def start(page: Page, name: str, epochs: int, batch: int) -> str:
    """A run of two steps an epoch, started by keys alone; its address once the first epoch is over."""
    page.goto("/training/new/")
    for label, value in (("Name", name), ("Epochs", epochs)):
        write(page, label, value)
    choose(page, "More settings")
    for label, value in (
        ("Steps in an epoch", 2),
        ("Batch size", batch),
        ("Crop, pixels", 64),
        ("Triplets kept apart", 4),
    ):
        write(page, label, value)
    choose(page, "Start training")
    expect(page.locator("#training-epochs tbody tr").first).to_be_visible(timeout=LONG_MS)
    return page.url


def stop(page: Page) -> None:
    page.once("dialog", lambda dialog: dialog.accept())
    choose(page, "Stop")
    expect(page.locator("#training-status .status.cancelled")).to_be_visible(timeout=LONG_MS)


@pytest.fixture(scope="module")
def runs(chromium: Browser, portal: Portal) -> tuple[dict[str, str], list[Any]]:
    """Addresses of a run that was stopped and of one that is done; cookies of the administrator."""
    context = chromium.new_context(base_url=portal.url)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    sign_in_as_admin(page, portal)
    done = start(page, "short run", 1, 2)
    expect(page.locator("#training-status .status.succeeded")).to_be_visible(timeout=LONG_MS)
    stopped = start(page, "long run", 400, 1)
    expect(page.locator("#training-epochs tbody tr").nth(1)).to_be_visible(timeout=LONG_MS)
    stop(page)
    found = {"done": done, "stopped": stopped}, context.cookies()
    context.close()
    return found


@pytest.fixture
def addresses(context: BrowserContext, runs: tuple[dict[str, str], list[Any]]) -> dict[str, str]:
    """Signed in as the administrator."""
    context.add_cookies(runs[1])
    return runs[0]


def test_the_form_of_a_run_can_be_used_by_everybody(page: Page, addresses: dict[str, str]) -> None:
    page.goto("/training/new/")
    page.get_by_text("More settings").click()
    page.get_by_text("Footage and scenes", exact=True).click()
    usable(page)


def test_what_to_start_from_is_offered_once(page: Page, addresses: dict[str, str]) -> None:
    page.goto("/training/new/")
    offered = page.get_by_label("Start from").locator("option").all_inner_texts()
    assert offered[0] == "Nothing: from scratch" and len(offered) > 1
    names = [name for one in offered[1:] for name in re.findall(r"\w+", one) if name != "also"]
    assert len(names) == len(set(names))


def test_every_epoch_shows_what_it_draws(page: Page, addresses: dict[str, str]) -> None:
    page.goto(addresses["stopped"])
    row = page.locator(".seen-row").first
    row.scroll_into_view_if_needed()
    expect(row.locator("figcaption")).to_have_text(
        ["before", "after", "true middle", re.compile("drawn"), "error", "motion"]
    )
    wait_until(page, "[...document.querySelectorAll('.seen-row:first-of-type img')].every((one) => one.naturalWidth)")
    usable(page)
    newest = row.locator("img").nth(3).get_attribute("src")
    page.get_by_label("Epoch", exact=True).select_option("1")
    expect(page.locator(".seen-row").first.locator("img").nth(3)).not_to_have_attribute("src", newest or "")


def test_a_stopped_run_goes_on_in_the_same_curve(page: Page, addresses: dict[str, str]) -> None:
    page.goto(addresses["stopped"])
    wait_until(page, f"({STEPS}).length >= 2")
    before = page.evaluate(STEPS)
    epochs = page.locator("#training-epochs tbody tr").count()
    choose(page, "Go on")
    expect(page.locator("#training-epochs tbody tr").nth(epochs)).to_be_visible(timeout=LONG_MS)
    stop(page)
    after = page.evaluate(STEPS)
    assert after[: len(before)] == before and len(after) > len(before)
    assert after == sorted(set(after)), "no step twice"
    numbers = page.locator("#training-epochs tbody th").all_inner_texts()
    assert [int(re.sub(r"\D", "", words)) for words in numbers] == list(range(len(numbers), 0, -1))


def test_two_runs_are_laid_over_each_other(page: Page, addresses: dict[str, str]) -> None:
    page.goto("/training/")
    for name in ("long run", "short run"):
        tab_to(page, f"Compare {name}")
        page.keyboard.press(" ")
    follow(page, "Compare the ticked ones")
    for chart in ("psnr", "loss"):
        lines = f"(document.querySelector('[data-chart-of={chart}]')?.data || []).map((one) => one.name)"
        wait_until(page, f"['short run', 'long run'].every((name) => ({lines}).some((one) => one.includes(name)))")
    usable(page)
    differing = page.locator("table.differing tbody")
    expect(differing).to_contain_text("2 crops of 64 px")
    expect(differing).to_contain_text("1 crops of 64 px")


@pytest.fixture
def benchmark(portal: Portal) -> Iterator[Path]:
    """The portal's own copy of the benchmark's figures, and its models as they were afterwards."""
    path, weights = portal.models / "benchmark.json", portal.models / "trained_model.pth"
    yield path
    for file in (path, weights, portal.models / "trained_model_history.json"):
        file.unlink(missing_ok=True)
        file.symlink_to(REPOSITORY / "models" / file.name)


def measured(path: Path, sha256: str, name: str, better: float) -> None:
    """As `manage.py benchmark` writes it, had it measured these weights and found them better by so many dB."""
    figures = json.loads((REPOSITORY / "models" / "benchmark.json").read_text())
    default = next(one for one in figures["methods"] if one["name"] == "trained_model")
    figures["methods"].append(default | {"name": name, "label": name, "sha256": sha256})
    for scores in figures["scores"].values():
        scores[name] = scores["trained_model"] | {"psnr": scores["trained_model"]["psnr"] + better}
    path.unlink()
    path.write_text(json.dumps(figures))


def test_only_what_the_benchmark_found_better_becomes_the_default(
    page: Page, addresses: dict[str, str], benchmark: Path
) -> None:
    page.goto(addresses["done"])
    button = page.locator("#training-gate button")
    expect(page.locator("#training-gate")).to_contain_text("manage.py benchmark --triplets")
    expect(button).to_be_disabled()
    sha256 = page.locator("#training-status .mono").get_attribute("title") or ""

    measured(benchmark, sha256, "short_run", -0.4)
    page.reload()
    expect(page.locator("#training-gate")).to_contain_text("-0.40 dB against the present default: not better.")
    expect(button).to_be_disabled()
    button.evaluate("(one) => { one.disabled = false; }")  # the server does not believe the page
    button.click()
    expect(page.locator(".notice.error")).to_contain_text("not better")

    measured(benchmark, sha256, "short_run", 0.25)
    page.reload()
    expect(page.locator("#training-gate .status")).to_have_text("Better")
    choose(page, button.inner_text())
    expect(page.locator(".notice.success")).to_contain_text("short_run is the default now: +0.25 dB")
    expect(page.locator("#training-gate")).to_contain_text("New jobs use these weights")
    page.goto("/models/")
    first = page.locator("article.model").first
    expect(first).to_contain_text("Default")
    expect(first.locator(f"[title='{sha256}']")).to_be_visible()
