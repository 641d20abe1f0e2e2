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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import APIResponse, Browser, BrowserContext, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, SWITCHES
from tests.ops.portal import REPOSITORY, Portal

PASSWORD = "correct-horse-9"
SAMPLE = REPOSITORY / "interpolation" / "sample"
PICTURES = REPOSITORY / "docs" / "screenshots"
HELP = {"history"}
WIDTHS = (1440, 1024, 390)
JOB_SECONDS = 600
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


@dataclass(frozen=True)
class Shot:
    name: str
    path: str
    who: str = "ada"  # "" for a stranger
    width: int = 1440
    height: int = 900
    theme: str = "light"
    full: bool = False


def sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/sign-in/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", password)
    page.locator("main form button").click()
    page.wait_for_load_state()


def sign_up(page: Page, name: str) -> None:
    page.goto("/sign-up/")
    for field, value in {"username": name, "password1": PASSWORD, "password2": PASSWORD}.items():
        page.fill(f"[name={field}]", value)
    page.locator("main form button").click()
    page.wait_for_load_state()


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
        caller.job(film, mode="slow", inbetween=2, sound="drop"),
        caller.job(pair, inbetween=3),
    ]
    story = Story(
        admin,
        f"/projects/{project}/",
        f"/jobs/{jobs[0]}/",
        f"/jobs/{jobs[2]}/",
        f"/sources/{film}/jobs/new/",
        compare=f"/compare/?a={jobs[0]}&b={jobs[1]}#f=45&view=wipe",
    )
    context.close()
    story.run = _train(browser, url, admin)
    return story


class Caller:
    """The portal's API, as whoever is signed in in the browser."""

    def __init__(self, context: BrowserContext) -> None:
        token = next(cookie["value"] for cookie in context.cookies() if cookie["name"] == "csrftoken")
        self.request, self.headers = context.request, {"X-CSRFToken": token}

    def post(self, what: str, data: dict[str, Any]) -> dict[str, Any]:
        return self._read(self.request.post(f"/api/v1/{what}/", data=data, headers=self.headers))

    def upload(self, project: str, **parts: Any) -> str:
        parts = {name: str(part) if isinstance(part, str) else _file(part) for name, part in parts.items()}
        answer = self.request.post(
            "/api/v1/sources/", multipart={"project": project, **parts}, headers=self.headers, timeout=60_000
        )
        return str(self._read(answer)["id"])

    def job(self, source: str, **options: Any) -> str:
        job = str(self.post("jobs", {"source": source, "options": options})["id"])
        for _ in range(JOB_SECONDS):
            found = self._read(self.request.get(f"/api/v1/jobs/{job}/"))
            if found["status"] == "succeeded":
                return job
            if found["status"] not in ("queued", "running"):
                raise SystemExit(f"The job {job} did not succeed: {found}")
            time.sleep(1)
        raise SystemExit(f"The job {job} took longer than {JOB_SECONDS} s.")

    def _read(self, answer: APIResponse) -> dict[str, Any]:
        if not answer.ok:
            raise SystemExit(f"{answer.url}: {answer.status} {answer.text()}")
        found: dict[str, Any] = answer.json()
        return found


def _file(path: Path) -> dict[str, Any]:
    return {"name": path.name, "mimeType": "image/png", "buffer": path.read_bytes()}


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


CHOSEN = [
    Shot("landing", "/", who=""),
    Shot("project", "{project}"),
    Shot("new-job", "{setup}"),
    Shot("job", "{job}"),
    Shot("compare", "{pictures}#compare"),
    Shot("two", "{compare}"),
    Shot("history", "/history/"),
    Shot("models", "/models/"),
    Shot("training", "{run}", who="admin"),
    Shot("metrics", "/metrics/"),
    Shot("phone", "{job}", width=390, height=844, theme="dark"),
]


def every_page(story: Story) -> list[Shot]:
    strangers = {"landing": "/", "sign-in": "/sign-in/", "sign-up": "/sign-up/", "help": "/help/"}
    members = {
        "projects": "/projects/", "project": story.project, "new-job": story.setup, "job": story.job,
        "pictures": story.pictures, "history": "/history/", "two": story.compare, "queue": "/queue/",
        "models": "/models/", "metrics": "/metrics/", "account": "/account/", "404": "/nowhere/",
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
        look = folder / (f"{shot.name}-{shot.width}-{shot.theme}.png" if shot.full else f"{shot.name}.png")
        page.screenshot(path=look, full_page=shot.full)
        context.close()
        print(look)


def _visit(page: Page, path: str) -> None:
    page.goto(path)
    page.wait_for_load_state("networkidle") if "queue" not in path else page.wait_for_timeout(500)
    _scroll_through(page)
    page.wait_for_timeout(700)
    if "#" in path and "=" not in path.split("#")[1]:
        page.evaluate(f"document.getElementById('{path.split('#')[1]}').scrollIntoView()")
        page.wait_for_timeout(500)


def _scroll_through(page: Page) -> None:
    """Pictures further down are loaded when they come into view."""
    height = int(page.evaluate("document.documentElement.scrollHeight"))
    for top in range(0, height, 700):
        page.evaluate(f"scrollTo(0, {top})")
        page.wait_for_timeout(60)
    page.evaluate("scrollTo(0, 0)")


def for_help(taken: set[str]) -> None:
    """The help page shows some of them, smaller."""
    folder = REPOSITORY / "static" / "img" / "help"
    folder.mkdir(parents=True, exist_ok=True)
    for name in HELP & taken:
        with Image.open(PICTURES / f"{name}.png") as picture:
            picture.convert("RGB").resize((1200, 750), Image.Resampling.LANCZOS).save(
                folder / f"{name}.webp", quality=80, method=6
            )


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
        shoot(browser, url, story, shots, given.look or PICTURES)
        if not given.look:
            for_help({shot.name for shot in shots})
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
