"""The held-out figures of a finished job are measured again with the weights that drew it."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from engine.childproc import ChildResult
from engine.interpolator import Interpolator
from interpolation import services, tasks
from interpolation.models import Job, Source


@pytest.fixture
def done(source: Source, settings: Settings) -> Job:
    settings.JOB_THREADS = 1
    model = Interpolator.load(None, "cpu", threads=1).info
    job = services.job_create(source=source, options={})
    job.directory.mkdir(parents=True)
    Job.objects.update(
        status="succeeded",
        model_name=model.name,
        model_sha256=model.sha256,
        metrics={"held_out": None, "held_out_note": "switched off", "cuts": [0.5]},
    )
    job.refresh_from_db()
    return job


def test_the_figures_are_there_afterwards_and_all_else_stays(done: Job) -> None:
    services.job_measure_now(job=done)
    metrics = Job.objects.get(pk=done.pk).metrics
    assert 20 < metrics["held_out"]["psnr"] < 100
    assert metrics["held_out"]["label"] == "held-out"
    assert (metrics["held_out_note"], metrics["cuts"], "measured_again_at" in metrics) == ("", [0.5], True)
    assert list(done.directory.iterdir()) == []  # nothing is left of what was made on the way


def test_other_weights_than_those_that_drew_it_say_nothing_of_it(done: Job) -> None:
    Job.objects.update(model_sha256="0" * 64)
    done.refresh_from_db()
    with pytest.raises(services.ServiceError, match="has other weights now than when this was drawn"):
        services.job_measure_now(job=done)


def test_a_source_that_is_gone_cannot_be_compared_with(done: Job) -> None:
    done.source.path.unlink()
    with pytest.raises(services.ServiceError, match="there is nothing to compare with"):
        services.job_measure_again(job=done)


def test_a_worker_does_it_in_a_child_of_its_own(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []

    def run_child(argv: list[str], **given: Any) -> ChildResult:
        started.append((argv, given["env"]["INBETWEEN_JOB_ID"]))
        return ChildResult(0, "exit", 0, 1.0)

    monkeypatch.setattr(tasks, "run_child", run_child)
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)  # it is the test's own
    assert tasks.figures_run("abc") == "measured"
    assert started == [([sys.executable, "manage.py", "measure_job", "abc"], "abc")]
