"""Somebody at the portal: signs up and in, and calls its API as whoever is signed in in the browser."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from playwright.sync_api import APIResponse, BrowserContext, Page

from tests.ops.portal import REPOSITORY

PASSWORD = "correct-horse-9"
SAMPLE = REPOSITORY / "interpolation" / "sample"
JOB_SECONDS = 600


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
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

    def start(self, source: str, **options: Any) -> str:
        return str(self.post("jobs", {"source": source, "options": options})["id"])

    def end(self, job: str) -> None:
        """Cancelled and deleted, whatever it was doing."""
        self._read(self.request.post(f"/api/v1/jobs/{job}/cancel/", headers=self.headers))
        deadline = time.monotonic() + 60
        while (
            self._read(self.request.get(f"/api/v1/jobs/{job}/"))["status"] == "running" and time.monotonic() < deadline
        ):
            time.sleep(0.2)
        answer = self.request.delete(f"/api/v1/jobs/{job}/", headers=self.headers)
        assert answer.ok, f"{answer.url}: {answer.status} {answer.text()}"

    def job(self, source: str, **options: Any) -> str:
        """Started, and waited for."""
        job = self.start(source, **options)
        deadline = time.monotonic() + JOB_SECONDS
        while time.monotonic() < deadline:
            found = self._read(self.request.get(f"/api/v1/jobs/{job}/"))
            if found["status"] == "succeeded":
                return job
            if found["status"] not in ("queued", "running"):
                raise AssertionError(f"The job {job} did not succeed: {found}")
            time.sleep(0.2)
        raise AssertionError(f"The job {job} took longer than {JOB_SECONDS} s.")

    def _read(self, answer: APIResponse) -> dict[str, Any]:
        assert answer.ok, f"{answer.url}: {answer.status} {answer.text()}"
        found: dict[str, Any] = answer.json()
        return found


def _file(path: Path) -> dict[str, Any]:
    return {"name": path.name, "mimeType": "image/png", "buffer": path.read_bytes()}
