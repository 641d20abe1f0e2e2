"""What people do with jobs: start, cancel, try again, look how far it is."""

from __future__ import annotations

import logging
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from engine.config import RenderOptions
from engine.errors import WeightsError
from interpolation.models import Job, Source

from .disk import require_room
from .errors import ServiceError, StateError
from .limits import require_job, require_place, require_storage
from .options import unfit_options
from .outlook import Outlook, outlook_view, outlooks
from .queue import enqueue_on_commit
from .webhooks import job_told

if TYPE_CHECKING:
    from engine.checkpoint import ModelInfo  # imports torch, which workers that only watch do not need

log = logging.getLogger(__name__)
Status = Job.Status
WAITS = "waiting for disk space"  # said instead of the stage
BYTES_PER_PIXEL = 0.25  # of the finished video, segments and previews together; measured on busy footage at CRF 18

BEGINS_AT = {  # per cent of a typical job that is over when a stage begins
    "loading the model": 0,
    "reading": 3,
    "interpolating": 8,
    "evaluating": 82,
    "joining": 90,
    "previews": 91,
}


def job_create(*, source: Source, options: dict[str, Any], user: User | None = None) -> Job:
    """A row, and a message to the workers once it is committed.

    Raises:
        BadOptionsError: a setting is unknown or out of range.
        WeightsError: there is no such model.
        ServiceError: no room for the result, or a setting that this source cannot have.
    """
    from engine.checkpoint import model_info  # imports torch, which workers that only watch do not need

    checked = RenderOptions.from_dict(options)
    if source.purged_at is not None or source.deleted_at is not None:
        raise StateError(_("This source is deleted. Bring it back, or upload it again."))
    for words in unfit_options(source, checked.to_dict()).values():
        raise ServiceError(words)
    model_info(checked.model)
    starter = user or source.project.owner
    require_job(starter, checked)
    require_storage(source.project.owner, expected_bytes(source, checked))
    require_room(expected_bytes(source, checked))
    with transaction.atomic():
        job = Job.objects.create(
            project=source.project,
            source=source,
            created_by=starter,
            options=checked.to_dict(),
        )
        log.info("created by user %s from source %s", starter.pk, source.pk, extra={"job": job.pk})
        enqueue_on_commit(job.pk)
    return job


def job_again(*, job: Job, user: User) -> Job:
    """The same settings once more, on the whole source, drawn by the default model of now.

    Raises:
        StateError: it was that model that drew it. What job_create raises.
    """
    usual = default_model()
    if usual is not None and not would_differ(job, usual):
        raise StateError(_("%(model)s drew it already: the same again would change nothing.") % {"model": usual.name})
    return job_create(source=job.source, options={**job.options, "model": "default"}, user=user)


def default_model() -> ModelInfo | None:
    """The model that draws where no other is chosen; None where its weights cannot be read."""
    from engine.checkpoint import model_info

    try:
        return model_info()
    except WeightsError:  # the page of the models says so
        return None


def would_differ(job: Job, usual: ModelInfo) -> bool:
    """Whether the same settings, drawn by `usual`, would give anything else than this job did, or would have."""
    if job.model_sha256 or job.model_name:
        return (usual.sha256 or usual.name) != (job.model_sha256 or job.model_name)
    return job.options.get("model", "default") not in ("default", usual.name)  # it ended before anything was drawn


def expected_bytes(source: Source, options: RenderOptions) -> int:
    """A rough upper figure of what a job writes."""
    info = source.info
    width, height = options.resolution or (info.get("width") or 0, info.get("height") or 0)
    frames: Fraction | int = (info.get("frame_count") or 2) * (options.inbetween + 1)
    if options.mode == "fps" and options.target_fps is not None and info.get("duration"):
        frames = Fraction(info["duration"]) * options.target_fps
    return int(width * height * frames * BYTES_PER_PIXEL)


