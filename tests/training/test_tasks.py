"""The worker's side of a run: one claim, a watched child, and a row that says how the child ended."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from engine.childproc import ChildResult
from training import services, tasks
from training.models import TrainingRun

from .rows import WORKER, config, run_row, running

Status = TrainingRun.Status


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


CREATE = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
from training.models import TrainingRun
print(TrainingRun.objects.create(name="garden", config={config!r}, steps_total=30).pk)
"""


@pytest.mark.slow
def test_a_training_process_that_is_ended_goes_on_where_it_was_saved(tmp_path: Path) -> None:
    """Through the real command and database: SIGTERM, back to the queue, taken up again to its end."""
    environment = {**os.environ, "INBETWEEN_DATA": str(tmp_path), "OMP_NUM_THREADS": "1"}
    environment.pop("INBETWEEN_DATABASE", None)
    manage = [sys.executable, "manage.py"]
    inside: dict[str, Any] = {"cwd": django_settings.BASE_DIR, "env": environment}
    settings = config(tmp_path, epochs=1, steps_per_epoch=30, batch_size=2).to_dict()
    program = CREATE.format(config=settings)
    made = subprocess.run(
        [*manage, "shell", "-v", "0", "-c", program], check=True, capture_output=True, text=True, **inside
    )
    run = made.stdout.split()[-1]

    def row(columns: str, table: str = "trainingrun") -> list[tuple[Any, ...]]:
        with sqlite3.connect(tmp_path / "db.sqlite3", timeout=20) as database:
            return database.execute(f"select {columns} from training_{table}").fetchall()

    child = subprocess.Popen([*manage, "run_training", run], **inside)
    try:
        wait_for(lambda: row("steps_done")[0][0] >= 1)
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) == 0
    finally:
        child.kill()
    assert row("status, attempts") == [("queued", 0)]
    assert (tmp_path / "garden.last.pt").is_file()
    assert row("number", "epoch") == []
    subprocess.run([*manage, "run_training", run], check=True, **inside)
    assert row("status, steps_done, attempts") == [("succeeded", 30, 1)]
    assert row("number, step", "epoch") == [(1, 30)]
