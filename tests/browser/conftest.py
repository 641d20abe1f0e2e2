"""A real portal (`manage.py up`: web server, workers, reaper) and a real headless Chromium for the tests here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.ops.portal import Portal

from .mailbox import Mailbox
from .people import SAMPLE, Caller, sign_up

CHROMIUM = os.environ.get("INBETWEEN_CHROMIUM") or "/usr/bin/chromium"
PATIENCE_MS = 30_000  # on a busy machine the process that looks into an upload alone takes seconds to start
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="package")  # not longer: as long as Playwright runs, Django takes us for asynchronous
def chromium() -> Iterator[Browser]:
    if not shutil.which(CHROMIUM):
        pytest.skip(f"There is no Chromium at {CHROMIUM}. Install it, or name it in INBETWEEN_CHROMIUM.")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as running:
        yield running
        running.shutdown()


@pytest.fixture(scope="package")
def portal(tmp_path_factory: pytest.TempPathFactory, mailbox: Mailbox) -> Iterator[Portal]:
    running = Portal(tmp_path_factory.mktemp("portal"), INBETWEEN_EMAIL=mailbox.url, INBETWEEN_TRAINING_WORKERS="0")
    running.start()
    yield running
    running.interrupt()
    running.clean_up()


@pytest.fixture
def context(chromium: Browser, portal: Portal) -> Iterator[BrowserContext]:
    made = chromium.new_context(base_url=portal.url, viewport={"width": 1440, "height": 900}, accept_downloads=True)
    made.set_default_timeout(PATIENCE_MS)
    yield made
    made.close()


@dataclass(frozen=True)
class Studio:
    """What a person has after a while: two finished jobs of one film, 30 frames of 160x90, and one of two pictures."""

    cookies: list[Any]
    project: str
    film: str
    jobs: tuple[str, str]
    still: str

    def enter(self, context: BrowserContext) -> Caller:
        """Signed in as "studio"."""
        context.add_cookies(self.cookies)
        return Caller(context)


@pytest.fixture(scope="package")
def studio(chromium: Browser, portal: Portal) -> Studio:
    """Made once for all tests that only look, or that put back what they change."""
    context = chromium.new_context(base_url=portal.url)
    sign_up(context.new_page(), "studio")
    caller = Caller(context)
    project = caller.post("projects", {"name": "Studio"})["id"]
    film = caller.upload(project, sample="true")
    pair = caller.upload(project, frame1=SAMPLE / "frame_a.png", frame2=SAMPLE / "frame_b.png")
    one, two = (caller.job(film, trim_end="1", resolution=[160, 90], inbetween=count) for count in (1, 2))
    still = caller.job(pair, inbetween=1, resolution=[160, 90])
    cookies = context.cookies()
    context.close()
    return Studio(cookies, project, film, (one, two), still)


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that must not complain: a script error or a refused script fails the test."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and "status of 4" not in message.text:  # refusals by design are 404 and 422
            complaints.append(message.text)

    made = context.new_page()
    made.on("console", listen)
    made.on("pageerror", lambda error: complaints.append(str(error)))
    yield made
    assert complaints == []


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample clip and two pictures of it, one of another size, as somebody would have them on a disk."""
    from PIL import Image

    sample = Path(__file__).parents[2] / "interpolation" / "sample"
    folder = tmp_path_factory.mktemp("footage")
    shutil.copy(sample / "big_buck_bunny.mp4", folder / "rabbit.mp4")
    for name, size in {"frame_a.png": (320, 180), "frame_b.png": (320, 180), "small_b.png": (240, 136)}.items():
        with Image.open(sample / name.replace("small", "frame")) as picture:
            picture.resize(size).save(folder / name)
    (folder / "words.mp4").write_text("just words")
    return folder
