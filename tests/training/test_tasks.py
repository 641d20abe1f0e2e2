"""The worker's side of a run: one claim, a watched child, and a row that says how the child ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch
from django.conf import settings as django_settings

from engine.childproc import ChildResult
from engine.config import ModelConfig
from training import services, tasks
from training.models import TrainingRun

from .footage import texture
from .rows import WORKER, config, run_row, running

Status = TrainingRun.Status
SMALL = ModelConfig(half=8, quarter=8, eighth=8)


@pytest.fixture
def log_dir(tmp_path: Path, settings: Any) -> Path:
    settings.LOG_DIR = tmp_path / "logs"
    return tmp_path / "logs"


@pytest.mark.django_db
def test_a_message_that_comes_twice_starts_one_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log_dir: Path
) -> None:
    run = run_row(tmp_path)
    started: list[list[str]] = []

    def child(argv: list[str], **_: Any) -> ChildResult:
        started.append(argv)
        assert tasks.training_run(str(run.pk)) == "not waiting"
        return ChildResult(0, "exit", 0, 1.0)

    monkeypatch.setattr(tasks, "run_child", child)
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)  # the test's own connection stays
    tasks.training_run(str(run.pk))
    assert len(started) == 1
    assert started[0][1:4] == ["manage.py", "run_training", str(run.pk)]
    assert (log_dir / "training" / f"{run.pk}.log").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ended", "code", "status", "words"),
    [
        ("memory", -9, Status.FAILED, "MB of memory"),
        ("time", -9, Status.FAILED, "hours it may take"),
        ("exit", -9, Status.QUEUED, ""),
        ("exit", 1, Status.QUEUED, ""),
    ],
)
def test_the_end_of_a_child_that_could_not_speak_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any, ended: Any, code: int, status: str, words: str
) -> None:
    settings.JOB_ATTEMPTS = 2
    monkeypatch.setattr(services, "async_task", lambda *_, **__: None)
    run = running(tmp_path)
    assert tasks.settle(run.pk, WORKER, ChildResult(code, ended, 0, 1.0)) == status
    run.refresh_from_db()
    assert words in run.error


@pytest.mark.django_db
def test_the_watcher_stops_the_child_when_a_person_asked_or_the_row_is_gone(tmp_path: Path) -> None:
    run = running(tmp_path)
    watch = tasks.Watch(run.pk, WORKER)
    watch.look()
    assert not watch.should_stop()
    services.training_run_cancel(run=run)
    watch.look()
    assert watch.should_stop()
    other = running(tmp_path)
    watch = tasks.Watch(other.pk, WORKER)
    other.delete()
    watch.look()
    assert watch.should_stop()


# --- the real thing: a process of its own, killed and taken up again ------------------------------------------------


def wait_for(what: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


@pytest.mark.slow
def test_a_training_process_that_is_ended_goes_on_where_it_was_saved(
    children_use_this_database: None, tmp_path: Path
) -> None:
    """Through the real command and database: SIGTERM, back to the queue, taken up again to its end."""
    (tmp_path / "photos").mkdir()
    cv2.imwrite(str(tmp_path / "photos" / "one.png"), texture(96, 96))  # without photographs more textures are drawn
    endless = config(tmp_path, epochs=1, steps_per_epoch=10**6, photos=str(tmp_path / "photos"), model=SMALL)
    endless = replace(endless, workers=1, validation_triplets=2)  # as the portal starts it: samples come from a process
    run = run_row(tmp_path, config=endless.to_dict(), steps_total=10**6)
    command = [sys.executable, "manage.py", "run_training", str(run.pk)]
    inside: dict[str, Any] = {"cwd": django_settings.BASE_DIR, "env": os.environ}

    def has_begun() -> bool:
        run.refresh_from_db()
        return run.steps_done >= 1

    child = subprocess.Popen(command, **inside)
    try:
        wait_for(has_begun)
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) == 0
    finally:
        child.kill()
    run.refresh_from_db()
    assert (run.status, run.attempts) == ("queued", 0)
    assert not run.epochs.exists()

    done = torch.load(tmp_path / "garden.last.pt")["step"]
    assert done >= 1
    end = done + 2
    run.config, run.steps_total = replace(endless, steps_per_epoch=end, workers=0).to_dict(), end
    run.save(update_fields=["config", "steps_total"])
    subprocess.run(command, check=True, **inside)
    run.refresh_from_db()
    assert (run.status, run.steps_done, run.attempts) == ("succeeded", end, 1)
    assert list(run.epochs.values_list("number", "step")) == [(1, end)]
    assert (run.curve[0][0], run.curve[-1][0]) == (1, end)  # the curve begins with the first attempt
