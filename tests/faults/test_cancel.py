"""Cancel before, during, after."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from interpolation import services, tasks
from interpolation.models import Job

from .conftest import Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_cancel_before_it_starts(long_job: Job) -> None:
    services.job_cancel(job=long_job)
    assert tasks.job_run(str(long_job.pk)) == "nothing waits"
    long_job.refresh_from_db()
    assert (long_job.status, long_job.attempts) == ("cancelled", 0)


def test_cancel_while_it_runs_ends_the_child_in_seconds_and_after_that_there_is_nothing_to_cancel(
    long_job: Job, start_worker: Callable[[Job], Worker]
) -> None:
    worker = start_worker(long_job)
    child = worker.until_frames()
    asked = time.monotonic()
    services.job_cancel(job=long_job)
    assert worker.wait(15) == "cancelled"
    assert time.monotonic() - asked < 10
    assert not child.is_running()
    long_job.refresh_from_db()
    assert (long_job.error, long_job.finished_at is not None, long_job.previews.count()) == ("", True, 0)
    with pytest.raises(services.ServiceError, match="nothing to cancel"):
        services.job_cancel(job=long_job)


def test_cancel_while_the_child_hangs_kills_it(
    long_job: Job, start_worker: Callable[[Job], Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "GRACE", 1.0)
    worker = start_worker(long_job)
    child = worker.until_frames()
    child.suspend()  # does not even notice SIGTERM
    services.job_cancel(job=long_job)
    assert worker.wait(15) == "cancelled"
    assert not child.is_running()


def test_deleting_the_project_ends_its_running_job(long_job: Job, start_worker: Callable[[Job], Worker]) -> None:
    worker = start_worker(long_job)
    child = worker.until_frames()
    services.project_purge(project=long_job.project)
    assert worker.wait(15) == "deleted"
    assert not child.is_running()
    assert not Job.objects.exists()
    assert not long_job.directory.exists()
    assert not tasks.log_path(str(long_job.pk)).exists()
