"""`make screenshots`: pictures of the portal for README and help, from a real portal with real jobs.

python -m tests.browser.screenshots                    # the chosen ones into docs/screenshots
python -m tests.browser.screenshots --look FOLDER      # every page, at 1440, 1024 and 390 pixels, light and dark
... --url http://127.0.0.1:8000 --story story.json     # of a portal that runs; what was made there is written down
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, SWITCHES
from tests.browser.people import PASSWORD, SAMPLE, Caller, sign_in, sign_up
from tests.ops.portal import REPOSITORY, Portal

PICTURES = REPOSITORY / "docs" / "screenshots"
HELP_PICTURES = REPOSITORY / "static" / "img" / "help"
HELP = {"history", "new-job", "training", "two"}  # shown by the help page as well, smaller
WIDTHS = (1440, 1024, 390)
RUN_SECONDS = 900


@dataclass
class Story:
    """Addresses of what was made, and the administrator's password."""

    admin: str
    project: str = ""
    job: str = ""
    pictures: str = ""
    setup: str = ""
    compare: str = ""
    run: str = ""
    live: str = ""  # only while its pictures are taken


@dataclass(frozen=True)
class Shot:
    name: str
    path: str
    who: str = "ada"  # "" for a stranger
    width: int = 1440
    height: int = 900
    theme: str = "light"
    full: bool = False


def make_story(browser: Browser, url: str, admin: str) -> Story:
    """A person with a project, a film and two pictures, each with jobs that are really rendered, and a training run."""
    context = browser.new_context(base_url=url)
    page = context.new_page()
    sign_in(page, "ada", PASSWORD)
    if "/sign-in/" in page.url:
        sign_up(page, "ada")
    caller = Caller(context)
    project = caller.post("projects", {"name": "Meadow, first cut"})["id"]
    film = caller.upload(project, sample="true")
    pair = caller.upload(project, frame1=SAMPLE / "frame_a.png", frame2=SAMPLE / "frame_b.png")
    jobs = [
        caller.job(film, mode="smooth", inbetween=1),
        caller.job(film, mode="smooth", inbetween=1, model="blend"),
        caller.job(pair, inbetween=3),
    ]
    story = Story(
        admin,
        f"/projects/{project}/",
        f"/jobs/{jobs[0]}/",
        f"/jobs/{jobs[2]}/",
        f"/sources/{film}/jobs/new/",
        compare=f"/compare/?a={jobs[0]}&b={jobs[1]}#f=5&view=wipe&zoom=2,0.76,0.3",
    )
    context.close()
    story.run = _train(browser, url, admin)
    return story


def _path(page: Page) -> str:
    return re.sub(r"^https?://[^/]+", "", page.url)


def _train(browser: Browser, url: str, admin: str) -> str:
    context = browser.new_context(base_url=url)
    page = context.new_page()
    sign_in(page, "admin", admin)
    page.goto("/training/new/")
    page.fill("[name=name]", f"meadow {int(time.time()) % 100000}")
    values = {"epochs": 5, "steps_per_epoch": 8, "batch_size": 2, "crop": 96}
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for name, value in values.items():
        page.fill(f"[name={name}]", str(value))
    page.locator("form[data-training-form] button.btn-lg").click()
    page.wait_for_url(re.compile(r"/training/[0-9a-f-]+/$"))
    path = _path(page)
    for _ in range(RUN_SECONDS):
        if page.locator("#training-status .status.succeeded").count():
            break
        time.sleep(1)
    context.close()
    return path


@contextmanager
def under_way(browser: Browser, url: str, story: Story) -> Iterator[Story]:
    """With a job that is drawn meanwhile, for minutes, of which a part can be watched. It is deleted at the end."""
    context = browser.new_context(base_url=url)
    page = context.new_page()
    sign_in(page, "ada", PASSWORD)
    caller = Caller(context)
    job = caller.start(story.setup.split("/")[2], mode="slow", inbetween=10, resolution=[1280, 720])
    page.goto(f"/jobs/{job}/")
    page.locator("[data-part-words]", has_text="ready").wait_for(timeout=RUN_SECONDS * 1000)
    yield replace(story, live=f"/jobs/{job}/")
    caller.end(job)
    context.close()


CHOSEN = [
    Shot("under-way", "{live}"),
    Shot("landing", "/", who=""),
    Shot("new-job", "{setup}"),
    Shot("job", "{job}"),
    Shot("two", "{compare}"),
    Shot("history", "/history/"),
    Shot("models", "/models/"),
    Shot("training", "{run}", who="admin"),
    Shot("phone", "{job}", width=390, height=844, theme="dark"),
]