def job_cancel(*, job: Job) -> None:
    """A waiting job is over at once; a running one is stopped by its worker within a second or so.

    Raises:
        StateError: the job is over already.
    """
    now = timezone.now()
    waiting = Job.objects.filter(pk=job.pk, status=Status.QUEUED)
    with transaction.atomic():
        ended = waiting.update(status=Status.CANCELLED, cancel_requested_at=now, finished_at=now)
        if ended:
            job_told([job.pk], Status.CANCELLED)
    if not ended:
        running = Job.objects.filter(pk=job.pk, status=Status.RUNNING)
        if not running.update(cancel_requested_at=now):
            job.refresh_from_db()
            raise StateError(
                _('This job is over ("%(status)s"): there is nothing to cancel.') % {"status": job.get_status_display()}
            )
    job.refresh_from_db()
    log.info("cancelled by a person", extra={"job": job.pk})


def job_retry(*, job: Job) -> None:
    """Run a failed or cancelled job again with the same settings. Segments that were finished are used again.

    Raises:
        StateError: the job waits, runs, or is done.
    """
    if job.source.purged_at is not None:
        raise StateError(_("The source of this job is deleted for good. Upload it again and start a new job."))
    require_place(job.created_by or job.project.owner)
    over = Job.objects.filter(pk=job.pk, status__in=(Status.FAILED, Status.CANCELLED))
    with transaction.atomic():
        if not over.update(attempts=0, **WAITING):
            job.refresh_from_db()
            raise StateError(
                _('This job is "%(status)s": only failed and cancelled jobs are run again.')
                % {"status": job.get_status_display()}
            )
        enqueue_on_commit(job.pk)
    job.refresh_from_db()


def job_requeue(*, job: Job) -> None:
    """For administrators: back to the queue whatever the state, unless it is done. Whoever works on it loses it."""
    open_ = Job.objects.filter(pk=job.pk).exclude(status=Status.SUCCEEDED)
    with transaction.atomic():
        if not open_.update(attempts=0, **WAITING):
            raise StateError(_("This job is done. Start a new one instead."))
        enqueue_on_commit(job.pk)


WAITING: dict[str, Any] = {  # the columns of a job that waits to be run from its start
    "status": Status.QUEUED,
    "stage": "",
    "frames_done": 0,
    "frames_total": 0,
    "eta_seconds": None,
    "waiting": "",
    "cancel_requested_at": None,
    "heartbeat_at": None,
    "worker": "",
    "error": "",
    "started_at": None,
    "finished_at": None,
    "parts_removed_at": None,
}


def job_progress_view(
    job: Job, now: datetime | None = None, outlooks_now: dict[UUID, Outlook] | None = None
) -> dict[str, Any]:
    """What pages and API say of a job: plain values, nothing to work out.

    outlooks_now: `outlooks()` where it is known already, for lists.
    """
    ahead: Outlook | None = None
    if job.status == Status.QUEUED:
        ahead = (outlooks() if outlooks_now is None else outlooks_now).get(job.pk)
    now = now or timezone.now()
    end = job.finished_at or now
    silent = job.status == Status.RUNNING and job.heartbeat_at is not None
    return {
        "status": job.status,
        "status_display": job.get_status_display(),
        "stage": WAITS if job.waiting else job.stage,
        "waiting": job.waiting,
        "frames_done": job.frames_done,
        "frames_total": job.frames_total,
        "percent": overall_percent(job),
        "eta_seconds": round(job.eta_seconds) if job.eta_seconds is not None and job.is_live else None,
        "elapsed_seconds": round((end - job.started_at).total_seconds()) if job.started_at else None,
        **outlook_view(ahead),
        "cancel_requested": job.cancel_requested_at is not None and job.is_live,
        "silent_seconds": round((now - job.heartbeat_at).total_seconds()) if silent and job.heartbeat_at else None,
        "attempts": job.attempts,
        "attempts_allowed": settings.JOB_ATTEMPTS,
        "error": job.error,
    }


def overall_percent(job: Job) -> int:
    """0-100 over all stages, so that the bar never runs backwards; 100 only when the job is done."""
    if job.status == Status.SUCCEEDED:
        return 100
    if job.stage not in BEGINS_AT:
        return 0
    start = BEGINS_AT[job.stage]
    end = next((begin for begin in BEGINS_AT.values() if begin > start), 100)
    return min(99, start + (end - start) * min(job.frames_done, job.frames_total) // max(job.frames_total, 1))
