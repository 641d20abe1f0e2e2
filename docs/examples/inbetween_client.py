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
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPResponse
from pathlib import Path
from typing import IO, Any, TypedDict
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

PIECE = 1 << 20  # bytes read and sent at once
LARGE = 32 << 20  # bytes from which on a file goes in pieces of that size, so that a line that breaks costs one of them
TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
TRIES = 5  # of a call that did not come through
LONGEST_PAUSE = 30.0  # seconds between two tries, or two looks at a job
OVER = ("succeeded", "failed", "cancelled")


class Progress(TypedDict):
    status: str
    stage: str
    frames_done: int
    frames_total: int
    percent: int
    eta_seconds: int | None
    queue_position: int | None
    error: str


class Job(TypedDict):
    """What this file uses of a job; the portal's /api/docs/ shows all of it."""

    id: str
    status: str
    progress: Progress
    options: dict[str, Any]
    figures: dict[str, Any]
    downloads: dict[str, str]
    previews: list[dict[str, Any]]


class Source(TypedDict):
    id: str
    name: str
    kind: str
    info: dict[str, Any]


class Project(TypedDict):
    id: str
    name: str


class BakeOff(TypedDict):
    """Two models on one clip. `sides` is null until both films are drawn, `verdict` until it is asked for."""

    id: str
    stage: str
    percent: int
    round: int | None
    sides: dict[str, dict[str, str]] | None
    votes: int
    verdict: dict[str, Any] | None


