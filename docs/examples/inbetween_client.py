#!/usr/bin/env python3
"""A client of Inbetween in one file, with nothing but Python's standard library.

    python inbetween_client.py clip.mp4 result.mp4 --inbetween 3 --mode slow

It takes the portal's address from INBETWEEN_URL (default http://127.0.0.1:8000) and the token from INBETWEEN_TOKEN.
As a module:

    portal = Portal("http://127.0.0.1:8000", token)
    project = portal.project_create("Holiday")
    source = portal.upload(project["id"], Path("clip.mp4"))
    job = portal.wait(portal.job_create(source["id"], {"mode": "slow", "inbetween": 3}))
    portal.download(job, Path("result.mp4"))
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, TypedDict, TypeVar, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

LARGE = 32 << 20  # bytes: larger files go in pieces of that size, so that a line that breaks costs one of them
TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
TRIES = 5  # of a call that did not come through
LONGEST_PAUSE = 30.0  # seconds between two tries
BUSY = (423, 429, 502, 503, 504)  # answers after which the same call is made again
BROKEN_LINE = (URLError, ConnectionError, TimeoutError, HTTPException)
T = TypeVar("T")
BakeOff = dict[str, Any]


class Progress(TypedDict):
    status: str
    stage: str
    percent: int
    queue_position: int | None
    error: str


class Job(TypedDict):
    """What this file uses of a job; the portal's /api/docs/ shows all of it."""

    id: str
    status: str
    progress: Progress
    figures: dict[str, Any]
    downloads: dict[str, str]


class Named(TypedDict):
    """A project, or a source."""

    id: str
    name: str


@dataclass(eq=False)
class ProblemError(Exception):
    """The portal refused: RFC 9457. `errors` names single fields: {"field", "pointer", "detail"}."""

    status: int
    code: str
    detail: str
    errors: list[dict[str, str]] = field(default_factory=list)
    retry_after: float = 0.0  # seconds, if the portal said so

    def __str__(self) -> str:
        return f"{self.detail} ({self.status} {self.code})"


class JobFailedError(Exception):
    """The job ended without a result."""


