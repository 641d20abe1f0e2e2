"""What pages and API say of a job's progress."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from engine.progress import Progress
from interpolation import runner, services
from interpolation.models import Job, Source
from interpolation.runner import Reporter
from interpolation.services import job_progress_view


@pytest.fixture
def job(quick_source: Source) -> Job:
    return services.job_create(source=quick_source, options={})


def test_the_place_in_the_queue_counts_those_sent_before(quick_source: Source) -> None:
    now = timezone.now()
    jobs = [
        Job.objects.create(
            project=quick_source.project, source=quick_source, enqueued_at=now + timedelta(seconds=second)
        )
        for second in range(3)
    ]
    assert [job_progress_view(job)["queue_position"] for job in jobs] == [1, 2, 3]
    services.job_claim(job_id=jobs[0].pk, worker="a")
    jobs[0].refresh_from_db()
    assert [job_progress_view(job)["queue_position"] for job in jobs] == [None, 1, 2]


@pytest.mark.parametrize(
    ("status", "done", "total", "percent"),
    [("queued", 0, 0, 0), ("running", 0, 3, 91), ("running", 3, 3, 99), ("succeeded", 0, 0, 100), ("failed", 1, 2, 95)],
)
def test_percent_is_of_the_whole_job(job: Job, status: str, done: int, total: int, percent: int) -> None:
    job.status, job.frames_done, job.frames_total = status, done, total
    job.stage = "" if status == "queued" else "previews"
    assert job_progress_view(job)["percent"] == percent


def test_times(job: Job) -> None:
    now = timezone.now()
    job.status, job.started_at, job.heartbeat_at, job.eta_seconds = (
        "running", now - timedelta(seconds=90), now - timedelta(seconds=7), 12.6,
    )  # fmt: skip
    view = job_progress_view(job, now)
    assert (view["elapsed_seconds"], view["silent_seconds"], view["eta_seconds"]) == (90, 7, 13)
    job.status, job.finished_at = "failed", now - timedelta(seconds=30)
    view = job_progress_view(job, now)
    assert (view["elapsed_seconds"], view["silent_seconds"], view["eta_seconds"]) == (60, None, None)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_progress_is_written_four_times_a_second_at_most_with_the_rate_of_the_last_seconds(job: Job) -> None:
    services.job_claim(job_id=job.pk, worker="a")
    clock, written = Clock(), []
    reporter = Reporter(job, "a", clock)
    for frame in range(100):  # 16 frames a second
        reporter(Progress("interpolating", frame, 200))
        job.refresh_from_db()
        written.append(job.frames_done)
        clock.now += 0.0625
    assert sorted(set(written)) == list(range(0, 100, 4))
    assert job.eta_seconds == pytest.approx((200 - job.frames_done) / 16)


def test_a_database_that_does_not_answer_for_a_while_costs_a_line_and_not_the_job(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(**_: object) -> bool:
        raise OperationalError("database is locked")

    services.job_claim(job_id=job.pk, worker="a")
    reporter = Reporter(job, "a", Clock())
    with monkeypatch.context() as patched:
        patched.setattr(services, "job_progress", locked)
        patched.setattr(runner, "close_old_connections", lambda: None)  # it is the test's own
        reporter(Progress("reading", 0, 9))
    reporter(Progress("interpolating", 1, 9))
    job.refresh_from_db()
    assert (job.stage, job.frames_done) == ("interpolating", 1)


def test_a_new_stage_is_written_at_once_and_starts_its_own_estimate(job: Job) -> None:
    services.job_claim(job_id=job.pk, worker="a")
    clock = Clock()
    reporter = Reporter(job, "a", clock)
    reporter(Progress("interpolating", 1, 2))
    clock.now += 0.01
    reporter(Progress("joining", 0, 1))
    job.refresh_from_db()
    assert (job.stage, job.frames_done, job.frames_total, job.eta_seconds) == ("joining", 0, 1, None)
