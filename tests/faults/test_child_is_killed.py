"""kill -9 of what renders: noticed in seconds, tried again, and finished parts are used."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta

import psutil
import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django.fixtures import Settings

from interpolation import services
from interpolation.models import Job
from interpolation.reaper import reap_once

from .conftest import Worker, children, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
Start = Callable[[Job], Worker]


def segments(job: Job) -> dict[str, int]:
    """Finished segments with the time of their last change, in nanoseconds."""
    found = (job.directory / "segments").glob("seg_*.mp4")
    return {path.name: path.stat().st_mtime_ns for path in found if path.with_suffix(".json").exists()}


def test_a_killed_child_is_noticed_tried_again_and_finished_segments_are_used(
    long_job: Job, start_worker: Start
) -> None:
    Job.objects.update(options=long_job.options | {"inbetween": 1})  # it has to come to its end
    OrmQ.objects.all().delete()
    worker = start_worker(long_job)
    wait_for(lambda: len(segments(long_job)) >= 1, 120, "one finished segment")
    worker.until_frames().kill()
    assert worker.wait(5) == "queued"
    long_job.refresh_from_db()
    assert (long_job.attempts, long_job.worker, long_job.error) == (1, "", "")
    assert OrmQ.objects.get().args() == (str(long_job.pk),)
    before = segments(long_job)

    assert start_worker(long_job).wait(240) == "succeeded"
    long_job.refresh_from_db()
    assert long_job.attempts == 2
    assert long_job.certificate["ok"] is True
    assert long_job.metrics["frames"]["output"] == 240 * 2
    after = segments(long_job)
    assert {name: after.get(name) for name in before} == before


def test_when_attempts_are_used_up_the_job_fails_in_words(
    long_job: Job, start_worker: Start, settings: Settings
) -> None:
    settings.JOB_ATTEMPTS = 1
    worker = start_worker(long_job)
    worker.until_frames().kill()
    assert worker.wait(5) == "failed"
    long_job.refresh_from_db()
    assert long_job.error == (
        "The process that rendered this was killed (signal 9), perhaps for want of memory. "
        "It was tried once. Try again; finished parts are kept."
    )
    services.job_retry(job=long_job)
    assert (long_job.status, long_job.attempts) == ("queued", 0)


def test_a_child_that_is_asked_to_end_goes_back_to_the_queue_without_losing_an_attempt(
    long_job: Job, start_worker: Start
) -> None:
    worker = start_worker(long_job)
    worker.until_frames().terminate()
    assert worker.wait(15) == "queued"
    long_job.refresh_from_db()
    assert (long_job.attempts, long_job.error) == (0, "")


def test_a_job_above_its_memory_fails_in_words(long_job: Job, start_worker: Start, settings: Settings) -> None:
    settings.JOB_MEMORY_BYTES = 60 * 1024 * 1024
    assert start_worker(long_job).wait(60) == "failed"
    long_job.refresh_from_db()
    assert long_job.error == ("This job needed more than the 60 MB of memory a job may use. Choose a lower resolution.")


def test_a_job_that_does_not_move_is_stopped_and_tried_again(
    long_job: Job, start_worker: Start, settings: Settings
) -> None:
    worker = start_worker(long_job)
    worker.until_frames().suspend()
    settings.JOB_STALL = 1.0
    assert worker.wait(30) == "queued"
    long_job.refresh_from_db()
    assert long_job.attempts == 1
    assert children() == []


def test_killing_the_worker_kills_its_child_and_the_reaper_puts_the_job_back(long_job: Job) -> None:
    code = f"import django; django.setup(); from interpolation.tasks import job_run; job_run('{long_job.pk}')"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "frameinterp_site.settings"}
    with subprocess.Popen([sys.executable, "-c", code], cwd=django_settings.BASE_DIR, env=environment) as worker:
        try:
            wait_for(lambda: Job.objects.get().stage == "interpolating", 120, "the job to run")
            (child,) = psutil.Process(worker.pid).children()
        finally:
            worker.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 5, "the child to die too")
    assert time.monotonic() - killed < 5
    assert reap_once().requeued == []  # a claim this young may still be somebody's
    Job.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=11))
    assert reap_once().requeued == [long_job.pk]
    long_job.refresh_from_db()
    assert (long_job.status, long_job.attempts, long_job.worker) == ("queued", 1, "")
