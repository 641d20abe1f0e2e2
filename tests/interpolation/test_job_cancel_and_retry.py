"""Cancel before, during and after; try again what failed."""

from __future__ import annotations

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from interpolation import services
from interpolation.models import Job, Source


@pytest.fixture
def job(quick_source: Source) -> Job:
    return services.job_create(source=quick_source, options={})


def test_a_waiting_job_is_cancelled_at_once_and_never_claimed(job: Job) -> None:
    services.job_cancel(job=job)
    assert (job.status, job.finished_at is not None) == ("cancelled", True)
    assert services.job_claim(job_id=job.pk, worker="a") is False


def test_a_running_job_is_asked_to_stop_and_is_cancelled_when_its_child_has_stopped(job: Job) -> None:
    services.job_claim(job_id=job.pk, worker="a")
    services.job_cancel(job=job)
    assert job.status == "running"
    assert services.job_progress_view(job)["cancel_requested"] is True
    assert services.job_stopped(job_id=job.pk, worker="a") is True
    job.refresh_from_db()
    assert job.status == "cancelled"
    assert services.job_progress_view(job)["cancel_requested"] is False


@pytest.mark.parametrize(("status", "shown"), [("succeeded", "Done"), ("failed", "Failed"), ("cancelled", "Cancelled")])
def test_what_is_over_cannot_be_cancelled(job: Job, status: str, shown: str) -> None:
    Job.objects.update(status=status)
    with pytest.raises(services.ServiceError, match=f'over \\("{shown}"\\)'):
        services.job_cancel(job=job)
    job.refresh_from_db()
    assert (job.status, job.cancel_requested_at) == (status, None)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_failed_or_cancelled_job_runs_again_from_the_first_attempt(
    job: Job, status: str, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    Job.objects.update(status=status, attempts=2, error="It broke.", stage="joining", frames_done=3, frames_total=9)
    with django_capture_on_commit_callbacks(execute=False) as callbacks:
        services.job_retry(job=job)
    assert len(callbacks) == 1
    assert (job.status, job.attempts, job.error, job.stage, job.frames_done) == ("queued", 0, "", "", 0)
    assert services.job_claim(job_id=job.pk, worker="a") is True


@pytest.mark.parametrize("status", ["queued", "running", "succeeded"])
def test_what_did_not_fail_is_not_run_again(job: Job, status: str) -> None:
    Job.objects.update(status=status)
    with pytest.raises(services.ServiceError, match="only failed and cancelled jobs"):
        services.job_retry(job=job)


def test_retry_keeps_the_folder_with_the_finished_segments(job: Job) -> None:
    segment = job.directory / "segments" / "seg_00001.mp4"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(b"finished")
    Job.objects.update(status="failed")
    services.job_retry(job=job)
    assert segment.read_bytes() == b"finished"


def test_an_administrator_takes_a_running_job_from_its_holder(job: Job) -> None:
    services.job_claim(job_id=job.pk, worker="hung")
    services.job_requeue(job=job)
    assert services.job_beat(job_id=job.pk, worker="hung") is False
    assert services.job_claim(job_id=job.pk, worker="fresh") is True
