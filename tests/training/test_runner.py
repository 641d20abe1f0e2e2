"""What a training process writes into its row while the loop goes, and how it goes on after an interruption."""

from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError

from engine.config import TrainConfig
from engine.errors import BadInputError
from engine.learn import loop
from training import runner, services
from training.models import TrainingRun

from .rows import WORKER, config, epoch_report, result, running, step_report

pytestmark = pytest.mark.django_db
Status = TrainingRun.Status


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_row_is_written_once_a_second_and_at_the_last_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    monkeypatch.setattr(services, "training_run_progress", lambda *, report, **_: written.append(report.step) or True)
    clock = Clock()
    recorder = runner.Recorder(running(tmp_path), WORKER, clock)
    for step in range(1, 21):
        clock.now = step * 0.125
        recorder.on_step(step_report(step, total=20))
    assert written == [1, 9, 17, 20]


def test_the_rate_counts_everything_that_takes_time(tmp_path: Path) -> None:
    clock = Clock()
    recorder = runner.Recorder(running(tmp_path, config=config(tmp_path, batch_size=4).to_dict()), WORKER, clock)
    recorder.on_step(step_report(1, total=1000))
    assert recorder.rate() is None
    for step in range(2, 101):
        clock.now += 2.0
        recorder.on_step(step_report(step, total=1000))
    assert recorder.rate() == 2.0


def test_the_curve_is_thinned_and_keeps_means_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "CURVE_POINTS", 10)
    recorder = runner.Recorder(running(tmp_path), WORKER, Clock())
    for step in range(1, 101):
        recorder.on_step(step_report(step, total=1000, loss=2.0))
    steps = [step for step, _ in recorder.curve]
    assert len(steps) <= 10 and steps == sorted(steps) and steps[-1] > 80
    assert {loss for _, loss in recorder.curve} == {2.0}


def test_a_resumed_run_draws_one_curve_without_going_back(tmp_path: Path) -> None:
    run = running(tmp_path, curve=[[step, 1.0] for step in (2, 4, 6, 8)])
    recorder = runner.Recorder(run, WORKER, Clock())
    for step in (5, 6):  # saved at 4, so 5 and 6 are done again
        recorder.on_step(step_report(step, loss=0.5))
    assert recorder.curve == [[2, 1.0], [4, 1.0], [6, 0.5]]


def test_a_loss_that_is_not_a_number_never_reaches_the_row(tmp_path: Path) -> None:
    run = running(tmp_path)
    recorder = runner.Recorder(run, WORKER, Clock())
    recorder.on_step(step_report(1, loss=float("nan")))
    recorder.on_step(step_report(4, loss=0.25))
    run.refresh_from_db()
    assert run.curve == [[4, 0.25]] and run.loss == 0.25


def test_a_database_that_is_away_does_not_stop_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: Any) -> bool:
        raise DatabaseError("locked")

    monkeypatch.setattr(services, "training_run_progress", away)
    monkeypatch.setattr(services, "epoch_add", away)
    monkeypatch.setattr(runner, "close_old_connections", lambda: None)
    recorder = runner.Recorder(running(tmp_path), WORKER, Clock())
    recorder.on_step(step_report(1))
    recorder.on_epoch(epoch_report(1))


def finished_by(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, stopped: bool = False) -> list[TrainConfig]:
    """Stands in for the loop; the configurations it was called with."""
    calls: list[TrainConfig] = []

    def train(config: TrainConfig, **callbacks: Any) -> loop.TrainResult:
        calls.append(config)
        callbacks["on_step"](step_report(4))
        callbacks["on_epoch"](epoch_report(1))
        return result(tmp_path, stopped=stopped)

    monkeypatch.setattr(loop, "train", train)
    return calls


def test_a_run_that_comes_to_its_end_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = finished_by(monkeypatch, tmp_path)
    run = running(tmp_path)
    assert runner.run(str(run.pk), WORKER, lambda: False) == 0
    run.refresh_from_db()
    assert (run.status, run.steps_done, run.epochs.count(), calls[0].resume) == (Status.SUCCEEDED, 4, 1, False)


def test_a_second_attempt_goes_on_from_what_was_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = finished_by(monkeypatch, tmp_path)
    run = running(tmp_path, attempts=2)
    runner.run(str(run.pk), WORKER, lambda: False)
    run.status, run.worker = Status.RUNNING, WORKER
    run.save(update_fields=["status", "worker"])
    (tmp_path / "garden.last.pt").touch()
    runner.run(str(run.pk), WORKER, lambda: False)
    assert [call.resume for call in calls] == [False, True]


def test_a_run_never_takes_longer_than_the_portal_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.TRAINING_TIMEOUT = 600
    calls = finished_by(monkeypatch, tmp_path)
    for minutes in (None, 5.0, 50.0):
        run = running(tmp_path, config=config(tmp_path, max_minutes=minutes).to_dict())
        runner.run(str(run.pk), WORKER, lambda: False)
    assert [call.max_minutes for call in calls] == [10, 5, 10]


@pytest.mark.parametrize(
    ("asked", "interrupted", "status"),
    [(True, True, Status.CANCELLED), (False, True, Status.QUEUED), (False, False, Status.SUCCEEDED)],
)
def test_who_ended_it_decides_what_becomes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: bool, interrupted: bool, status: str
) -> None:
    finished_by(monkeypatch, tmp_path, stopped=True)
    run = running(tmp_path)
    if asked:
        services.training_run_cancel(run=run)
    runner.run(str(run.pk), WORKER, lambda: interrupted)
    run.refresh_from_db()
    assert run.status == status


def test_a_break_down_while_everything_is_being_stopped_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def helper_gone(*_: Any, **__: Any) -> None:
        raise RuntimeError("DataLoader worker is killed by signal: Terminated.")

    monkeypatch.setattr(loop, "train", helper_gone)
    run = running(tmp_path)
    assert runner.run(str(run.pk), WORKER, lambda: True) == 0
    run.refresh_from_db()
    assert (run.status, run.attempts, run.error) == (Status.QUEUED, 0, "")


def test_a_refusal_is_told_in_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise BadInputError("There are no photographs in /nowhere.")

    monkeypatch.setattr(loop, "train", refuse)
    run = running(tmp_path)
    assert runner.run(str(run.pk), WORKER, lambda: False) == 0
    run.refresh_from_db()
    assert (run.status, run.error) == (Status.FAILED, "There are no photographs in /nowhere.")


@pytest.mark.parametrize(
    ("error", "words", "code"),
    [
        (OSError(28, "No space left on device"), "The disk is full", 1),
        (MemoryError(), "not enough memory", 0),
        (RuntimeError("inside"), "Something broke inside", 1),
    ],
)
def test_what_breaks_is_told_without_its_insides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str, code: int
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(loop, "train", broken)
    run = running(tmp_path)
    assert runner.run(str(run.pk), WORKER, lambda: False) == code
    run.refresh_from_db()
    assert run.status == Status.FAILED and words in run.error and "Traceback" not in run.error
