"""The parts a job's film is made of: drawing some of them anew, and taking all of them away when their time is over."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from engine.config import RenderOptions, parse_seconds
from engine.errors import BadOptionsError
from interpolation.models import Job, Source

from .disk import free_bytes, full_disk_in_words, require_room
from .errors import ServiceError, StateError
from .jobs import Status, expected_bytes
from .ledger import job_measure
from .limits import require_job
from .queue import enqueue_on_commit

REDRAWABLE = ("model", "cut", "duplicates", "deinterlace")  # settings that another part of the same film may have
OVER = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)
FOLDERS = ("segments", "watch")
RETRY_DAYS = 1.0  # at least: what a failed or cancelled job has finished is there for its next try


def job_redraw(
    *, job: Job, start: str | float, end: str | float, options: dict[str, Any], user: User | None = None
) -> Job:
    """A new job: the film of `job`, of which what lies between `start` and `end` (seconds of the result, or "1:02.5")
    is drawn anew with the changed `options`. Whole parts are drawn, so it may be a little more than was asked for.

    Raises:
        ServiceError: the job is not done, its parts are gone, nothing would change, or there is no room.
        BadOptionsError: the range is empty, or a setting is wrong or cannot differ within one film.
        WeightsError: there is no such model.
    """
    from engine.redraw import GONE, begin_redraw, plan_redraw  # it loads torch, which workers and reaper must not

    checked = _changed(job, options)
    if job.status != Status.SUCCEEDED or job.source.kind != Source.Kind.VIDEO:
        raise StateError(_("A part can be drawn anew only of a video that is done."))
    if job.parts_removed_at is not None:
        raise StateError(_(GONE))
    redraw = plan_redraw(job.directory, parse_seconds(start), parse_seconds(end))
    master = Path(settings.MEDIA_ROOT) / job.master
    share = float((redraw.end - redraw.begin) / redraw.pieces[-1].end)
    require_room(
        2 * (master.stat().st_size if master.is_file() else 0) + int(share * expected_bytes(job.source, checked))
    )
    starter = user or job.created_by or job.project.owner
    require_job(starter, checked)
    made = Job(
        project=job.project,
        source=job.source,
        created_by=starter,
        options=checked.to_dict(),
        base=job,
        range_start=float(redraw.begin),
        range_end=float(redraw.end),
    )
    try:
        with full_disk_in_words(), transaction.atomic():
            begin_redraw(redraw, job.directory, made.directory)
            made.save()
            enqueue_on_commit(made.pk)
    except BaseException:
        shutil.rmtree(made.directory, ignore_errors=True)
        raise
    return made


def _changed(job: Job, options: dict[str, Any]) -> RenderOptions:
    """The settings of `job` with the changes. Raises as `job_redraw` does."""
    from engine.checkpoint import model_info  # imports torch

    fixed = sorted(set(options) - set(REDRAWABLE))
    if fixed:
        raise BadOptionsError(
            _("%(fixed)s cannot differ within one film. For a part, choose of: %(choices)s.")
            % {"fixed": ", ".join(fixed), "choices": ", ".join(REDRAWABLE)}
        )
    checked = RenderOptions.from_dict(job.options | options)
    same = all(job.options.get(name) == checked.to_dict()[name] for name in REDRAWABLE if name != "model")
    model = model_info(checked.model)  # of networks without weights only the name tells which they are
    if same and (model.sha256, model.sha256 or model.name) == (job.model_sha256, job.model_sha256 or job.model_name):
        raise ServiceError(_("Nothing would change. Choose another model or another setting for this part."))
    return checked


def parts_remove(*, job: Job) -> bool:
    """Takes away the parts of a job that is over; its film, pictures and figures stay.

    False: it runs again, or somebody was faster.
    """
    over = Job.objects.filter(pk=job.pk, status__in=OVER, parts_removed_at__isnull=True)
    if not over.update(parts_removed_at=timezone.now()):
        return False
    for name in FOLDERS:
        _remove(job.directory / name)
    job_measure(job_id=job.pk)
    return True


def parts_due() -> Iterator[Job]:
    """Jobs whose parts have to go: those beyond their time; then the oldest, while the disk is nearly full, and one
    more in every round while a job waits for room."""
    now = timezone.now()
    over = Job.objects.without_figures().filter(
        status__in=OVER, parts_removed_at__isnull=True, finished_at__isnull=False
    )
    keep = timedelta(days=settings.SEGMENT_DAYS)
    kept_for_retry = timedelta(days=max(settings.SEGMENT_DAYS, RETRY_DAYS))
    for job in over.filter(finished_at__lt=now - keep).order_by("finished_at"):
        if job.status == Status.SUCCEEDED or (job.finished_at and job.finished_at < now - kept_for_retry):
            yield job
    needed = Job.objects.filter(status=Status.RUNNING).exclude(waiting="").exists()
    for job in over.filter(status=Status.SUCCEEDED).order_by("finished_at"):
        if not needed and free_bytes() >= 2 * settings.MIN_FREE_BYTES:
            return
        needed = False
        yield job


def _remove(folder: Path) -> None:
    """Out of the way by a rename first: a job that begins again meanwhile finds nothing, or all."""
    with suppress(FileNotFoundError):
        folder.rename(folder.with_name(f".{folder.name}.gone.{secrets.token_hex(4)}"))
    for aside in folder.parent.glob(f".{folder.name}.gone.*"):  # also of a round that did not come to its end
        shutil.rmtree(aside, ignore_errors=True)
