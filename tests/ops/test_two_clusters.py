"""A real portal with two clusters for jobs: what its log says of each job, and holding and releasing them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import write_clip

from .portal import PASSWORD, Browser, Portal, wait_for

IDLE = 1.5  # seconds in which a cluster that may take work has taken it: it looks ten times a second


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """`up`, and another cluster as it would run on a second machine."""
    portal = Portal(tmp_path_factory.mktemp("portal") / "data", INBETWEEN_LOG_FORMAT="json", INBETWEEN_JOB_THREADS="1")
    portal.start()
    with (portal.data / "second.txt").open("wb") as output:
        portal.manage("worker", "interpolation", output=output)
    assert wait_for(lambda: len(portal.named("serve_jobs")) == 2, 30), "each with a child that waits for jobs"
    yield portal
    portal.clean_up()


@pytest.fixture(scope="module")
def operator(portal: Portal) -> Browser:
    """The administrator in a browser."""
    password = PASSWORD.search(portal.output)
    assert password
    browser = Browser(portal)
    assert browser.sign_in("admin", password.group(1))
    return browser


@pytest.fixture(scope="module")
def script(portal: Portal, client_file: Any) -> Any:
    """A script of the administrator's, with docs/examples/inbetween_client.py."""
    password = PASSWORD.search(portal.output)
    assert password
    credentials = {"username": "admin", "password": password.group(1)}
    token = client_file.Portal(portal.url, "").call("POST", "token/", credentials)["token"]
    return client_file.Portal(portal.url, token)


@pytest.fixture(scope="module")
def source(script: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """With ten new frames in every gap: some seconds of work for one cluster."""
    clip = write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", frames=30)
    return str(script.upload(script.project_create("Live")["id"], clip)["id"])


def hold(operator: Browser, mode: str) -> None:
    given = {"queue": "interpolation", "mode": mode, "reason": "upgrade"}
    assert (
        f"Held: interpolation on all machines: {mode}."
        in operator.post("/admin/status/hold/", "/admin/status/", **given)[1]
    )


def release(operator: Browser) -> None:
    (address,) = re.findall(r"/admin/status/hold/\d+/release/", operator.get("/admin/status/")[1])
    assert "Released: interpolation on all machines" in operator.post(address, "/admin/status/")[1]


def log_of(portal: Portal, job: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (portal.data / "logs" / "inbetween.log").read_text().splitlines()]
    return [row for row in rows if row["job"] == job]


def test_two_jobs_at_once_are_told_apart_in_the_log_from_the_request_to_the_end(
    portal: Portal, script: Any, source: str
) -> None:
    jobs = [script.job_create(source, {"inbetween": 10, "held_out": False})["id"] for _ in range(2)]
    assert wait_for(lambda: all(script.job(job)["status"] == "running" for job in jobs), 30), "both clusters work"
    pids = {
        part: {process.pid for process in portal.named(*words)}
        for part, words in {
            "web": ("gunicorn",),
            "worker": ("manage.py", "worker", "interpolation"),
            "child": ("serve_jobs",),
        }.items()
    }
    for job in jobs:
        script.wait({"id": job, "status": "running"})
    assert wait_for(lambda: all("child ended" in log_of(portal, job)[-1]["message"] for job in jobs), 10)
    told = []
    for job in jobs:
        rows = log_of(portal, job)
        assert [(row["message"].partition(" by ")[0], part_of(row["process"], pids)) for row in rows] == [
            ("created", "web"),
            ("enqueued", "web"),
            ("started", "worker"),
            ("done", "child"),
            ("child ended: exit, code 0", "worker"),
        ]
        assert rows[2]["process"] == rows[4]["process"]
        assert (portal.data / "logs" / "jobs" / f"{job}.log").is_file()
        told.append((rows[2]["process"], rows[3]["process"]))
    assert not set(told[0]) & set(told[1]), "each job has a worker and a child of its own"


def part_of(pid: int, pids: dict[str, set[int]]) -> str:
    return next((part for part, known in pids.items() if pid in known), "nobody")


def test_drained_clusters_finish_what_runs_and_take_nothing_until_they_are_released(
    portal: Portal, operator: Browser, script: Any, source: str
) -> None:
    running = script.job_create(source, {"inbetween": 10, "held_out": False})["id"]
    assert wait_for(lambda: script.job(running)["status"] == "running", 10)
    hold(operator, "drain")
    waiting = [script.job_create(source, {"inbetween": 1, "held_out": False})["id"] for _ in range(2)]
    assert script.job(running)["status"] == "running", "and the other cluster has nothing to do"
    drain = portal.manage("drain", "interpolation", "--wait", "--timeout", "60")
    said = drain.communicate(timeout=90)[0].decode()
    assert (drain.returncode, said.splitlines()[-1]) == (0, "Nothing runs any more."), said
    assert [script.job(job)["status"] for job in (running, *waiting)] == ["succeeded", "queued", "queued"]
    assert script.call("GET", "queue/")["held"] == "drain"
    release(operator)
    for job in waiting:
        assert script.wait(script.job(job))["progress"]["attempts"] == 1


def test_paused_clusters_put_back_what_runs_and_go_on_with_it_when_they_are_released(
    operator: Browser, script: Any, source: str
) -> None:
    job = script.job_create(source, {"inbetween": 10, "held_out": False})
    assert wait_for(lambda: script.job(job["id"])["status"] == "running", 10)
    hold(operator, "pause")
    assert wait_for(lambda: script.job(job["id"])["status"] == "queued", 15)
    time.sleep(IDLE)
    assert script.job(job["id"])["status"] == "queued"
    release(operator)
    assert wait_for(lambda: script.job(job["id"])["status"] == "running", 10)
    assert script.job(job["id"])["progress"]["attempts"] == 1, "being put back costs no attempt"
    script.cancel(job)
