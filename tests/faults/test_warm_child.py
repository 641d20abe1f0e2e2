"""The child that waits for a worker's next job: small jobs share it, and whatever happens to it costs no job."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import settings as django_settings
from pytest_django.fixtures import Settings

from interpolation import services, tasks
from interpolation.apps import _worker_begins
from interpolation.models import Job, Project, Source

from .conftest import Worker, children, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(autouse=True)
def warm(children_use_this_database: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.JOB_WARM, settings.JOB_THREADS = True, 1
    monkeypatch.setenv("INBETWEEN_JOB_THREADS", "1")
    yield
    tasks.dismiss()
    assert children() == []


@pytest.fixture
def make_job(project: Project, tiny_pictures: tuple[Path, Path]) -> Callable[[], Job]:
    source = services.source_create(project=project, kind="pictures", upload=tiny_pictures[0], upload2=tiny_pictures[1])
    return lambda: services.job_create(source=source, options={"inbetween": 1})


def pid() -> int:
    wait_for(children, 20, "the child that was just started has its name")
    (child,) = children()
    return child.pid


def test_small_jobs_in_a_row_are_drawn_by_the_same_process_each_with_its_own_log(
    make_job: Callable[[], Job], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    jobs, pids = [make_job() for _ in range(3)], []
    for job in jobs:
        assert tasks.job_run(str(job.pk)) == "succeeded"
        pids.append(pid())
        assert tasks.log_path(str(job.pk)).exists()
    assert len(set(pids)) == 1
    peaks = [Job.objects.get(pk=job.pk).metrics["timing"]["peak_memory_mib"] for job in jobs]
    assert max(peaks) < 2 * min(peaks)


def test_a_job_that_is_refused_leaves_the_process_for_the_next_one(make_job: Callable[[], Job]) -> None:
    good, bad = make_job(), make_job()
    assert tasks.job_run(str(good.pk)) == "succeeded"
    first = pid()
    bad.source.path.unlink()
    assert tasks.job_run(str(bad.pk)) == "failed"
    assert pid() == first


def test_a_waiting_process_that_was_killed_costs_no_job_and_no_attempt(make_job: Callable[[], Job]) -> None:
    tasks.prepare()
    first = pid()
    os.kill(first, signal.SIGKILL)
    job = make_job()
    assert tasks.job_run(str(job.pk)) == "succeeded"
    job.refresh_from_db()
    assert job.attempts == 1
    assert pid() != first


def test_a_process_killed_at_its_job_is_replaced_and_only_that_job_goes_back(
    make_job: Callable[[], Job], long_job: Job, start_worker: Callable[[Job], Worker]
) -> None:
    worker = start_worker(long_job)
    child = worker.until_frames()
    child.kill()
    assert worker.wait(60) == "queued"
    assert not child.is_running()
    services.job_cancel(job=long_job)  # it went back to the queue, and would be the next
    job = make_job()
    assert tasks.job_run(str(job.pk)) == "succeeded"
    job.refresh_from_db()
    assert job.attempts == 1


def test_a_cancelled_job_takes_its_process_along(long_job: Job, start_worker: Callable[[Job], Worker]) -> None:
    worker = start_worker(long_job)
    child = worker.until_frames()
    services.job_cancel(job=long_job)
    assert worker.wait(60) == "cancelled"
    assert not child.is_running()


def test_a_worker_that_begins_has_a_process_ready_for_its_first_job(
    make_job: Callable[[], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_q.conf.Conf.CLUSTER_NAME", "training")
    _worker_begins()
    assert children() == []
    monkeypatch.setattr("django_q.conf.Conf.CLUSTER_NAME", "interpolation")
    _worker_begins()
    ready = pid()
    assert tasks.job_run(str(make_job().pk)) == "succeeded"
    assert pid() == ready


def test_a_process_that_has_grown_or_served_often_is_replaced(
    make_job: Callable[[], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "KEEP_BYTES", 1)
    tasks.prepare()
    first = pid()
    assert tasks.job_run(str(make_job().pk)) == "succeeded"
    second = pid()
    assert second != first
    monkeypatch.setattr(tasks, "KEEP_BYTES", 1 << 40)
    monkeypatch.setattr(tasks, "KEEP_JOBS", 1)
    assert tasks.job_run(str(make_job().pk)) == "succeeded"
    assert pid() != second


def test_switched_off_no_process_waits(make_job: Callable[[], Job], settings: Settings) -> None:
    settings.JOB_WARM = False
    tasks.prepare()
    assert children() == []
    assert tasks.job_run(str(make_job().pk)) == "succeeded"
    assert children() == []


def test_a_job_whose_process_cannot_start_goes_back_to_the_queue_and_says_so_in_its_log(
    quick_source: Source, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOB_WARM = False
    monkeypatch.setenv("INBETWEEN_JOB_ATTEMPTS", "none")
    job = services.job_create(source=quick_source, options={})
    assert tasks.job_run(str(job.pk)) == "queued"
    job.refresh_from_db()
    assert job.attempts == 1
    assert "INBETWEEN_JOB_ATTEMPTS" in tasks.log_path(str(job.pk)).read_text()


def test_asked_to_end_while_it_loads_the_job_goes_back_without_losing_an_attempt(
    long_job: Job, start_worker: Callable[[Job], Worker], settings: Settings
) -> None:
    settings.JOB_WARM = False
    worker = start_worker(long_job)
    wait_for(lambda: children() != [], 60, "the child")
    children()[0].terminate()
    assert worker.wait(60) == "queued"
    long_job.refresh_from_db()
    assert long_job.attempts == 0


def test_a_worker_that_is_killed_takes_the_waiting_process_along() -> None:
    code = (
        "import django; django.setup()\nimport time\nfrom interpolation import tasks\ntasks.prepare(); time.sleep(60)"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "frameinterp_site.settings"}
    worker = psutil.Popen([sys.executable, "-c", code], cwd=django_settings.BASE_DIR, env=environment)
    try:
        wait_for(lambda: worker.children() != [], 60, "the waiting child")
        (child,) = worker.children()
    finally:
        worker.kill()
        worker.wait()
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 30, "the child to die too")
