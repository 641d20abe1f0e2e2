"""Turns are taken between users: fifty jobs of one do not starve the one job of another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django.fixtures import Settings

from frameinterp_site import broker
from frameinterp_site.broker import ClusterBroker
from frameinterp_site.holds import held, hold_release, hold_set
from frameinterp_site.models import Hold
from interpolation import services, tasks
from interpolation.models import Job, UserLimits
from interpolation.reaper import reap_once
from interpolation.services.queue import enqueue

from .pages import job_of, person, source_of


def jobs_of(name: str, count: int) -> list[Job]:
    """Waiting, sent a second apart."""
    user = User.objects.filter(username=name).first() or person(name)
    source = source_of(user)
    start = timezone.now() - timedelta(hours=1) + timedelta(seconds=Job.objects.count())
    return [job_of(source, created_by=user, enqueued_at=start + timedelta(seconds=number)) for number in range(count)]


def take(worker: str = "host:1:x") -> Job | None:
    taken = services.job_claim_next(worker=worker)
    return Job.objects.get(pk=taken) if taken else None


def finish(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(status="succeeded", finished_at=timezone.now())


def taken_in_turn(count: int) -> str:
    """The first letters of the users whose jobs one worker takes, one after the other."""
    found = ""
    for _ in range(count):
        job = take()
        assert job is not None and job.created_by is not None
        found += job.created_by.username[0]
        finish(job)
    return found


@pytest.mark.django_db
def test_the_only_job_of_one_comes_right_after_the_running_one_of_another_with_fifty() -> None:
    first, *_ = jobs_of("alice", 50)
    assert take() == first
    (bobs,) = jobs_of("bob", 1)
    assert services.places()[bobs.pk] == 1
    assert take("host:2:y") == bobs


@pytest.mark.django_db
def test_one_worker_takes_turns_between_three_users() -> None:
    jobs_of("alice", 5)
    jobs_of("bob", 2)
    jobs_of("carol", 3)
    assert taken_in_turn(10) == "abcabcacaa"


@pytest.mark.django_db
def test_the_places_are_those_in_which_jobs_are_taken() -> None:
    jobs = [*jobs_of("alice", 3), *jobs_of("bob", 2)]
    expected = [job.pk for job in sorted(jobs, key=lambda job: services.places()[job.pk])]
    taken = []
    while job := take():
        taken.append(job.pk)
        finish(job)
    assert taken == expected


@pytest.mark.django_db
def test_who_was_served_longest_ago_is_next() -> None:
    alices, bobs = jobs_of("alice", 2), jobs_of("bob", 2)
    now = timezone.now()
    for job, hours in ((alices[0], 1), (bobs[0], 2)):
        Job.objects.filter(pk=job.pk).update(status="succeeded", started_at=now - timedelta(hours=hours))
    assert take() == bobs[1]


@pytest.mark.django_db
def test_a_job_in_a_shared_project_takes_the_turn_of_who_started_it() -> None:
    alices = jobs_of("alice", 2)
    bob = person("bob")
    bobs = job_of(alices[0].source, created_by=bob)
    assert take() == alices[0]
    assert take("host:2:y") == bobs


@pytest.mark.django_db(transaction=True)
def test_workers_that_claim_at_once_take_every_job_once() -> None:
    jobs = [*jobs_of("alice", 6), *jobs_of("bob", 2)]

    def claim(number: int) -> object:
        try:
            return services.job_claim_next(worker=f"host:{number}:x")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(claim, range(8)))
    assert sorted(map(str, taken)) == sorted(str(job.pk) for job in jobs)


@pytest.mark.django_db(transaction=True)
def test_no_more_run_at_once_than_a_user_may(settings: Settings) -> None:
    settings.USER_RUNNING_JOBS = 2
    jobs_of("alice", 6)

    def claim(number: int) -> object:
        try:
            return services.job_claim_next(worker=f"host:{number}:x")
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        taken = [job for job in pool.map(claim, range(6)) if job]
    assert len(taken) == Job.objects.filter(status="running").count() == 2


@pytest.mark.django_db
def test_one_user_may_have_more_or_less_than_the_others(settings: Settings) -> None:
    settings.USER_RUNNING_JOBS = 1
    alices, bobs = jobs_of("alice", 3), jobs_of("bob", 3)
    UserLimits.objects.create(user=alices[0].project.owner, running_jobs=2)
    UserLimits.objects.create(user=bobs[0].project.owner, storage_mb=1)  # says nothing of jobs
    taken = [take(f"host:{number}:x") for number in range(6)]
    assert [job.created_by.username for job in taken if job and job.created_by] == ["alice", "bob", "alice"]


@pytest.mark.django_db
def test_a_message_wakes_for_whoever_is_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the message names is only a name: the worker takes the job whose turn it is."""
    alices, bobs = jobs_of("alice", 2), jobs_of("bob", 1)
    take()
    attempts: list[str] = []
    monkeypatch.setattr(tasks, "attempt", lambda job_id, worker: attempts.append(job_id) or "succeeded")
    assert tasks.job_run(str(alices[1].pk)) == "succeeded"
    assert attempts == [str(bobs[0].pk)]


