"""Runs whose process is gone, and waiting runs whose message is lost, are put right."""

import socket
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from training import services
from training.models import TrainingRun
from training.reaper import reap_once

from .rows import run_row, running

pytestmark = pytest.mark.django_db


def ago(seconds: float) -> object:
    return timezone.now() - timedelta(seconds=seconds)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    messages: list[str] = []
    monkeypatch.setattr(services, "async_task", lambda task, run_id, **_: messages.append(run_id))
    return messages


def test_a_run_that_fell_silent_goes_back_to_the_queue(tmp_path: Path, settings: object, sent: list[str]) -> None:
    settings.HEARTBEAT_STALE = 60.0  # type: ignore[attr-defined]
    silent = running(tmp_path, heartbeat_at=ago(61))
    alive = running(tmp_path, heartbeat_at=ago(59))
    reaped = reap_once()
    assert (reaped.requeued, reaped.ended) == ([silent.pk], [])
    alive.refresh_from_db()
    assert alive.status == TrainingRun.Status.RUNNING


def test_a_run_whose_process_is_not_there_goes_back_without_waiting(tmp_path: Path, sent: list[str]) -> None:
    gone = running(tmp_path, heartbeat_at=ago(15), worker=f"{socket.gethostname()}:4194304:abc")
    assert reap_once().requeued == [gone.pk]


def test_a_silent_run_that_was_to_be_stopped_is_stopped(tmp_path: Path) -> None:
    run = running(tmp_path, heartbeat_at=ago(500), cancel_requested_at=timezone.now())
    assert reap_once().ended == [run.pk]
    run.refresh_from_db()
    assert run.status == TrainingRun.Status.CANCELLED


def test_a_run_by_hand_whose_process_died_is_failed_with_the_reason(tmp_path: Path) -> None:
    run = running(tmp_path, heartbeat_at=ago(500), by_hand=True)
    assert reap_once().ended == [run.pk]
    run.refresh_from_db()
    assert (run.status, "fell silent" in run.error) == (TrainingRun.Status.FAILED, True)


def test_a_waiting_run_without_a_message_gets_one(tmp_path: Path, sent: list[str]) -> None:
    lost = run_row(tmp_path, enqueued_at=ago(120))
    run_row(tmp_path, enqueued_at=ago(5))
    assert reap_once().resent == [lost.pk]
    assert sent == [str(lost.pk)]


def test_a_waiting_run_with_its_message_in_the_queue_is_left_alone(tmp_path: Path) -> None:
    run = run_row(tmp_path)
    services.enqueue(run.pk)
    TrainingRun.objects.filter(pk=run.pk).update(enqueued_at=ago(120))
    assert not reap_once()
