"""The row is the truth: who claims it holds it, and only the holder writes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from interpolation import services
from interpolation.models import Job, Source


@pytest.fixture
def job(quick_source: Source) -> Job:
    return services.job_create(source=quick_source, options={})


def test_a_waiting_job_can_be_claimed_once(job: Job) -> None:
    assert services.job_claim(job_id=job.pk, worker="a:1:x") is True
    assert services.job_claim(job_id=job.pk, worker="b:2:y") is False
    job.refresh_from_db()
    assert (job.status, job.worker, job.attempts, job.stage) == ("running", "a:1:x", 1, "starting")
    assert job.started_at is not None
    assert job.started_at == job.heartbeat_at


@pytest.mark.django_db(transaction=True)
def test_of_many_that_claim_at_once_one_wins(quick_source: Source) -> None:
    job = services.job_create(source=quick_source, options={})

    def claim(number: int) -> bool:
        try:
            return services.job_claim(job_id=job.pk, worker=f"host:{number}:x")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(claim, range(8)))
    assert won.count(True) == 1
    job.refresh_from_db()
    assert job.worker == f"host:{won.index(True)}:x"
    assert job.attempts == 1


@pytest.mark.parametrize("status", ["running", "succeeded", "failed", "cancelled"])
def test_what_does_not_wait_cannot_be_claimed(job: Job, status: str) -> None:
    Job.objects.update(status=status)
    assert services.job_claim(job_id=job.pk, worker="a:1:x") is False


def test_an_old_holder_cannot_write(job: Job) -> None:
    services.job_claim(job_id=job.pk, worker="old")
    services.job_lost(job_id=job.pk, worker="old", reason="gone")
    services.job_claim(job_id=job.pk, worker="new")
    assert not services.job_progress(job_id=job.pk, worker="old", stage="joining", frames_done=9, frames_total=9)
    assert not services.job_beat(job_id=job.pk, worker="old")
    assert not services.job_fail(job_id=job.pk, worker="old", error="no")
    job.refresh_from_db()
    assert (job.status, job.stage, job.frames_done, job.error) == ("running", "starting", 0, "")


def test_a_lost_job_goes_back_to_the_queue_until_its_attempts_are_used_up(job: Job, settings: Settings) -> None:
    settings.JOB_ATTEMPTS = 2
    services.job_claim(job_id=job.pk, worker="a")
    assert services.job_lost(job_id=job.pk, worker="a", reason="The worker was killed.") == "queued"
    services.job_claim(job_id=job.pk, worker="b")
    assert services.job_lost(job_id=job.pk, worker="b", reason="The worker was killed.") == "failed"
    job.refresh_from_db()
    assert job.error == "The worker was killed. It was tried 2 times. Try again; finished parts are kept."
    assert job.finished_at is not None


def test_a_job_that_was_asked_to_stop_does_not_lose_an_attempt(job: Job) -> None:
    services.job_claim(job_id=job.pk, worker="a")
    services.job_stopped(job_id=job.pk, worker="a")
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("queued", 0)


def test_a_lost_job_that_was_to_be_cancelled_is_cancelled(job: Job) -> None:
    services.job_claim(job_id=job.pk, worker="a")
    services.job_cancel(job=job)
    assert services.job_lost(job_id=job.pk, worker="a", reason="gone") == "cancelled"


def test_progress_is_written_and_beats(job: Job) -> None:
    services.job_claim(job_id=job.pk, worker="a")
    job.refresh_from_db()
    before = job.heartbeat_at
    services.job_progress(
        job_id=job.pk, worker="a", stage="interpolating", frames_done=3, frames_total=12, eta_seconds=4.5
    )
    job.refresh_from_db()
    assert (job.stage, job.frames_done, job.frames_total, job.eta_seconds) == ("interpolating", 3, 12, 4.5)
    assert before is not None
    assert job.heartbeat_at is not None
    assert job.heartbeat_at > before
