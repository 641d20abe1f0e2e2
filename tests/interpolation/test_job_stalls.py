"""A child that lives but gets nowhere is killed, and that costs an attempt, so that it cannot go round for ever."""

from __future__ import annotations

from typing import Never

import pytest
from pytest_django.fixtures import Settings

from interpolation import services, tasks
from interpolation.models import Job, Source


@pytest.fixture
def job(quick_source: Source) -> Job:
    return services.job_create(source=quick_source, options={})


def test_a_watch_gives_up_when_nothing_has_moved_for_so_long(job: Job, settings: Settings) -> None:
    settings.JOB_STALL = 120.0
    services.job_claim(job_id=job.pk, worker="a:1:x")
    watch = tasks.Watch(job.pk, "a:1:x")
    watch.look(1000.0)
    watch.look(1119.0)
    services.job_progress(job_id=job.pk, worker="a:1:x", stage="interpolating", frames_done=1, frames_total=9)
    watch.look(1121.0)
    watch.look(1241.0)
    assert watch.stop is False
    with pytest.raises(tasks.StalledError, match="Nothing moved for 2 minutes"):
        watch.look(1241.5)


def test_a_stall_costs_an_attempt_and_the_last_one_fails_the_job(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def stalls(job_id: str, worker: str) -> Never:
        raise tasks.StalledError("Nothing moved for 30 minutes.")

    monkeypatch.setattr(tasks, "watched_child", stalls)
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)  # it is the test's own
    assert tasks.job_run(str(job.pk)) == "queued"
    job.refresh_from_db()
    assert job.attempts == 1
    assert tasks.job_run(str(job.pk)) == "failed"
    job.refresh_from_db()
    assert job.error == "Nothing moved for 30 minutes. It was tried 2 times. Try again; finished parts are kept."
