"""`manage.py drain`, `pause` and `release`: holding the workers from a shell."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from frameinterp_site import holding, holds
from frameinterp_site.holds import held
from frameinterp_site.models import Hold, Worker
from interpolation import services
from interpolation.models import Job, Source
from training.models import TrainingRun

pytestmark = pytest.mark.django_db
QUEUES = ("interpolation", "training", "webhooks")


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """Time that does not pass: what happens in every second of waiting is put in here; it ends when nothing is left."""
    happens: list[Callable[[], object]] = []
    clock = [0.0]

    def sleep(length: float) -> None:
        clock[0] += length
        happens.pop(0)()

    monkeypatch.setattr(holding.time, "sleep", sleep)
    monkeypatch.setattr(holding.time, "monotonic", lambda: clock[0])
    return happens


def nothing() -> None:
    pass


@pytest.fixture
def job(quick_source: Source) -> Job:
    return services.job_create(source=quick_source, options={})


def claim(job: Job, worker: str = "render-1:9:x") -> None:
    assert services.job_claim(job_id=job.pk, worker=worker)


@pytest.mark.parametrize("mode", ["drain", "pause"])
def test_all_queues_are_held_and_released(mode: str) -> None:
    said = run(mode, "--reason", "new  disk")
    assert said.splitlines() == [f"Held: {queue} on all machines: {mode}." for queue in QUEUES]
    assert [held(queue) for queue in QUEUES] == [mode] * 3
    assert set(Hold.objects.values_list("reason", "created_by")) == {("new disk", None)}
    assert run("release").splitlines() == [f"Released: {queue} on all machines: {mode}." for queue in QUEUES]
    assert not Hold.objects.exists()


def test_what_a_shell_held_and_released_is_in_the_audit_log_with_the_shells_user(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    monkeypatch.setattr(holds.socket, "gethostname", lambda: "render-1")
    monkeypatch.setattr(holds.psutil.Process, "username", lambda self: "root")
    monkeypatch.setenv("SUDO_USER", "alice")
    run("drain", "training", "--reason", "new disk")
    monkeypatch.delenv("SUDO_USER")
    run("release", "training")
    run("release", "training")  # was not held any more: nothing was done
    entries = LogEntry.objects.order_by("pk").values_list("user__username", "object_repr", "change_message")
    held_words = "training on all machines: drain"
    assert list(entries) == [
        (holds.SHELL, held_words, f"workers held: {held_words} (new disk), by root (sudo by alice) on render-1"),
        (holds.SHELL, held_words, f"workers released: {held_words}, by root on render-1"),
    ]
    account = User.objects.get(username=holds.SHELL)
    assert (account.is_active, account.is_staff, account.has_usable_password()) == (False, False, False)
    sign_up = {"username": holds.SHELL, "password1": "correct-horse-9", "password2": "correct-horse-9"}
    assert client.post("/sign-up/", sign_up).status_code == 422


def test_one_queue_of_one_machine_is_held_and_only_that_is_released() -> None:
    now = timezone.now()
    Worker.objects.create(queue="training", host="gpu-1", pid=1, started_at=now, seen_at=now)
    assert run("drain", "training", "--machine", "gpu-1") == "Held: training on gpu-1: drain.\n"
    assert (held("training", "gpu-1"), held("training", "gpu-2"), held("interpolation", "gpu-1")) == ("drain", "", "")
    assert run("release", "training") == (
        "training on all machines was not held.\nStill held: training on gpu-1: drain.\n"
    )
    assert run("release", "training", "--machine", "gpu-1") == "Released: training on gpu-1: drain.\n"


def test_a_machine_that_nobody_knows_is_said_to_be_unknown() -> None:
    assert "No worker has spoken from gpu-l (known: none)." in run("drain", "--machine", "gpu-l")


def test_after_a_release_waiting_jobs_are_sent_again(job: Job) -> None:
    run("pause")
    OrmQ.objects.all().delete()
    run("release")
    assert [message.task["args"] for message in OrmQ.objects.all()] == [(str(job.pk),)]


def test_waiting_ends_when_nothing_has_run_for_some_looks(job: Job, seconds: list[Callable[[], object]]) -> None:
    """The one that was claimed after the first look had asked just before the hold."""

    def done() -> None:
        Job.objects.update(status="succeeded")

    seconds += [lambda: claim_anyway(job), nothing, done, nothing, nothing]
    assert run("drain", "--wait").splitlines()[3:] == [
        f"Waiting for {job.pk} tiny.mp4 (Running)",
        "Nothing runs any more.",
    ]
    assert seconds == []


def claim_anyway(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(status="running", worker="render-1:9:x", started_at=timezone.now())


def test_waiting_too_long_is_an_error_that_says_what_runs_and_the_hold_stays(
    job: Job, seconds: list[Callable[[], object]]
) -> None:
    claim(job)
    seconds += [nothing] * 5
    with pytest.raises(CommandError) as refused:
        run("drain", "--wait", "--timeout", "5")
    assert refused.value.returncode == 1
    assert str(refused.value) == (
        f"After 5 s there still runs: {job.pk} tiny.mp4 (Running). The workers stay held until manage.py release."
    )
    assert held("interpolation") == "drain" and seconds == []


def test_only_work_of_what_is_held_is_waited_for(job: Job, seconds: list[Callable[[], object]]) -> None:
    """Not another machine's, not another queue's, and not a training that somebody has started by hand."""
    claim(job)
    TrainingRun.objects.create(name="by hand", status="running", by_hand=True, worker="render-2:1:x")
    for words in (("--machine", "render-2"), ("training",), ("webhooks",)):
        seconds += [nothing] * 2
        assert "Nothing runs any more." in run("drain", *words, "--wait")
        assert seconds == []


def test_ctrl_c_ends_the_waiting_and_not_the_hold(job: Job, seconds: list[Callable[[], object]]) -> None:
    claim(job)

    def ctrl_c() -> None:
        raise KeyboardInterrupt

    seconds.append(ctrl_c)
    with pytest.raises(CommandError, match="Not waiting any longer"):
        run("drain", "--wait")
    assert held("interpolation") == "drain"


def test_what_makes_no_sense_is_refused_in_words() -> None:
    with pytest.raises(
        CommandError, match="there is no queue 'rendering'; choose of interpolation, training, webhooks"
    ):
        run("drain", "rendering")
    with pytest.raises(CommandError, match="give both"):
        run("drain", "--timeout", "5")
    assert not Hold.objects.exists()


def test_a_database_that_is_no_portals_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hold._meta, "db_table", "nothing_of_this_name")
    with pytest.raises(CommandError, match=r"does not answer as a portal's: .*Is INBETWEEN_DATA"):
        run("drain")
    connection.needs_rollback = False
