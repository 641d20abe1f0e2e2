"""Projects: making, naming, deleting, bringing back."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from interpolation.models import Job, Project, Source

from .errors import ServiceError, StateError
from .webhooks import job_told

NAME_LENGTH = 120
Thing = TypeVar("Thing", Project, Source, Job)


def project_create(*, owner: User, name: str) -> Project:
    """Raises ServiceError for a name that is empty or too long."""
    return Project.objects.create(owner=owner, name=checked_name(name))


def project_rename(*, project: Project, name: str) -> None:
    """Raises ServiceError for a name that is empty or too long."""
    project.name = checked_name(name)
    project.save(update_fields=["name"])


def checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise ServiceError(_("Give the project a name."))
    if len(name) > NAME_LENGTH:
        raise ServiceError(
            _("The name has %(count)s characters; the most is %(most)s.") % {"count": len(name), "most": NAME_LENGTH}
        )
    return name


# -- Deleting, which can be taken back for INBETWEEN_UNDO_DAYS ---------------------------------------------------------


def project_delete(*, project: Project, user: User | None = None) -> None:
    """Out of sight, with everything in it. What waits is cancelled, what runs is asked to stop."""
    with transaction.atomic():
        stop_live(project.jobs.values_list("pk", flat=True))
        mark_deleted(project, user)


def source_delete(*, source: Source, user: User | None = None) -> None:
    """Out of sight. What was made of it stays.

    Raises:
        ServiceError: a job still works on it.
    """
    live = source.jobs.alive().filter(status__in=Job.LIVE).count()
    if live:
        raise StateError(
            ngettext(
                "%(live)s job still needs this source. Cancel it, or wait until it is done.",
                "%(live)s jobs still need this source. Cancel them, or wait until they are done.",
                live,
            )
            % {"live": live}
        )
    mark_deleted(source, user)


def job_delete(*, job: Job, user: User | None = None) -> None:
    """Out of sight. Its previews are for ever: they stay on the disk until the project goes."""
    with transaction.atomic():
        stop_live([job.pk])
        mark_deleted(job, user)


def mark_deleted(thing: Thing, user: User | None) -> None:
    rows = type(thing)._default_manager.filter(pk=thing.pk, deleted_at__isnull=True)
    if not rows.update(deleted_at=timezone.now(), deleted_by=user):
        raise StateError(_("This is deleted already."))
    thing.refresh_from_db()


def project_restore(*, project: Project) -> None:
    restore(project)


def source_restore(*, source: Source) -> None:
    restore(source)


def job_restore(*, job: Job) -> None:
    """At any time, because its previews are for ever; its film and parts come back for INBETWEEN_UNDO_DAYS only."""
    rows = Job.objects.filter(pk=job.pk, deleted_at__isnull=False)
    if not rows.update(deleted_at=None, deleted_by=None, purged_at=None):
        raise StateError(_("This job is not deleted."))
    job.refresh_from_db()


def restore(thing: Thing) -> None:
    """As it was. Raises ServiceError when it is not deleted, or its time is over."""
    since = timezone.now() - timedelta(days=settings.UNDO_DAYS)
    rows = type(thing)._default_manager.filter(pk=thing.pk, deleted_at__gt=since, purged_at__isnull=True)
    if not rows.update(deleted_at=None, deleted_by=None):
        raise StateError(
            _("It cannot be brought back: that is possible for %(days)g days.") % {"days": settings.UNDO_DAYS}
        )
    thing.refresh_from_db()


def stop_live(jobs: Iterable[object]) -> None:
    """Waiting ones are over; a worker sees the flag, or that the row is gone, and ends the child."""
    now, found = timezone.now(), Job.objects.filter(pk__in=list(jobs))
    with transaction.atomic():
        waiting = list(found.filter(status=Job.Status.QUEUED).values_list("pk", flat=True))
        ended = Job.objects.filter(pk__in=waiting, status=Job.Status.QUEUED)
        ended.update(status=Job.Status.CANCELLED, cancel_requested_at=now, finished_at=now)
        job_told(waiting, Job.Status.CANCELLED)
    found.filter(status=Job.Status.RUNNING).update(cancel_requested_at=now)


# -- Taking away for good ----------------------------------------------------------------------------------------------


def project_purge(*, project: Project) -> None:
    """The project with its sources, jobs, previews and all their files. Running jobs are stopped by their worker."""
    jobs = list(project.jobs.values_list("pk", flat=True))
    directories = [source_directory(source) for source in project.sources.all()]
    with transaction.atomic():
        stop_live(jobs)
        project.delete()
        transaction.on_commit(lambda: remove(directories))
        for job_id in jobs:
            transaction.on_commit(partial(job_remove_files, job_id=job_id))


def source_directory(source: Source) -> Path:
    return Path(settings.MEDIA_ROOT) / "sources" / str(source.pk)


def job_remove_files(*, job_id: UUID) -> None:
    """Folder and log of a job whose row is gone. Called again when its child, which may still write, has ended."""
    remove([Path(settings.MEDIA_ROOT) / "jobs" / str(job_id)])
    (Path(settings.LOG_DIR) / "jobs" / f"{job_id}.log").unlink(missing_ok=True)


def remove(directories: Iterable[Path]) -> None:
    """Errors are passed over: a folder may be gone already, or a child may still write into it."""
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)