class _NoRedirects(HTTPRedirectHandler):
    """A token is not carried elsewhere."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class Portal:
    def __init__(self, url: str, token: str, timeout: float = 60.0) -> None:
        self.url, self.timeout = url.rstrip("/"), timeout
        self.headers = {"Authorization": f"Token {token}", "Accept": "application/json"}
        self.opener = build_opener(_NoRedirects)

    # -- What one does -------------------------------------------------------------------------------------------------

    def project_create(self, name: str) -> Named:
        return cast(Named, self.call("POST", "projects/", {"name": name}))

    def upload(self, project: str, video: Path, *, fps: str | None = None) -> Named:
        """A video, or a zip of numbered pictures of which `fps` are shown a second. Large files go in pieces."""
        facts = {"project": project, **({"fps": fps} if fps else {})}
        if video.stat().st_size > LARGE:
            return self.upload_in_pieces(facts, video)
        return self.upload_form(facts, {"video": video})

    def upload_pictures(self, project: str, first: Path, second: Path) -> Named:
        """Two pictures between which new ones are drawn."""
        return self.upload_form({"project": project}, {"frame1": first, "frame2": second})

    def sample(self, project: str) -> Named:
        """The clip that comes with the portal."""
        return cast(Named, self.call("POST", "sources/", {"project": project, "sample": True}))

    def job_create(self, source: str, options: Mapping[str, Any] | None = None, **more: Any) -> Job:
        """more: tags, notes, webhook."""
        return cast(Job, self.call("POST", "jobs/", {"source": source, "options": dict(options or {}), **more}))

    def job(self, number: str) -> Job:
        return cast(Job, self.call("GET", f"jobs/{number}/"))

    def jobs(self, **filters: str) -> Iterator[Job]:
        """All that fit, newest first, over as many pages as there are: status="failed", project=..., tag=..."""
        address = f"jobs/?{urlencode(filters)}"
        while address:
            page = self.call("GET", address)
            yield from page["results"]
            address = page["next"]

    def cancel(self, job: Job) -> Job:
        return cast(Job, self.call("POST", f"jobs/{job['id']}/cancel/"))

    def wait(self, job: Job, on_change: Callable[[Job], None] = lambda job: None, pause: float = 0.5) -> Job:
        """The job when it is done. Raises JobFailedError if it failed, or was cancelled."""
        looks, said = longer_and_longer(pause), None
        while job["status"] not in ("succeeded", "failed", "cancelled"):
            next(looks)
            job = self.job(job["id"])
            now = (job["status"], job["progress"]["stage"], job["progress"]["percent"])
            if now != said:
                said = now
                on_change(job)
        if job["status"] != "succeeded":
            raise JobFailedError(job["progress"]["error"] or f"The job was {job['status']}.")
        return job

    def download(self, job: Job, target: Path, what: str = "master") -> Path:
        """The film ("master"), its new frames as a zip ("pictures"), or "figures"."""
        return self.fetch(job["downloads"][what], target)

    def bake_off(self, source: str, first: str, second: str, pause: float = 0.5) -> BakeOff:
        """Has two models draw the same clip. Then fetch both `film`s of `sides`, look, and vote."""
        made: BakeOff = self.call("POST", "bake-offs/", {"source": source, "first": first, "second": second})
        looks = longer_and_longer(pause)
        while made["stage"] == "drawing":
            next(looks)
            made = self.call("GET", f"bake-offs/{made['id']}/")
        if made["stage"] == "broken":
            raise JobFailedError("One of the two films was not finished.")
        return made

    def vote(self, bake_off: BakeOff, side: str) -> BakeOff:
        """side: "a", "b" or "tie". The sides of the answer are those of the next round."""
        judged = {"round": bake_off["round"], "side": side}
        return cast(BakeOff, self.call("POST", f"bake-offs/{bake_off['id']}/vote/", judged))

    def reveal(self, bake_off: BakeOff) -> BakeOff:
        """`verdict`: which model got how many votes. No more votes from then on."""
        return cast(BakeOff, self.call("POST", f"bake-offs/{bake_off['id']}/reveal/"))

    # -- Files ---------------------------------------------------------------------------------------------------------

    def upload_form(self, fields: Mapping[str, str], files: Mapping[str, Path]) -> Named:
        """At once, as a form."""
        boundary = uuid.uuid4().hex
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return cast(Named, self.call("POST", "sources/", form(boundary, fields, files), kind))

    def upload_in_pieces(self, facts: Mapping[str, str], video: Path) -> Named:
        """By the tus protocol: goes on where the line broke, and so does the same call after a crash of this script."""
        known = video.stat()
        facts = {**facts, "filename": video.name, "modified": str(known.st_mtime_ns // 1_000_000)}
        number = self.again(lambda: self.unfinished(facts, known.st_size) or self.announce(facts, known.st_size))
        state = {"status": "arriving"}
        while state["status"] == "arriving":
            # A piece that does not begin where the file ends (409) followed one whose answer was lost: look again.
            state = self.again(lambda: self.one_piece(f"uploads/{number}/", video), also=409)
        if state["status"] == "refused":
            raise ProblemError(400, "refused", state["error"])
        return cast(Named, self.call("GET", f"sources/{state['source']}/"))

    def unfinished(self, facts: Mapping[str, str], size: int) -> str:
        """The ID of an upload of this very file that stopped half-way; "" if there is none."""
        wanted = (facts["project"], facts["filename"], facts["modified"], size, "arriving")
        known = ("project", "name", "modified", "size_bytes", "status")
        uploads = self.send("GET", "uploads/?page_size=200")["results"]
        return next((str(one["id"]) for one in uploads if tuple(one[name] for name in known) == wanted), "")

    def announce(self, facts: Mapping[str, str], size: int) -> str:
        pairs = [f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in facts.items()]
        headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": ",".join(pairs)}
        return str(self.send("POST", "uploads/", b"", headers)["id"])

    def one_piece(self, place: str, video: Path) -> dict[str, Any]:
        """Sends the next one, if there is one to send; how it was before."""
        state: dict[str, Any] = self.send("GET", place)
        if state["status"] == "arriving":
            self.send_piece(place, video, state["offset"])
        return state

    def send_piece(self, place: str, video: Path, offset: int) -> None:
        with video.open("rb") as file:
            file.seek(offset)
            self.send("PATCH", place, file.read(LARGE), {**TUS, "Upload-Offset": str(offset)})

    def fetch(self, address: str, target: Path) -> Path:
        """A file of the portal. Goes on where it was cut off."""
        part = target.with_name(f".{target.name}.part")
        part.unlink(missing_ok=True)

        def rest() -> None:
            have = part.stat().st_size if part.exists() else 0
            asked = {"Range": f"bytes={have}-"} if have else {}
            with self.open("GET", address, headers=asked) as answer:
                with part.open("ab" if answer.status == 206 else "wb") as file:
                    shutil.copyfileobj(answer, file)
                if answer.length:  # bytes that were promised and did not come
                    raise ConnectionError("The line broke off.")

        self.again(rest)
        return part.replace(target)

    # -- How it is said ------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = {}) -> Any:
        """JSON in (or bytes, with headers that say what they are), JSON out.

        What did not come through is sent again, under the same key, so that nothing is made twice.
        """
        extra = {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" else {}
        if body is not None and not isinstance(body, bytes):
            body, extra = json.dumps(body).encode(), {**extra, "Content-Type": "application/json"}
        return self.again(lambda: self.send(method, path, body, {**extra, **headers}))

    def again(self, action: Callable[[], T], also: int = 0) -> T:
        """Up to TRIES times while the line breaks, or the portal is busy, or the answer is `also`."""
        for attempt in range(TRIES - 1):
            pause = 2.0**attempt
            try:
                return action()
            except ProblemError as problem:
                if problem.status not in (*BUSY, also) and problem.code != "in-progress":
                    raise
                pause = problem.retry_after or pause
            except BROKEN_LINE:
                pass
            time.sleep(min(pause, LONGEST_PAUSE))
        return action()

    def send(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}) -> Any:
        with self.open(method, path, body, headers) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def open(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}) -> HTTPResponse:
        """path: under /api/v1/, or a whole address of the portal."""
        url = path if path.startswith(("http://", "https://")) else f"{self.url}/api/v1/{path}"
        if not url.startswith(f"{self.url}/"):
            raise ValueError(f"{url} is not of {self.url}: the token stays here.")
        request = Request(url, body, {**self.headers, **headers}, method=method)
        try:
            return cast(HTTPResponse, self.opener.open(request, timeout=self.timeout))
        except HTTPError as error:
            raise problem_of(error) from error


def problem_of(error: HTTPError) -> ProblemError:
    wait = float(error.headers.get("Retry-After") or 0)
    try:
        said = json.load(error)
        return ProblemError(error.code, said["code"], said["detail"], said.get("errors", []), wait)
    except (ValueError, KeyError, TypeError):  # not of the portal, but of something before it
        return ProblemError(error.code, "unknown", error.reason, [], wait)


def longer_and_longer(pause: float) -> Iterator[None]:
    """Pauses between two looks: short at first."""
    while True:
        time.sleep(pause)
        yield
        pause = min(pause * 1.2, LONGEST_PAUSE / 3)


def form(boundary: str, fields: Mapping[str, str], files: Mapping[str, Path]) -> bytes:
    """multipart/form-data."""
    parts = [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    for name, path in files.items():
        label = path.name.translate({ord('"'): "%22", ord("\\"): "_", ord("\r"): " ", ord("\n"): " "})
        parts.append((f'name="{name}"; filename="{label}"', path.read_bytes()))
    begin = f"--{boundary}\r\nContent-Disposition: form-data; "
    body = [f"{begin}{head}\r\n\r\n".encode() + content + b"\r\n" for head, content in parts]
    return b"".join([*body, f"--{boundary}--\r\n".encode()])


def signed_by(secret: str, header: str, body: bytes, now: float | None = None, longest: float = 300.0) -> bool:
    """Whether a webhook's `Inbetween-Signature` ("t=TIME,v1=HEX") is of the portal, and not an old one sent again."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    stamp = parts.get("t", "")
    if not stamp.isdecimal() or abs((time.time() if now is None else now) - int(stamp)) > longest:
        return False
    wanted = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, parts.get("v1", ""))


