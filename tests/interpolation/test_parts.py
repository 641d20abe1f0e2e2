"""Finished parts are given to the owner while the job runs, and are taken away when their time is over."""

from __future__ import annotations

import shutil
from collections import namedtuple
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from engine.watch import declare_part, part_path
from interpolation import services
from interpolation.models import Job, Source
from interpolation.reaper import reap_once
from interpolation.views.jobs import poll_ms

Usage = namedtuple("Usage", "total used free")


def give_parts(job: Job, count: int, tiny_clip: Path) -> None:
    for number in range(1, count + 1):
        job.directory.mkdir(parents=True, exist_ok=True)
        shutil.copy(tiny_clip, part_path(job.directory, number))
        declare_part(job.directory, number, "x", Fraction(4 * number - 4), Fraction(4 * number))
    (job.directory / "segments").mkdir(parents=True, exist_ok=True)
    (job.directory / "segments" / "seg_00001.mp4").write_bytes(b"segment")


@pytest.fixture
def running(quick_source: Source, tiny_clip: Path) -> Job:
    job = services.job_create(source=quick_source, options={})
    services.job_claim(job_id=job.pk, worker="a:1:x")
    give_parts(job, 3, tiny_clip)
    job.refresh_from_db()
    return job


def test_parts_are_told_in_order_with_their_times_and_only_those_not_known_yet(running: Job, alice: User) -> None:
    client = Client()
    client.force_login(alice)
    parts = client.get(f"/jobs/{running.pk}/parts/").json()["parts"]
    assert [(part["number"], part["start"], part["end"]) for part in parts] == [(1, 0, 4), (2, 4, 8), (3, 8, 12)]
    later = client.get(f"/jobs/{running.pk}/parts/?after=2").json()["parts"]
    assert [part["number"] for part in later] == [3]
    assert len(client.get(f"/jobs/{running.pk}/parts/?after=minus").json()["parts"]) == 3


def test_a_part_is_served_with_ranges_and_to_its_owner_only(running: Job, alice: User, bob: User) -> None:
    client, stranger = Client(), Client()
    client.force_login(alice)
    stranger.force_login(bob)
    file = client.get(f"/jobs/{running.pk}/parts/").json()["parts"][0]["file"]
    answer = client.get(file, headers={"Range": "bytes=4-7"})
    assert (answer.status_code, answer.getvalue(), answer["Content-Type"]) == (206, b"ftyp", "video/mp4")
    assert stranger.get(file).status_code == 404
    assert stranger.get(f"/jobs/{running.pk}/parts/").status_code == 404
    assert Client().get(f"/jobs/{running.pk}/parts/").status_code == 302


def test_the_api_tells_parts_too(running: Job, api: APIClient, bobs_api: APIClient) -> None:
    parts = api.get(f"/api/v1/jobs/{running.pk}/parts/?after=1").json()
    assert [(part["number"], part["end"]) for part in parts] == [(2, 8.0), (3, 12.0)]
    assert parts[0]["file"].startswith("http://testserver/media/jobs/")
    assert bobs_api.get(f"/api/v1/jobs/{running.pk}/parts/").status_code == 404


def test_the_page_of_a_running_job_has_the_player_and_that_of_a_finished_one_has_not(running: Job, alice: User) -> None:
    client = Client()
    client.force_login(alice)
    assert f'data-parts="/jobs/{running.pk}/parts/"' in client.get(running.get_absolute_url()).content.decode()
    services.job_fail(job_id=running.pk, worker="a:1:x", error="No.")
    assert "data-parts" not in client.get(running.get_absolute_url()).content.decode()


def test_the_page_asks_often_at_first_and_then_with_patience(running: Job, alice: User) -> None:
    client = Client()
    client.force_login(alice)
    pauses = []
    for age in (0, 30, 300):
        Job.objects.update(enqueued_at=timezone.now() - timedelta(seconds=age))
        running.refresh_from_db()
        pauses.append(poll_ms(running))
        assert f'hx-trigger="every {pauses[-1]}ms"' in client.get(f"/jobs/{running.pk}/status/").content.decode()
    assert pauses == [250, 700, 1500]


Over = Callable[..., Job]


@pytest.fixture
def over(quick_source: Source, tiny_clip: Path) -> Over:
    """A job that ended so many days ago and still has its parts."""

    def make(days: float, status: str = "succeeded") -> Job:
        job = services.job_create(source=quick_source, options={})
        Job.objects.filter(pk=job.pk).update(status=status, finished_at=timezone.now() - timedelta(days=days))
        give_parts(job, 1, tiny_clip)
        (job.directory / "master.mp4").write_bytes(b"film")
        job.refresh_from_db()
        return job

    return make


def kept(job: Job) -> bool:
    assert (job.directory / "master.mp4").exists() or job.status != "succeeded"
    folders = {(job.directory / name).exists() for name in ("segments", "watch")}
    assert len(folders) == 1
    return folders.pop()


def test_parts_go_when_their_days_are_over_and_the_film_stays(over: Over) -> None:
    old, young = over(7.1), over(6.9)
    assert reap_once().parts == [old.pk]
    assert (kept(old), kept(young)) == (False, True)
    old.refresh_from_db()
    assert old.parts_removed_at is not None
    assert reap_once().parts == []


def test_what_failed_keeps_its_parts_for_a_day_at_least_so_that_a_retry_uses_them(
    over: Over, settings: Settings
) -> None:
    settings.SEGMENT_DAYS = 0.0
    fresh, old, done = over(0.9, "failed"), over(1.1, "cancelled"), over(0.0)
    assert set(reap_once().parts) == {old.pk, done.pk}
    assert [kept(job) for job in (fresh, old, done)] == [True, False, False]


def test_a_job_that_is_run_again_has_parts_again(over: Over) -> None:
    job = over(9, "failed")
    reap_once()
    services.job_retry(job=job)
    assert job.parts_removed_at is None


def test_while_the_disk_is_nearly_full_the_oldest_parts_go_first_and_no_more_than_needed(
    over: Over, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [over(days) for days in (1, 3, 2)]
    settings.MIN_FREE_BYTES = 100
    gone = lambda: sum(not (job.directory / "segments").exists() for job in jobs)  # noqa: E731
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 0, 50 + 80 * gone()))
    assert reap_once().parts == [jobs[1].pk, jobs[2].pk]
    assert kept(jobs[0])


def test_a_job_that_waits_for_room_gets_the_oldest_parts_of_others_one_in_every_round(over: Over, running: Job) -> None:
    jobs = [over(days) for days in (1, 3, 2)]
    services.job_progress(
        job_id=running.pk, worker="a:1:x", stage="joining", frames_done=0, frames_total=1, waiting="9 GB of free space"
    )
    assert [reap_once().parts for _ in range(2)] == [[jobs[1].pk], [jobs[2].pk]]
    services.job_progress(job_id=running.pk, worker="a:1:x", stage="joining", frames_done=0, frames_total=1)
    assert reap_once().parts == []
    assert kept(jobs[0])


def test_a_folder_that_an_earlier_round_did_not_finish_is_removed_too(over: Over) -> None:
    job = over(8)
    aside = job.directory / ".segments.gone.1"
    aside.mkdir()
    (aside / "seg_00009.mp4").write_bytes(b"x")
    reap_once()
    assert [path.name for path in job.directory.iterdir()] == ["master.mp4"]
