"""What a user may take: every limit is said with its number and what to do."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from interpolation import services
from interpolation.models import Job, Project, Source, UserLimits
from interpolation.reaper import reap_once
from interpolation.services.limits import require_footage
from tests.conftest import write_clip

from .pages import finished_job, source_of

pytestmark = pytest.mark.usefixtures("probed_here")


def test_the_settings_hold_where_a_user_has_nothing_of_their_own(alice: User, settings: Settings) -> None:
    settings.USER_QUEUED_JOBS, settings.USER_MINUTES, settings.USER_STORAGE_MB = 7, 30.0, 0
    settings.USER_UPLOAD_MB = 10
    UserLimits.objects.create(user=alice, queued_jobs=9, minutes=0)
    limits = services.limits_of(alice)
    assert (limits.queued_jobs, limits.minutes, limits.storage_bytes, limits.upload_bytes) == (9, 0, 0, 10 << 20)


def test_nobody_may_send_more_than_the_server_takes(alice: User, settings: Settings) -> None:
    settings.MAX_UPLOAD_BYTES = 5 << 20
    UserLimits.objects.create(user=alice, upload_mb=100)
    assert services.limits_of(alice).upload_bytes == 5 << 20


def test_too_many_waiting_jobs_are_refused(quick_source: Source, alice: User, settings: Settings) -> None:
    settings.USER_QUEUED_JOBS = 2
    jobs = [services.job_create(source=quick_source, options={}) for _ in range(2)]
    with pytest.raises(services.ServiceError, match=r"2 of your jobs wait already; the most is 2\. Wait until some"):
        services.job_create(source=quick_source, options={})
    services.job_cancel(job=jobs[0])
    services.job_create(source=quick_source, options={})
    with pytest.raises(services.ServiceError, match="wait already"):
        services.job_retry(job=jobs[0])


def test_the_limit_is_of_who_starts_the_job(quick_source: Source, bob: User, settings: Settings) -> None:
    settings.USER_QUEUED_JOBS = 1
    services.job_create(source=quick_source, options={})
    assert services.job_create(source=quick_source, options={}, user=bob).created_by == bob


def test_a_result_that_is_too_large_is_refused(quick_source: Source, settings: Settings) -> None:
    settings.USER_MEGAPIXELS = 2.0
    with pytest.raises(services.ServiceError, match=r"1920 × 1080 are 2\.1 megapixels; the most is 2\. Choose"):
        services.job_create(source=quick_source, options={"resolution": [1920, 1080]})


def test_an_upload_that_is_too_large_is_refused_before_it_is_looked_into(
    project: Project, settings: Settings, tmp_path
) -> None:
    settings.USER_UPLOAD_MB = 1
    file = tmp_path / "large.mp4"
    file.write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(services.ServiceError, match=r"The upload has 1.0 MB; at most 1.0 MB are taken"):
        services.source_create(project=project, kind="video", upload=file)


def test_a_video_that_is_too_large_or_too_long_is_refused_and_nothing_is_kept(
    project: Project, settings: Settings, tmp_path, media_root
) -> None:
    settings.USER_MEGAPIXELS = 0.001
    clip = write_clip(tmp_path / "clip.mp4")
    with pytest.raises(services.ServiceError, match=r"64 × 48 are 0\.0 megapixels; the most is 0\.001"):
        services.source_create(project=project, kind="video", upload=clip)
    settings.USER_MEGAPIXELS, settings.USER_MINUTES = 0.0, 1.0
    with pytest.raises(services.ServiceError, match=r"lasts 2\.5 minutes; the most is 1\. Cut it into parts"):
        require_footage(project.owner, {"width": 64, "height": 48, "duration": "150/1"})
    assert not Source.objects.exists()
    assert [path for path in media_root.rglob("*") if path.is_file()] == []


def test_a_full_storage_takes_neither_uploads_nor_jobs(
    source: Source, alice: User, settings: Settings, tmp_path
) -> None:
    Source.objects.update(size_bytes=2 << 20)
    settings.USER_STORAGE_MB = 2
    with pytest.raises(services.ServiceError, match=r"in alice's storage: 2.0 MB of 2.0 MB are used, and this needs"):
        services.source_create(project=source.project, kind="video", upload=write_clip(tmp_path / "x.mp4"))
    with pytest.raises(services.ServiceError, match="Delete sources or results that are no longer needed"):
        services.job_create(source=source, options={})
    assert not Job.objects.exists()


# -- The ledger --------------------------------------------------------------------------------------------------------


@pytest.fixture
def made(db: None, bob: User) -> Job:
    job = finished_job(source_of(bob))
    Source.objects.update(size_bytes=1000)
    (job.directory / "segments").mkdir(parents=True)
    for name, size in (("master.mp4", 100), ("preview.mp4", 20), ("segments/0.mp4", 5), ("report.json", 2)):
        (job.directory / name).write_bytes(bytes(size))
    job.previews.filter(kind="video").update(file=f"jobs/{job.pk}/preview.mp4")
    Job.objects.update(master=f"jobs/{job.pk}/master.mp4", pictures_zip="")
    job.refresh_from_db()
    return job


def test_the_ledger_says_what_takes_how_much(made: Job, bob: User, alice: User) -> None:
    services.job_measure(job_id=made.pk)
    found = services.storage_of(bob)
    assert found.as_dict() == {
        "sources": 1000,
        "films": 100,
        "previews": 20,
        "parts": 7,
        "arriving": 0,
        "deleted": 0,
        "total": 1127,
    }
    assert services.storage_of(alice).total == 0


def test_what_is_deleted_counts_until_it_is_gone(
    made: Job, bob: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    services.job_measure(job_id=made.pk)
    services.project_delete(project=made.project)
    assert (services.storage_of(bob).deleted, services.storage_of(bob).total) == (1127, 1127)
    with django_capture_on_commit_callbacks(execute=True):
        services.project_purge(project=made.project)
    assert services.storage_of(bob).total == 0


def test_the_ledger_follows_what_is_removed(
    made: Job, bob: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    services.job_measure(job_id=made.pk)
    Job.objects.update(finished_at="2026-01-01T00:00Z")
    made.refresh_from_db()
    services.parts_remove(job=made)
    assert services.storage_of(bob).parts == 2
    with django_capture_on_commit_callbacks(execute=True):
        services.job_purge_master(job=made)
    assert services.storage_of(bob).films == 0


def test_the_reaper_measures_what_nobody_has(made: Job, bob: User) -> None:
    reap_once()
    assert services.storage_of(bob).films == 100
