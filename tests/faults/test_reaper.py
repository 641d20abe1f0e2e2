"""The reaper puts right what died, and leaves alone what lives."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django.fixtures import Settings

from engine.workers import worker_is_gone
from interpolation import services
from interpolation.models import Job, Source
from interpolation.reaper import reap_once
from interpolation.services.queue import enqueue

HERE = socket.gethostname()[:80]


def ago(seconds: float) -> object:
    return timezone.now() - timedelta(seconds=seconds)


@pytest.fixture
def job(quick_source: Source) -> Job:
    return services.job_create(source=quick_source, options={})


@pytest.fixture
def running(job: Job) -> Job:
    services.job_claim(job_id=job.pk, worker="elsewhere:1:x")
    return job


def test_a_job_whose_worker_beats_is_left_alone(running: Job) -> None:
    Job.objects.update(heartbeat_at=ago(50))
    assert not reap_once()


def test_a_silent_job_goes_back_to_the_queue_with_a_message(running: Job) -> None:
    Job.objects.update(heartbeat_at=ago(61))
    assert reap_once().requeued == [running.pk]
    running.refresh_from_db()
    assert (running.status, running.attempts) == ("queued", 1)


@pytest.mark.django_db(transaction=True)
def test_the_message_of_a_requeued_job_is_sent(running: Job) -> None:
    OrmQ.objects.all().delete()
    Job.objects.update(heartbeat_at=ago(61))
    reap_once()
    assert [message.args() for message in OrmQ.objects.all()] == [(str(running.pk),)]


def test_a_silent_job_without_attempts_left_fails_in_words(running: Job, settings: Settings) -> None:
    settings.JOB_ATTEMPTS = 1
    Job.objects.update(heartbeat_at=ago(75))
    assert reap_once().failed == [running.pk]
    running.refresh_from_db()
    assert running.error == (
        "The worker fell silent 75 seconds ago. It was tried once. Try again; finished parts are kept."
    )


def test_a_silent_job_that_was_to_be_cancelled_is_cancelled(running: Job) -> None:
    services.job_cancel(job=running)
    Job.objects.update(heartbeat_at=ago(61))
    assert reap_once().cancelled == [running.pk]


def test_a_worker_of_this_machine_that_is_gone_is_noticed_at_once(running: Job) -> None:
    Job.objects.update(heartbeat_at=ago(11), worker=f"{HERE}:4194304:x")  # above the highest number a process may have
    assert reap_once().requeued == [running.pk]


def test_only_the_process_of_this_machine_can_be_seen_to_be_gone() -> None:
    assert worker_is_gone(f"{HERE}:4194304:x") is True
    assert worker_is_gone(f"{HERE}:{os.getpid()}:x") is False
    assert worker_is_gone("elsewhere:4194304:x") is False
    assert worker_is_gone("") is False


def test_a_waiting_job_without_a_message_gets_one(job: Job) -> None:
    Job.objects.update(enqueued_at=ago(61))
    assert reap_once().resent == [job.pk]
    assert [message.args() for message in OrmQ.objects.all()] == [(str(job.pk),)]
    Job.objects.update(enqueued_at=ago(61))
    assert not reap_once(), "the message waits: no second one"


def test_a_message_taken_by_a_worker_that_died_is_sent_again(job: Job) -> None:
    enqueue(job.pk)
    OrmQ.objects.update(lock=timezone.now() + timedelta(days=1))
    Job.objects.update(enqueued_at=ago(61))
    assert reap_once().resent == [job.pk]


def test_a_message_may_be_on_its_way_for_a_while(job: Job) -> None:
    Job.objects.update(enqueued_at=ago(30))
    assert not reap_once()


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_what_is_over_is_left_alone(job: Job, status: str) -> None:
    Job.objects.update(status=status, heartbeat_at=ago(9999), enqueued_at=ago(9999))
    assert not reap_once()


def test_leftovers_of_killed_uploads_are_swept_after_a_day(media_root: Path, db: None) -> None:
    old, fresh = media_root / "incoming" / "old", media_root / "incoming" / "fresh.upload"
    old.mkdir()
    (old / "arrived1").write_bytes(b"half")
    fresh.write_bytes(b"half")
    past = timezone.now().timestamp() - 25 * 3600
    os.utime(old, (past, past))
    assert reap_once().swept == 1
    assert (old.exists(), fresh.exists()) == (False, True)


def test_an_upload_that_is_taken_over_while_the_folder_is_swept_stops_nothing(
    media_root: Path, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "iterdir", lambda folder: iter([folder / "taken over meanwhile"]))
    assert reap_once().swept == 0


def test_the_command_does_one_round(running: Job) -> None:
    Job.objects.update(heartbeat_at=ago(61))
    call_command("reap", "--once")
    running.refresh_from_db()
    assert running.status == "queued"
