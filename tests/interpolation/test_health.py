"""The health page says what is wrong, and nothing about users."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from redis.exceptions import RedisError

from engine.workers import working_on
from frameinterp_site import alarm
from frameinterp_site.broker import SEEN, ClusterBroker
from frameinterp_site.health import media
from frameinterp_site.holds import hold_set
from frameinterp_site.logs import JobFilter, JsonFormatter
from frameinterp_site.models import Worker
from frameinterp_site.workers import this_host, worker_beat, worker_gone
from interpolation import reaper
from interpolation.models import Job, Source
from interpolation.services import job_create


@pytest.fixture
def all_alive(db: None) -> None:
    for cluster in ("interpolation", "training", "webhooks"):
        cache.set(SEEN.format(cluster), time.time())
    reaper.reap_once()


def test_all_is_well(all_alive: None, quick_source: Source) -> None:
    job_create(source=quick_source, options={})
    response = Client().get("/health/")
    found = response.json()
    assert (response.status_code, found["status"], found["problems"]) == (200, "ok", [])
    assert found["database"] == {"ok": True, "waiting": {"interpolation": 1, "training": 0}, "running": 0}
    assert found["clusters"]["interpolation"]["alive"] is True
    assert found["reaper"]["alive"] is True
    assert response["Cache-Control"].startswith("max-age=0, no-cache")


def test_a_silent_worker_is_named(all_alive: None) -> None:
    cache.set(SEEN.format("training"), time.time() - 31)
    response = Client().get("/health/")
    assert response.status_code == 503
    assert response.json()["problems"] == ["No training worker is alive: jobs wait. Start one (manage.py up)."]


def test_a_missing_reaper_is_named(all_alive: None) -> None:
    cache.delete(reaper.SEEN)
    assert Client().get("/health/").json()["problems"] == [
        "The reaper is not running: jobs of dead workers are not noticed."
    ]


def test_a_cluster_says_by_name_that_it_is_alive(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frameinterp_site.broker.Conf.CLUSTER_NAME", "training")
    ClusterBroker(list_key="training").set_stat("key", "value", 3)
    assert time.time() - cache.get(SEEN.format("training")) < 5
    assert cache.get(SEEN.format("interpolation")) is None


def test_a_cache_that_does_not_answer_is_said_and_not_taken_for_dead_workers(
    all_alive: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get(key: str) -> None:
        raise RedisError("gone")

    monkeypatch.setattr("frameinterp_site.health.cache", SimpleNamespace(get=get))
    response = Client().get("/health/")
    assert response.status_code == 503
    assert response.json()["problems"] == [
        "The cache does not answer: nobody knows whether the workers are alive (INBETWEEN_CACHE)."
    ]


def test_healthz_asks_nobody_else(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frameinterp_site.health.checks", lambda: pytest.fail("it looked further"))
    response = Client().get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_readyz_says_of_every_part_whether_it_is_ready(all_alive: None, media_root: Path) -> None:
    response = Client().get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "checks": dict.fromkeys(["database", "jobs", "clusters", "reaper", "media", "disk"], "ok"),
    }
    assert list(media_root.glob(".ready*")) == []


def test_a_media_folder_that_cannot_be_written_is_said(all_alive: None, settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "gone"
    found = media()
    assert found["writable"] is False
    assert found["problems"] == ["The media folder cannot be written: No such file or directory (INBETWEEN_MEDIA)."]


def test_running_jobs_that_are_silent_are_counted(all_alive: None, quick_source: Source) -> None:
    job = job_create(source=quick_source, options={})
    Job.objects.update(status="running", heartbeat_at=timezone.now() - timedelta(seconds=61))
    response = Client().get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["jobs"] == "1 running job(s) have said nothing for 60 seconds."
    assert str(job.pk) not in response.content.decode()


def test_jobs_that_nobody_takes_are_a_problem_unless_an_administrator_holds_the_workers(
    all_alive: None, quick_source: Source
) -> None:
    job_create(source=quick_source, options={})
    Job.objects.update(enqueued_at=timezone.now() - timedelta(seconds=121))
    assert "no worker takes them" in Client().get("/readyz").json()["checks"]["jobs"]
    hold_set(queue="interpolation", mode="drain")
    response = Client().get("/health/")
    assert (response.status_code, response.json()["jobs"]["held"]) == (200, {"interpolation": "drain"})


# -- Workers -----------------------------------------------------------------------------------------------------------


def test_a_cluster_says_where_it_is_and_how_much_memory_it_takes(db: None) -> None:
    worker_beat("interpolation")
    worker = Worker.objects.get()
    assert (worker.queue, worker.host, worker.pid) == ("interpolation", this_host(), os.getpid())
    assert worker.memory_bytes > 10 << 20
    worker_beat("interpolation")
    assert Worker.objects.count() == 1
    worker_gone("interpolation")
    assert not Worker.objects.exists()


def test_a_machine_that_falls_silent_is_a_problem_and_one_that_is_long_gone_is_forgotten(all_alive: None) -> None:
    worker_beat("interpolation")
    Worker.objects.update(host="render-2", seen_at=timezone.now() - timedelta(seconds=50))
    response = Client().get("/health/")
    assert response.status_code == 503
    (problem,) = response.json()["problems"]
    assert re.fullmatch(r"The interpolation on render-2 has been silent for 5\d seconds\.", problem)
    Worker.objects.update(seen_at=timezone.now() - timedelta(days=8))
    assert Client().get("/health/").status_code == 200
    assert not Worker.objects.exists()


def test_the_log_says_once_that_something_is_wrong_and_once_that_it_is_over(
    all_alive: None, caplog: pytest.LogCaptureFixture
) -> None:
    cache.set(SEEN.format("training"), time.time() - 31)
    for _ in range(3):
        alarm.look()
    cache.set(SEEN.format("training"), time.time())
    alarm.look()
    alarm.look()
    said = [record.getMessage() for record in caplog.records if record.name == "inbetween.alarm"]
    words = "No training worker is alive: jobs wait. Start one (manage.py up)."
    assert said == [f"alarm: {words}", f"over: {words}"]


# -- Logs --------------------------------------------------------------------------------------------------------------


def test_a_line_of_json_names_its_job() -> None:
    record = logging.LogRecord("interpolation.tasks", logging.INFO, "x.py", 1, "frame %d", (7,), None)
    with working_on("abc"):
        JobFilter().filter(record)
    row = json.loads(JsonFormatter().format(record))
    assert (row["level"], row["job"], row["message"]) == ("INFO", "abc", "frame 7")


def test_what_is_logged_in_a_request_about_a_job_names_it(
    quick_source: Source, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.handler.addFilter(JobFilter())
    job = job_create(source=quick_source, options={})
    monkeypatch.setattr("interpolation.views.jobs.job_page", lambda *given: logging.warning("looked") or HttpResponse())
    client = Client()
    client.force_login(quick_source.project.owner)
    client.get(f"/jobs/{job.pk}/")
    client.get("/help/")
    logging.warning("something else")
    assert [str(r.__dict__["job"]) for r in caplog.records if r.getMessage() == "looked"] == [str(job.pk)]
    assert [r.__dict__["job"] for r in caplog.records if r.getMessage() == "something else"] == ["-"]
