"""The queue in a real browser: two people see their places and not each other's work, the time left, and the end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.ops.portal import Portal

from .people import Caller, sign_up

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SECONDS = 180  # until a job is done, on a busy machine


def film(context: BrowserContext, project: str) -> tuple[Caller, str]:
    caller = Caller(context)
    return caller, caller.upload(caller.post("projects", {"name": project})["id"], sample="true")


def test_everybody_sees_their_own_place_and_of_others_only_that_they_are_there(
    chromium: Browser, portal: Portal, context: BrowserContext, page: Page
) -> None:
    theirs = chromium.new_context(base_url=portal.url)
    other = theirs.new_page()
    sign_up(other, "first-come")
    long, clip = film(theirs, "Their secret")
    sign_up(page, "next-in-line")
    mine, source = film(context, "My plan")
    running = long.start(clip, inbetween=10)
    waiting = mine.start(source, trim_end="0.3", resolution=[160, 90], inbetween=1)

    page.goto("/queue/")
    expect(page.locator(".queue li")).to_have_count(2)
    expect(page.locator(".queue li").first).to_contain_text("Somebody else’s job")
    expect(page.locator(".queue li.mine")).to_contain_text("My plan")
    expect(page.locator(".queue-own")).to_contain_text("1 job is before it.")
    assert "Their secret" not in page.content() and running not in page.content()
    other.goto("/queue/")
    expect(other.locator(".queue li.mine")).to_contain_text("Their secret")
    assert "My plan" not in other.content() and waiting not in other.content()
    expect(other.locator(".queue-own")).to_contain_text("Sample clip is running.")
    other.goto(f"/jobs/{running}/")
    other.get_by_role("button", name="Cancel").click()
    expect(other.get_by_text("Cancelled", exact=True)).to_be_visible()
    theirs.close()

    page.goto("/help/")  # wherever one is, the end is said
    note = page.locator(".toast-note")
    expect(note).to_contain_text("Sample clip is done.", timeout=SECONDS * 1000)
    note.get_by_role("link", name="Look at it").click()
    expect(page.locator("[data-result]")).to_be_visible()


@dataclass(frozen=True)
class Look:
    at: float
    stage: str
    percent: int
    left: float | None


def watched(caller: Caller, job: str) -> list[Look]:
    """How far it was, several times a second, until it was done."""
    looks: list[Look] = []
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found: dict[str, Any] = caller.request.get(f"/api/v1/jobs/{job}/").json()
        assert found["status"] in ("queued", "running", "succeeded"), found
        if found["status"] == "succeeded":
            return looks
        far = found["progress"]
        if found["status"] == "running":
            looks.append(Look(time.monotonic(), far["stage"], far["percent"], far["eta_seconds"]))
        time.sleep(0.15)
    raise AssertionError(f"Not done within {SECONDS} s: {looks[-1:]}")


def test_the_time_left_is_never_negative_and_ever_nearer_to_the_truth(context: BrowserContext, page: Page) -> None:
    sign_up(page, "impatient")
    caller, clip = film(context, "How long")
    job = caller.start(clip, resolution=[480, 270], inbetween=2, trim_end="1.2", held_out=False)
    page.goto(f"/jobs/{job}/")
    looks = watched(caller, job)
    end = time.monotonic()
    stages = list(dict.fromkeys(look.stage for look in looks))
    steps = [(stages.index(look.stage), look.percent) for look in looks]
    assert steps == sorted(steps), "neither a stage nor a per cent comes back"
    told = [look for look in looks if look.left is not None and look.stage == "interpolating"]
    assert len(told) >= 3 and all(look.left >= 0 for look in told if look.left is not None)
    first, last = (abs((look.left or 0) - (end - look.at)) for look in (told[0], told[-1]))
    assert last <= max(first, 2), "the last word about the time left is no further from the truth than the first"
    assert (told[-1].left or 0) <= max(2, (end - told[0].at) / 4), "it ends near zero"
    expect(page.locator("[data-result]")).to_be_visible()