def every_page(story: Story) -> list[Shot]:
    strangers = {"landing": "/", "sign-in": "/sign-in/", "sign-up": "/sign-up/", "help": "/help/"}
    members = {
        "projects": "/projects/", "project": story.project, "new-job": story.setup, "job": story.job,
        "pictures": story.pictures, "history": "/history/", "two": story.compare, "queue": "/queue/",
        "models": "/models/", "metrics": "/metrics/", "account": "/account/", "404": "/nowhere/",
        "people": f"{story.project}people/", "links": f"{story.job}links/", "deleted": "/deleted/",
        "bake-off": "/models/bake-off/", "api": "/api/docs/", "refused": "/training/new/",
        "under-way": "{live}",
    }  # fmt: skip
    staff = {"training": "/training/", "training-new": "/training/new/", "training-run": story.run}
    return [
        Shot(name, path, who, width, 844 if width == 390 else 900, theme, full=True)
        for who, pages in (("", strangers), ("ada", members), ("admin", staff))
        for name, path in pages.items()
        for width in WIDTHS
        for theme in ("light", "dark")
    ]


def shoot(browser: Browser, url: str, story: Story, shots: list[Shot], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    states: dict[str, str] = {}
    for shot in shots:
        context = browser.new_context(
            base_url=url,
            viewport={"width": shot.width, "height": shot.height},
            color_scheme="dark" if shot.theme == "dark" else "light",
            reduced_motion="reduce",
            storage_state=json.loads(states[shot.who]) if shot.who in states else None,
        )
        page = context.new_page()
        page.on("console", lambda message, name=shot.name: message.type == "error" and print(name, message.text))
        if shot.who and shot.who not in states:
            sign_in(page, shot.who, PASSWORD if shot.who == "ada" else story.admin)
            states[shot.who] = json.dumps(context.storage_state())
        _visit(page, shot.path.format(**asdict(story)))
        if shot.full:
            _open_log(page)
        look = folder / (f"{shot.name}-{shot.width}-{shot.theme}.png" if shot.full else f"{shot.name}.png")
        page.screenshot(path=look, full_page=shot.full)
        context.close()
        print(look)


def _visit(page: Page, path: str) -> None:
    page.goto(path)
    if page.locator("[hx-trigger*=every]").count():  # it asks again and again
        page.wait_for_timeout(1500)
    else:
        page.wait_for_load_state("networkidle")
    _scroll_through(page)
    page.wait_for_timeout(700)
    if "#" in path and "=" not in path.split("#")[1]:
        page.evaluate(f"document.getElementById('{path.split('#')[1]}').scrollIntoView()")
        page.wait_for_timeout(500)


def _open_log(page: Page) -> None:
    """Of a job that runs: its last lines."""
    log = page.locator(".live ~ .curious [data-log] summary")
    if log.count():
        log.click()
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(700)


def _scroll_through(page: Page) -> None:
    """Pictures further down are loaded when they come into view."""
    height = int(page.evaluate("document.documentElement.scrollHeight"))
    for top in range(0, height, 700):
        page.evaluate(f"scrollTo(0, {top})")
        page.wait_for_timeout(60)
    page.evaluate("scrollTo(0, 0)")


def publish(taken: Path) -> None:
    """As WebP, a tenth as large, into docs/screenshots; some also for the help page, smaller."""
    for file in taken.glob("*.png"):
        with Image.open(file) as opened:
            picture = opened.convert("RGB")
        picture.save(PICTURES / f"{file.stem}.webp", quality=82, method=6)
        if file.stem in HELP:
            smaller = picture.resize((1200, 750), Image.Resampling.LANCZOS)
            smaller.save(HELP_PICTURES / f"{file.stem}.webp", quality=80, method=6)


@contextmanager
def portal_of_ours() -> Iterator[tuple[str, str]]:
    """(address, administrator's password) of a portal that is there for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="inbetween-screenshots-") as data:
        portal = Portal(Path(data))
        portal.start()
        try:
            yield portal.url, re.findall(r"with the password (\S+)", portal.output)[0]
        finally:
            portal.interrupt()
            portal.clean_up()


@contextmanager
def portal_given(url: str, admin: str) -> Iterator[tuple[str, str]]:
    yield url, admin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--look", type=Path, help="folder for pictures of every page")
    parser.add_argument("--only", default="", help="names of pages, separated by commas")
    parser.add_argument("--url", help="a portal that runs already")
    parser.add_argument("--admin", default="", help="the password of its administrator")
    parser.add_argument("--story", type=Path, help="file that remembers what was made there")
    given = parser.parse_args()
    told = given.story and given.story.is_file()
    with (
        portal_given(given.url, given.admin) if given.url else portal_of_ours() as (url, admin),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        story = Story(**json.loads(given.story.read_text())) if told else make_story(browser, url, admin)
        if given.story:
            given.story.write_text(json.dumps(asdict(story)))
        shots = every_page(story) if given.look else CHOSEN
        wanted = set(filter(None, given.only.split(",")))
        shots = [shot for shot in shots if not wanted or shot.name in wanted]
        live = [shot for shot in shots if shot.path in ("{live}", "/queue/")]
        with tempfile.TemporaryDirectory() as folder:
            place = given.look or Path(folder)
            if live:
                with under_way(browser, url, story) as story_now:
                    shoot(browser, url, story_now, live, place)
            shoot(browser, url, story, [shot for shot in shots if shot not in live], place)
            publish(Path(folder))
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
