"""What becomes of deleted things when they cannot be brought back any more. The reaper asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from interpolation.models import Job, Project, Source

from .projects import job_remove_files, project_purge, remove, source_directory


def trash_due() -> Iterator[Project | Source | Job]:
    """Deleted long enough ago: projects, then jobs, then sources, so that a source finds its jobs gone."""
    before = timezone.now() - timedelta(days=settings.UNDO_DAYS)
    yield from Project.objects.filter(deleted_at__lte=before)
    for model in (Job, Source):
        yield from model.objects.filter(
            deleted_at__lte=before, purged_at__isnull=True, project__deleted_at__isnull=True
        )


def purge(thing: Project | Source | Job) -> bool:
    """Takes it away for good. False: not yet, or somebody was faster."""
    if isinstance(thing, Project):
        project_purge(project=thing)
        return True
    return source_purge(source=thing) if isinstance(thing, Source) else job_purge(job=thing)


def source_purge(*, source: Source) -> bool:
    """Its files. The row stays as long as jobs were made of it: their results say what they came from."""
    mine = Source.objects.filter(pk=source.pk, deleted_at__isnull=False, purged_at__isnull=True)
    with transaction.atomic():
        if not mine.update(purged_at=timezone.now(), size_bytes=0, poster=""):
            return False
        folder = source_directory(source)
        if not source.jobs.exists():
            source.delete()
        transaction.on_commit(lambda: remove([folder]))
    return True


def job_purge(*, job: Job) -> bool:
    """All its files but the previews, which are for ever; a job without any goes altogether."""
    if job.is_live:
        return False  # its worker has not stopped yet
    mine = Job.objects.filter(pk=job.pk, deleted_at__isnull=False, purged_at__isnull=True)
    with transaction.atomic():
        if not job.previews.exists():
            job_id = job.pk
            mine.delete()
            transaction.on_commit(lambda: job_remove_files(job_id=job_id))
            return True
        now = timezone.now()
        gone: dict[str, Any] = {"master": "", "pictures_zip": "", "master_bytes": 0, "parts_bytes": 0}
        if not mine.update(purged_at=now, parts_removed_at=now, **gone):
            return False
        kept = {Path(settings.MEDIA_ROOT) / file for file in job.previews.values_list("file", flat=True)}
        transaction.on_commit(lambda: keep_only(job.directory, kept))
    return True


def job_purge_master(*, job: Job) -> bool:
    """The finished film and the zip of pictures; previews and figures stay. False: there are none."""
    files = [Path(settings.MEDIA_ROOT) / name for name in (job.master, job.pictures_zip) if name]
    with transaction.atomic():
        mine = Job.objects.filter(pk=job.pk, status=Job.Status.SUCCEEDED)
        if not files or not mine.update(master="", pictures_zip="", master_bytes=0):
            return False
        shown = set(job.previews.values_list("file", flat=True))  # a small film may be its own preview
        for file in files:
            if file.relative_to(Path(settings.MEDIA_ROOT)).as_posix() not in shown:
                transaction.on_commit(lambda file=file: file.unlink(missing_ok=True))  # type: ignore[misc]
    job.refresh_from_db()
    return True


def keep_only(folder: Path, kept: set[Path]) -> None:
    """Everything in a folder but these files, and the folders that become empty."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            with suppress(OSError):
                path.rmdir()
        elif path not in kept:
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()
