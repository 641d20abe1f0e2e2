"""A project goes with everything in it, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from interpolation import services
from interpolation.models import Job, Preview, Project, Source


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
        services.project_delete(project=job.project)
    assert (Project.objects.count(), Source.objects.count(), Job.objects.count(), Preview.objects.count()) == (
        0,
        0,
        0,
        0,
    )
    assert files(media_root) == []


def test_files_stay_when_the_deletion_is_rolled_back(job: Job, media_root: Path) -> None:
    services.project_delete(project=job.project)  # this test's transaction is never committed
    assert len(files(media_root)) == 3


def test_a_source_with_results_cannot_be_deleted(job: Job) -> None:
    with pytest.raises(services.ServiceError, match=r"1 job\(s\) were made from this source"):
        services.source_delete(source=job.source)


def test_a_source_without_results_goes_with_its_files(
    source: Source, media_root: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        services.source_delete(source=source)
    assert files(media_root) == []


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
