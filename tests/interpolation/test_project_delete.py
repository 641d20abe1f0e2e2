"""Deleted is out of sight, and can be taken back for some days. Then a project goes with everything in it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from interpolation import services
from interpolation.models import Job, Preview, Project, Source
from interpolation.reaper import reap_once

pytestmark = pytest.mark.usefixtures("probed_here")


@pytest.fixture
def job(source: Source) -> Job:
    job = services.job_create(source=source, options={})
    job.directory.mkdir(parents=True)
    (job.directory / "preview.mp4").write_bytes(b"film")
    Preview.objects.create(job=job, kind=Preview.Kind.VIDEO, file=f"jobs/{job.pk}/preview.mp4")
    return job


def files(media_root: Path) -> list[str]:
    return sorted(path.relative_to(media_root).as_posix() for path in media_root.rglob("*") if path.is_file())


def test_rows_and_files_go_together(
    job: Job, media_root: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    assert len(files(media_root)) == 3
    with django_capture_on_commit_callbacks(execute=True):
        services.project_purge(project=job.project)
    assert (Project.objects.count(), Source.objects.count(), Job.objects.count(), Preview.objects.count()) == (
        0,
        0,
        0,
        0,
    )
    assert files(media_root) == []


def test_files_stay_when_the_deletion_is_rolled_back(job: Job, media_root: Path) -> None:
    services.project_purge(project=job.project)  # this test's transaction is never committed
    assert len(files(media_root)) == 3


def past() -> None:
    """As if everything had been deleted longer ago than it can be brought back."""
    for model in (Project, Source, Job):
        model.objects.exclude(deleted_at=None).update(deleted_at=timezone.now() - timedelta(days=8))


def test_a_deleted_project_is_out_of_sight_with_all_that_is_in_it_and_comes_back_as_it_was(
    job: Job, alice: User, media_root: Path
) -> None:
    services.project_delete(project=job.project, user=alice)
    assert not Project.objects.of(alice).exists()
    assert not Source.objects.of(alice).exists()
    assert not Job.objects.of(alice).exists()
    assert [found.deleted_by for found in Project.objects.deleted_of(alice)] == [alice]
    services.project_restore(project=job.project)
    assert Job.objects.of(alice).get().status == "cancelled"  # it had been waiting
    assert len(files(media_root)) == 3


def test_nothing_comes_back_after_seven_days(job: Job, alice: User, settings: Settings) -> None:
    services.project_delete(project=job.project, user=alice)
    past()
    assert not Project.objects.deleted_of(alice).exists()
    with pytest.raises(services.ServiceError, match="possible for 7 days"):
        services.project_restore(project=job.project)


def test_the_reaper_takes_a_deleted_project_away_when_its_time_is_over(
    job: Job, media_root: Path, settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    services.project_delete(project=job.project)
    assert reap_once().purged == []
    past()
    with django_capture_on_commit_callbacks(execute=True):
        assert reap_once().purged == [job.project_id]
    assert not Project.objects.exists()
    assert files(media_root) == []


def test_the_previews_of_a_deleted_job_are_for_ever(
    job: Job, alice: User, media_root: Path, settings: Settings, django_capture_on_commit_callbacks: Any
) -> None:
    (job.directory / "master.mp4").write_bytes(b"film")
    (job.directory / "segments").mkdir()
    (job.directory / "segments" / "0.mp4").write_bytes(b"part")
    Job.objects.update(status="succeeded", master=f"jobs/{job.pk}/master.mp4", finished_at=timezone.now())
    job.refresh_from_db()
    services.job_delete(job=job, user=alice)
    assert not Job.objects.of(alice).exists()
    past()
    with django_capture_on_commit_callbacks(execute=True):
        assert reap_once().purged == [job.pk]
        assert reap_once().purged == []
    assert [name for name in files(media_root) if name.startswith("jobs/")] == [f"jobs/{job.pk}/preview.mp4"]
    services.job_restore(job=job)
    assert (Job.objects.of(alice).get().master, job.previews.count()) == ("", 1)


def test_a_deleted_job_without_previews_goes_altogether(job: Job, settings: Settings) -> None:
    job.previews.all().delete()
    services.job_delete(job=job)
    past()
    assert reap_once().purged == [job.pk]
    assert not Job.objects.exists()


def test_a_source_that_a_job_needs_cannot_be_deleted(job: Job) -> None:
    with pytest.raises(services.ServiceError, match="1 job still needs this source"):
        services.source_delete(source=job.source)


def test_a_deleted_source_goes_with_its_files_and_stays_as_a_name_where_something_was_made_of_it(
    job: Job,
    media_root: Path,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    services.job_cancel(job=job)
    services.source_delete(source=job.source)
    past()
    with django_capture_on_commit_callbacks(execute=True):
        assert reap_once().purged == [job.source_id]
    assert files(media_root) == [f"jobs/{job.pk}/preview.mp4"]
    source = Source.objects.get()
    assert (source.size_bytes, source.purged_at is not None) == (0, True)


def test_a_source_without_results_goes_with_its_files(
    source: Source,
    media_root: Path,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    services.source_delete(source=source)
    assert len(files(media_root)) == 2
    past()
    with django_capture_on_commit_callbacks(execute=True):
        assert reap_once().purged == [source.pk]
    assert files(media_root) == []
    assert not Source.objects.exists()


def test_a_film_can_be_purged_and_its_previews_stay(
    job: Job, media_root: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    (job.directory / "master.mp4").write_bytes(b"film")
    Job.objects.update(status="succeeded", master=f"jobs/{job.pk}/master.mp4")
    job.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        assert services.job_purge_master(job=job) is True
        assert services.job_purge_master(job=job) is False
    assert job.master == ""
    assert [name for name in files(media_root) if name.startswith("jobs/")] == [f"jobs/{job.pk}/preview.mp4"]


def test_an_administrator_deletes_a_project_with_its_files(
    job: Job, media_root: Path, admin_client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = admin_client.post(f"/admin/interpolation/project/{job.project_id}/delete/", {"post": "yes"})
    assert response.status_code == 302
    assert not Project.objects.exists()
    assert files(media_root) == []


def test_deleting_a_user_takes_their_rows(job: Job, alice: User) -> None:
    alice.delete()
    assert not Project.objects.exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "Give the project a name."), (" \t ", "Give the project a name."), ("x" * 121, "121 characters")],
)
def test_a_bad_name_is_refused_in_words(alice: User, name: str, words: str) -> None:
    with pytest.raises(services.ServiceError, match=words):
        services.project_create(owner=alice, name=name)