@dataclass(eq=False)
class ProblemError(Exception):
    """The portal refused: RFC 9457. `errors` names single fields: {"field", "pointer", "detail"}."""

    status: int
    code: str
    detail: str
    errors: list[dict[str, str]] = field(default_factory=list)

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
        self.opener: OpenerDirector = build_opener(_NoRedirects)

    # -- What one does -------------------------------------------------------------------------------------------------

    def account(self) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", "account/")
        return found

    def project_create(self, name: str) -> Project:
        made: Project = self.call("POST", "projects/", {"name": name})
        return made

    def upload(self, project: str, video: Path, *, fps: str | None = None) -> Source:
        """A video, or a zip of numbered pictures of which `fps` are shown a second. Large files go in pieces."""
        if video.stat().st_size > LARGE:
            return self.upload_in_pieces(project, video, fps=fps)
        return self.upload_form({"project": project, **({"fps": fps} if fps else {})}, [("video", video)])

    def upload_in_pieces(self, project: str, video: Path, *, fps: str | None = None) -> Source:
        """By the tus protocol: goes on where the line broke, and so does the same call after a crash of this script."""
        known = video.stat()
        facts = {"project": project, "filename": video.name, "modified": str(known.st_mtime_ns // 1_000_000)}
        facts |= {"fps": fps} if fps else {}
        place = f"uploads/{self.unfinished(facts, known.st_size) or self.announce(facts, known.st_size)}/"
        tries = 0
        while True:
            state = self.call("GET", place)
            if state["status"] == "done":
                made: Source = self.call("GET", f"sources/{state['source']}/")
                return made
            if state["status"] == "refused":
                raise ProblemError(400, "refused", state["error"])
            try:
                if state["status"] == "arriving":
                    self.send_piece(place, video, state["offset"])
                    tries = 0
                    continue
            except ProblemError as problem:
                if problem.status not in (409, 423, 429, 502, 503, 504) or tries == TRIES:
                    raise
            except OSError:  # the line broke; URLError is one, too
                if tries == TRIES:
                    raise
            tries += 1
            time.sleep(min(2.0**tries, LONGEST_PAUSE))

    def unfinished(self, facts: Mapping[str, str], size: int) -> str:
        """The ID of an upload of this very file that stopped half-way; "" if there is none."""
        wanted = (facts["project"], facts["filename"], facts["modified"], size, "arriving")
        for one in self.call("GET", "uploads/?page_size=200")["results"]:
            if (one["project"], one["name"], one["modified"], one["size_bytes"], one["status"]) == wanted:
                return str(one["id"])
        return ""

    def announce(self, facts: Mapping[str, str], size: int) -> str:
        pairs = [f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in facts.items()]
        headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": ",".join(pairs)}
        with self.open("POST", "uploads/", b"", headers) as answer:
            return str(json.load(answer)["id"])

    def send_piece(self, place: str, video: Path, offset: int) -> None:
        length = min(LARGE, video.stat().st_size - offset)
        headers = {**TUS, "Upload-Offset": str(offset), "Content-Length": str(length)}
        self.open("PATCH", place, part_of(video, offset, length), headers).close()

    def upload_pictures(self, project: str, first: Path, second: Path) -> Source:
        """Two pictures between which new ones are drawn."""
        return self.upload_form({"project": project}, [("frame1", first), ("frame2", second)])

    def sample(self, project: str) -> Source:
        """The clip that comes with the portal."""
        made: Source = self.call("POST", "sources/", {"project": project, "sample": True})
        return made

    def job_create(self, source: str, options: Mapping[str, Any] | None = None, **more: Any) -> Job:
        """more: tags, notes, webhook."""
        made: Job = self.call("POST", "jobs/", {"source": source, "options": dict(options or {}), **more})
        return made

    def job(self, number: str) -> Job:
        found: Job = self.call("GET", f"jobs/{number}/")
        return found

    def jobs(self, **filters: str) -> Iterator[Job]:
        """All that fit, newest first, over as many pages as there are: status="failed", project=..., tag=..."""
        page = self.call("GET", f"jobs/?{urlencode(filters)}" if filters else "jobs/")
        while True:
            yield from page["results"]
            if not page["next"]:
                return
            page = self.call("GET", page["next"])

    def cancel(self, job: Job) -> Job:
        stopped: Job = self.call("POST", f"jobs/{job['id']}/cancel/")
        return stopped

    def wait(self, job: Job, on_change: Callable[[Job], None] | None = None, pause: float = 0.5) -> Job:
        """The job when it is done. Looks often at first, then less and less.

        Raises:
            JobFailedError: it failed, or was cancelled.
        """
        said = None
        while job["status"] not in OVER:
            time.sleep(pause)
            pause = min(pause * 1.2, LONGEST_PAUSE / 3)
            job = self.job(job["id"])
            now = (job["status"], job["progress"]["stage"], job["progress"]["percent"])
            if on_change and now != said:
                said = now
                on_change(job)
        if job["status"] != "succeeded":
            raise JobFailedError(job["progress"]["error"] or f"The job was {job['status']}.")
        return job

    def download(self, job: Job, target: Path, what: str = "master") -> Path:
        """The film ("master"), its new frames as a zip ("pictures"), or "figures"."""
        return self.fetch(job["downloads"][what], target)

    def fetch(self, address: str, target: Path) -> Path:
        """A file of the portal. Goes on where it was cut off."""
        unfinished = target.with_name(f".{target.name}.part")
        unfinished.unlink(missing_ok=True)
        for attempt in range(TRIES):
            have = unfinished.stat().st_size if unfinished.exists() else 0
            extra = {"Range": f"bytes={have}-"} if have else {}
            try:
                with self.open("GET", address, headers=extra) as answer:
                    whole = int(answer.headers.get("Content-Length") or 0)
                    with unfinished.open("ab" if answer.status == 206 else "wb") as file:
                        start = file.tell()
                        while piece := answer.read(PIECE):
                            file.write(piece)
                        if whole and file.tell() - start < whole:
                            raise ConnectionError("The line broke off.")
                unfinished.replace(target)
                return target
            except (OSError, URLError):
                if attempt == TRIES - 1:
                    raise
                time.sleep(2**attempt)
        raise AssertionError("never reached")

    def bake_off(self, source: str, first: str, second: str, pause: float = 0.5) -> BakeOff:
        """Has two models draw the same clip; ready to be judged: fetch both `film`s of `sides`, look, vote.

        Raises:
            JobFailedError: one of the two was not finished.
        """
        made: BakeOff = self.call("POST", "bake-offs/", {"source": source, "first": first, "second": second})
        while made["stage"] == "drawing":
            time.sleep(pause)
            pause = min(pause * 1.2, LONGEST_PAUSE / 3)
            made = self.call("GET", f"bake-offs/{made['id']}/")
        if made["stage"] == "broken":
            raise JobFailedError("One of the two films was not finished.")
        return made

    def vote(self, bake_off: BakeOff, side: str) -> BakeOff:
        """side: "a", "b" or "tie". The sides of the answer are those of the next round."""
        judged = {"round": bake_off["round"], "side": side}
        after: BakeOff = self.call("POST", f"bake-offs/{bake_off['id']}/vote/", judged)
        return after

    def reveal(self, bake_off: BakeOff) -> BakeOff:
        """Which model got how many votes; no more votes from then on."""
        over: BakeOff = self.call("POST", f"bake-offs/{bake_off['id']}/reveal/")
        return over

    # -- How it is said ------------------------------------------------------------------------------------------------

    def upload_form(self, fields: Mapping[str, str], files: list[tuple[str, Path]]) -> Source:
        """A multipart form, streamed: no file is held in memory. The same key for every try: made once at most."""
        key = str(uuid.uuid4())
        for attempt in range(TRIES):
            form = Form(fields, files)
            extra = {"Content-Type": form.content_type, "Content-Length": str(form.length), "Idempotency-Key": key}
            try:
                with self.open("POST", "sources/", form, extra) as answer:
                    made: Source = json.load(answer)
                    return made
            except ProblemError as problem:
                if attempt == TRIES - 1 or not self.worth_another(problem, attempt):
                    raise
            except (URLError, ConnectionError):
                if attempt == TRIES - 1:
                    raise
                time.sleep(2**attempt)
        raise AssertionError("never reached")

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """JSON in, JSON out. What did not come through is sent again; POSTs carry a key, so nothing is made twice."""
        data = json.dumps(body).encode() if body is not None else None
        extra = {"Content-Type": "application/json"} if data is not None else {}
        if method == "POST":
            extra["Idempotency-Key"] = str(uuid.uuid4())
        for attempt in range(TRIES):
            try:
                with self.open(method, path, data, extra) as answer:
                    text = answer.read()
                    return json.loads(text) if text else None
            except ProblemError as problem:
                if attempt == TRIES - 1 or not self.worth_another(problem, attempt):
                    raise
            except (URLError, ConnectionError):
                if attempt == TRIES - 1:
                    raise
                time.sleep(2**attempt)
        raise AssertionError("never reached")

    def open(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> HTTPResponse:
        """path: under /api/v1/, or a whole address of the portal. Raises ProblemError, URLError."""
        url = path if path.startswith(("http://", "https://")) else f"{self.url}/api/v1/{path}"
        if not url.startswith(f"{self.url}/"):
            raise ValueError(f"{url} is not of {self.url}: the token stays here.")
        request = Request(url, body, {**self.headers, **(headers or {})}, method=method)
        try:
            answer: HTTPResponse = self.opener.open(request, timeout=self.timeout)
            return answer
        except HTTPError as error:
            raise self.problem(error) from error

    def problem(self, error: HTTPError) -> ProblemError:
        self.retry_after = float(error.headers.get("Retry-After") or 0)
        try:
            said = json.load(error)
            return ProblemError(error.code, said["code"], said["detail"], said.get("errors", []))
        except (ValueError, KeyError, TypeError):
            return ProblemError(error.code, "unknown", error.reason)

    def worth_another(self, problem: ProblemError, attempt: int) -> bool:
        """Too many calls, or a server that is busy or restarting: waits as long as it says, then True."""
        if problem.code not in ("too-many-requests", "in-progress") and problem.status not in (502, 503, 504):
            return False
        time.sleep(min(self.retry_after or 2.0**attempt, LONGEST_PAUSE))
        return True

    retry_after = 0.0


def part_of(video: Path, offset: int, length: int) -> Iterator[bytes]:
    with video.open("rb") as file:
        file.seek(offset)
        while length and (piece := file.read(min(PIECE, length))):
            length -= len(piece)
            yield piece


class Form:
    """multipart/form-data as a file that is read once, of known length."""

    def __init__(self, fields: Mapping[str, str], files: list[tuple[str, Path]]) -> None:
        boundary = uuid.uuid4().hex
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self.parts: list[bytes | Path] = []
        for name, value in fields.items():
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            self.parts.append(head.encode())
        for name, path in files:
            label = path.name.replace("\\", "_").replace('"', "%22").replace("\r", " ").replace("\n", " ")
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{label}"\r\n'
            self.parts += [f"{head}Content-Type: application/octet-stream\r\n\r\n".encode(), path, b"\r\n"]
        self.parts.append(f"--{boundary}--\r\n".encode())
        self.length = sum(part.stat().st_size if isinstance(part, Path) else len(part) for part in self.parts)

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            if isinstance(part, bytes):
                yield part
                continue
            with part.open("rb") as file:
                while piece := file.read(PIECE):
                    yield piece


def signed_by(secret: str, header: str, body: bytes, now: float | None = None, longest: float = 300.0) -> bool:
    """Whether a webhook's `Inbetween-Signature` ("t=TIME,v1=HEX") is of the portal, and not an old one sent again."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    stamp = parts.get("t", "")
    if not stamp.isdecimal() or abs((time.time() if now is None else now) - int(stamp)) > longest:
        return False
    wanted = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, parts.get("v1", ""))


def main(arguments: list[str], out: IO[str] = sys.stdout) -> int:
    parser = argparse.ArgumentParser(description="Upload a video, have frames drawn in between, download the result.")
    parser.add_argument("video", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--mode", default="smooth", choices=("smooth", "slow", "fps"))
    parser.add_argument("--inbetween", type=int, default=1, help="new frames in every gap, 1-10")
    parser.add_argument("--target-fps", help="for --mode fps: 60 or 60000/1001")
    parser.add_argument("--format", default="mp4_h264")
    parser.add_argument("--project", help="number of a project; without it a new one is made")
    given = parser.parse_args(arguments)
    token = os.environ.get("INBETWEEN_TOKEN", "")
    if not token:
        parser.error("put a token of your account page into INBETWEEN_TOKEN")
    portal = Portal(os.environ.get("INBETWEEN_URL", "http://127.0.0.1:8000"), token)
    options = {"mode": given.mode, "inbetween": given.inbetween, "format": given.format}
    if given.target_fps:
        options["target_fps"] = given.target_fps

    def say(job: Job) -> None:
        progress = job["progress"]
        place = f", place {progress['queue_position']}" if progress["queue_position"] else ""
        print(f"{progress['status']}{place} {progress['stage']} {progress['percent']}%", file=out, flush=True)

    try:
        project = given.project or portal.project_create(given.video.stem)["id"]
        source = portal.upload(project, given.video)
        job = portal.wait(portal.job_create(source["id"], options), say)
        portal.download(job, given.result)
    except (ProblemError, JobFailedError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    held_out = job["figures"]["held_out"]
    quality = f", held out {held_out['psnr']:.1f} dB" if held_out else ""
    print(f"{given.result}: {given.result.stat().st_size} bytes{quality}", file=out)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