def say(job: Job) -> None:
    progress = job["progress"]
    place = f", place {progress['queue_position']}" if progress["queue_position"] else ""
    print(f"{progress['status']}{place} {progress['stage']} {progress['percent']}%", flush=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Upload a video, have frames drawn in between, download the result.")
    parser.add_argument("video", type=Path, help="or a zip of numbered pictures")
    parser.add_argument("result", type=Path)
    parser.add_argument("--mode", default="smooth", choices=("smooth", "slow", "fps"))
    parser.add_argument("--inbetween", type=int, default=1, help="new frames in every gap, 1-10")
    parser.add_argument("--target-fps", help="for --mode fps: 60 or 60000/1001")
    parser.add_argument("--format", default="mp4_h264")
    parser.add_argument("--fps", help="of a zip of pictures: how many are shown a second")
    parser.add_argument("--project", help="ID of a project; without it a new one is made")
    given = parser.parse_args(arguments)
    token = os.environ.get("INBETWEEN_TOKEN", "")
    if not token:
        parser.error("put a token of your account page into INBETWEEN_TOKEN")
    chosen = {name: getattr(given, name) for name in ("mode", "inbetween", "target_fps", "format")}
    options = {name: value for name, value in chosen.items() if value is not None}
    portal = Portal(os.environ.get("INBETWEEN_URL", "http://127.0.0.1:8000"), token)
    try:
        project = given.project or portal.project_create(given.video.stem)["id"]
        source = portal.upload(project, given.video, fps=given.fps)
        job = portal.wait(portal.job_create(source["id"], options), say)
        portal.download(job, given.result)
    except (ProblemError, JobFailedError, OSError, HTTPException) as error:
        print(error, file=sys.stderr)
        return 1
    held_out = job["figures"]["held_out"]
    quality = f", held out {held_out['psnr']:.1f} dB" if held_out else ""
    print(f"{given.result}: {given.result.stat().st_size} bytes{quality}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