@pytest.mark.django_db
def test_as_many_messages_are_sent_as_jobs_wait() -> None:
    jobs = jobs_of("alice", 3)
    enqueue(jobs[0].pk)
    assert len(services.wake()) == 2
    assert OrmQ.objects.count() == 3
    assert services.wake() == []


# -- Holds -------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_nothing_is_taken_while_an_administrator_holds_the_workers_and_all_goes_on_afterwards() -> None:
    (job,) = jobs_of("alice", 1)
    hold = hold_set(queue="interpolation", mode="drain", reason="new disk")
    assert (services.held_back(), take()) == ("drain", None)
    assert tasks.job_run(str(job.pk)) == "nothing waits"
    assert not reap_once().resent  # no message that would only be thrown away
    hold_release(hold=hold)
    assert OrmQ.objects.count() == 1
    assert take() == job


@pytest.mark.django_db
def test_a_pause_puts_back_what_runs_and_a_drain_lets_it_end() -> None:
    (job,) = jobs_of("alice", 1)
    services.job_claim(job_id=job.pk, worker="host:1:x")
    watch = tasks.Watch(job.pk, "host:1:x")
    hold_set(queue="interpolation", mode="drain")
    watch.look(1.0)
    assert watch.stop is False
    hold_set(queue="interpolation", mode="pause")
    watch.look(2.0)
    assert watch.stop is True
    services.job_stopped(job_id=job.pk, worker="host:1:x")
    job.refresh_from_db()
    assert (job.status, job.attempts) == ("queued", 0)
    assert Hold.objects.count() == 1


@pytest.mark.django_db
def test_one_machine_can_be_held_alone() -> None:
    (job,) = jobs_of("alice", 1)
    hold_set(queue="interpolation", mode="drain", host="old")
    assert (held("interpolation", "old"), held("interpolation", "new"), held("interpolation")) == ("drain", "", "")
    assert take("old:1:x") is None
    assert take("new:1:x") == job
    hold_set(queue="interpolation", mode="pause")
    assert held("interpolation", "old") == "pause"


@pytest.mark.django_db
def test_a_held_machine_leaves_the_messages_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frameinterp_site.broker.HELD_POLL", 0.0)
    (job,) = jobs_of("alice", 1)
    enqueue(job.pk)
    cluster = ClusterBroker(list_key="interpolation")
    hold = hold_set(queue="interpolation", mode="drain")
    assert cluster.dequeue() is None
    hold.delete()
    assert len(cluster.dequeue() or []) == 1


@pytest.fixture
def two_machines(db: None, monkeypatch: pytest.MonkeyPatch) -> tuple[ClusterBroker, ClusterBroker]:
    """With one worker each, and three messages for them."""
    monkeypatch.setattr(broker, "FULL_POLL", 0.0)
    monkeypatch.setattr(broker.Conf, "POLL", 0.0)
    monkeypatch.setattr(broker.Conf, "WORKERS", 1)
    for job in jobs_of("alice", 3):
        enqueue(job.pk)
    return ClusterBroker(list_key="interpolation"), ClusterBroker(list_key="interpolation")


def test_a_machine_whose_worker_is_busy_leaves_the_messages_to_one_that_is_idle(
    two_machines: tuple[ClusterBroker, ClusterBroker],
) -> None:
    busy, idle = two_machines
    ((message, _),) = busy.dequeue()
    assert busy.dequeue() is None
    assert len(idle.dequeue()) == 1
    assert (busy.dequeue(), idle.dequeue()) == (None, None)
    busy.acknowledge(message)
    assert len(busy.dequeue()) == 1


def test_the_message_of_a_worker_that_died_keeps_nobody_from_working(
    two_machines: tuple[ClusterBroker, ClusterBroker], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, _ = two_machines
    processes = frozenset({11, 12})
    monkeypatch.setattr(broker, "cluster_processes", lambda: processes)
    cluster.dequeue()
    assert cluster.dequeue() is None
    processes = frozenset({11, 13})  # 12 has died, and 13 was started for it
    assert len(cluster.dequeue()) == 1
    assert cluster.dequeue() is None


@pytest.mark.django_db
def test_everybody_is_told_that_the_workers_are_held(client) -> None:
    client.force_login(person("alice"))
    hold_set(queue="interpolation", mode="pause", reason="new disk until noon")
    page = client.get("/queue/").content.decode()
    assert page.count("An administrator") == 1
    assert "New jobs wait. An administrator has paused the work. What ran is put back and goes on later" in page
    assert "The reason: new disk until noon." in page
    assert "A job you start now waits until" in page and "taken up at once" not in page
    hold_set(queue="training", mode="drain", host="gpu-1")
    page = client.get("/help/").content.decode()
    assert "Training waits. An administrator lets what runs finish and starts nothing new for now." in page
    assert "This is so on gpu-1 only." in page


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/queue/", "/help/"])
def test_of_all_queues_held_alike_there_is_one_notice(client, address: str) -> None:
    client.force_login(person("alice"))
    for queue in ("interpolation", "training", "webhooks"):
        hold_set(queue=queue, mode="drain", reason="upgrade")
    page = client.get(address).content.decode()
    assert page.count('class="notice warning"') == page.count("New jobs and training wait.") == 1
