"""Projects, and taking things away for good."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import RestrictedError
from django.utils import timezone

from interpolation.models import Job, Project, Source

from .errors import ServiceError

NAME_LENGTH = 120


def project_create(*, owner: User, name: str) -> Project:
    """Raises ServiceError for a name that is empty or too long."""
    name = " ".join(name.split())
    if not name:
        raise ServiceError("Give the project a name.")
    if len(name) > NAME_LENGTH:
        raise ServiceError(f"The name has {len(name)} characters; the most is {NAME_LENGTH}.")
    return Project.objects.create(owner=owner, name=name)


def project_delete(*, project: Project) -> None:
    """The project with its sources, jobs, previews and all their files. Running jobs are stopped by their worker."""
    jobs = list(project.jobs.values_list("pk", flat=True))
    directories = [source_directory(source) for source in project.sources.all()]
    with transaction.atomic():
        stop_live(jobs)
        project.delete()
        transaction.on_commit(lambda: remove(directories))
        for job_id in jobs:
            transaction.on_commit(partial(job_remove_files, job_id=job_id))


def source_delete(*, source: Source) -> None:
    """Raises ServiceError while jobs hang on it: their previews stay until the project goes."""
    directory = source_directory(source)
    try:
        with transaction.atomic():
            source.delete()
            transaction.on_commit(lambda: remove([directory]))
    except RestrictedError as error:
        raise ServiceError(
            f"{len(error.restricted_objects)} job(s) were made from this source. "
            "Delete the project to remove it with its results."
        ) from error


def source_directory(source: Source) -> Path:
    return Path(settings.MEDIA_ROOT) / "sources" / str(source.pk)


def job_remove_files(*, job_id: UUID) -> None:
    """Folder and log of a job whose row is gone. Called again when its child, which may still write, has ended."""
    remove([Path(settings.MEDIA_ROOT) / "jobs" / str(job_id)])
    (Path(settings.LOG_DIR) / "jobs" / f"{job_id}.log").unlink(missing_ok=True)


def stop_live(jobs: Iterable[object]) -> None:
    """A worker sees the flag, or that the row is gone, and ends the child."""
    Job.objects.filter(pk__in=list(jobs), status=Job.Status.RUNNING).update(cancel_requested_at=timezone.now())


def remove(directories: Iterable[Path]) -> None:
    """Errors are passed over: a folder may be gone already, or a child may still write into it."""
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)
