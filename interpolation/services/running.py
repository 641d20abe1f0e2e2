"""What a worker does with a job it holds. Only the holder of the claim may write, and only while the job runs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import ngettext

from interpolation.models import Job, JobQuerySet, Preview

from .joblog import job_say, sums
from .jobs import WAITING, Status
from .limits import running_limits
from .queue import claimable, enqueue_on_commit, held_back, running_by_user
from .webhooks import job_told

if TYPE_CHECKING:
    from engine.checkpoint import ModelInfo
    from engine.render import RenderResult

log = logging.getLogger(__name__)


def job_claim(*, job_id: UUID | str, worker: str) -> bool:
    """Take a waiting job by one conditional UPDATE. False: somebody else has it, or it is over."""
    now = timezone.now()
    waiting = Job.objects.filter(pk=job_id, status=Status.QUEUED)
    with transaction.atomic():
        taken = waiting.update(
            status=Status.RUNNING,
            worker=worker,
            stage="starting",
            attempts=F("attempts") + 1,
            started_at=now,
            heartbeat_at=now,
            finished_at=None,
            waiting="",
            error="",
        )
        if taken:
            job_told([job_id], Status.RUNNING)
    return taken == 1


def job_claim_next(*, worker: str) -> UUID | None:
    """Take the job that is next in the fair order. None: nothing waits, or an administrator holds the workers."""
    if held_back(worker):
        return None
    for row in claimable():
        with transaction.atomic():
            if may_run_one_more(row.user) and job_claim(job_id=row.job, worker=worker):
                return row.job
    return None


def may_run_one_more(user: int) -> bool:
    """Asked inside the transaction that claims; the user's row is locked, so of two workers one counts the other's."""
    limit = running_limits([user]).get(user)
    if not limit:
        return True
    list(User.objects.select_for_update().filter(pk=user))
    return running_by_user().get(user, 0) < limit


def held(job_id: UUID | str, worker: str) -> JobQuerySet:
    return Job.objects.filter(pk=job_id, status=Status.RUNNING, worker=worker)


def job_beat(*, job_id: UUID | str, worker: str) -> bool:
    """The watcher lives. False: the job is not ours any more."""
    return held(job_id, worker).update(heartbeat_at=timezone.now()) == 1


def job_progress(
    *,
    job_id: UUID | str,
    worker: str,
    stage: str,
    frames_done: int,
    frames_total: int,
    eta_seconds: float | None = None,
    waiting: str = "",
) -> bool:
    """How far it is, and what it waits for. False: the job is not ours any more."""
    changed = held(job_id, worker).update(
        stage=stage[:40],
        frames_done=frames_done,
        frames_total=frames_total,
        eta_seconds=eta_seconds,
        waiting=waiting[:120],
        heartbeat_at=timezone.now(),
    )
    return changed == 1


def job_model(*, job_id: UUID | str, worker: str, model: ModelInfo) -> bool:
    """Which weights draw the frames, said while they are being drawn."""
    changed = held(job_id, worker).update(
        model_name=model.name[:80], model_sha256=model.sha256, model_notice=model.notice[:200]
    )
    return changed == 1


def job_finish(*, job_id: UUID | str, worker: str, result: RenderResult) -> bool:
    """Figures, certificate, files and previews in one transaction. False: not ours any more, nothing written.

    A cancel that came too late loses: the result is there.
    """
    with transaction.atomic():
        done = held(job_id, worker).update(
            status=Status.SUCCEEDED,
            stage="",
            waiting="",
            frames_done=F("frames_total"),
            eta_seconds=None,
            model_name=result.model.name[:80],
            model_sha256=result.model.sha256,
            model_notice=result.model.notice[:200],
            metrics=result.metrics,
            certificate=result.certificate,
            master=under_media(result.master),
            pictures_zip=under_media(result.pictures_zip),
            finished_at=timezone.now(),
        )
        if done:
            Preview.objects.bulk_create(
                [Preview(job_id=job_id, **row) for row in preview_rows(result)],
                update_conflicts=True,
                unique_fields=["job", "kind", "position"],
                update_fields=["time", "file"],
            )
            job_told([job_id], Status.SUCCEEDED)
    if done:
        log.info("done", extra={"job": job_id})
        job_say(job_id, f"done; {sums(result.certificate)}")
    return done == 1


def preview_rows(result: RenderResult) -> list[dict[str, Any]]:
    """The result's files as columns of Preview. The two pictures of the comparison carry the time they are shown at."""
    compared = result.metrics.get("compared") or {}
    times = {Preview.Kind.FRAME0: compared.get("start"), Preview.Kind.FRAME1: compared.get("end")}
    kinds: list[tuple[Preview.Kind, Path | None]] = [
        (Preview.Kind.VIDEO, result.preview),
        (Preview.Kind.SOURCE_VIDEO, result.source_preview),
        (Preview.Kind.POSTER, result.poster),
        (Preview.Kind.FRAME0, result.frame0),
        (Preview.Kind.FRAME1, result.frame1),
        (Preview.Kind.FLOW_FARNEBACK, result.flow_farneback),
        (Preview.Kind.FLOW_MODEL, result.flow_model),
    ]
    rows: list[dict[str, Any]] = [
        {"kind": kind, "file": under_media(path), "time": times.get(kind)} for kind, path in kinds if path
    ]
    for place, (path, seconds) in enumerate(result.frames):
        rows.append({"kind": Preview.Kind.FRAME, "position": place, "time": seconds, "file": under_media(path)})
    for place, (path, seconds) in enumerate(result.motions):
        rows.append({"kind": Preview.Kind.MOTION, "position": place, "time": seconds, "file": under_media(path)})
    for place, worst in enumerate(result.worst):
        files = {
            Preview.Kind.HELD_TRUTH: worst.truth,
            Preview.Kind.HELD_DRAWN: worst.drawn,
            Preview.Kind.HELD_ERROR: worst.error,
        }
        rows += [
            {"kind": kind, "position": place, "time": worst.time, "file": under_media(path)}
            for kind, path in files.items()
        ]
    return rows


def under_media(path: Path) -> str:
    """As kept in the row: relative to MEDIA_ROOT. Raises ValueError for a file elsewhere."""
    return Path(path).resolve().relative_to(Path(settings.MEDIA_ROOT).resolve()).as_posix()


def job_fail(*, job_id: UUID | str, worker: str, error: str) -> bool:
    """Over, with the reason in words. No second try: it would end the same way."""
    failed = _ended(held(job_id, worker), job_id, Status.FAILED, error=error)
    if failed:
        log.warning("failed: %s", error, extra={"job": job_id})
        job_say(job_id, f"failed: {error}")
    return failed


def job_stopped(*, job_id: UUID | str, worker: str) -> bool:
    """The child stopped because it was asked to: cancelled if a person asked, else back to the queue."""
    cancelled = held(job_id, worker).filter(cancel_requested_at__isnull=False)
    if _ended(cancelled, job_id, Status.CANCELLED):
        job_say(job_id, "cancelled")
        return True
    if back := _back_to_queue(job_id, worker, attempts_back=1):
        job_say(job_id, "stopped with its worker; back to the queue")
    return back


def job_lost(*, job_id: UUID | str, worker: str, reason: str) -> str:
    """The child or its worker died. Another attempt while some remain, else failed with the reason.

    Returns the new status, or "" when the job was not `worker`'s.
    """
    if _ended(held(job_id, worker).filter(cancel_requested_at__isnull=False), job_id, Status.CANCELLED):
        return Status.CANCELLED
    tries = settings.JOB_ATTEMPTS
    spent = held(job_id, worker).filter(attempts__gte=tries)
    often = ngettext(
        "It was tried once. Try again; finished parts are kept.",
        "It was tried %(count)s times. Try again; finished parts are kept.",
        tries,
    )
    words = f"{reason} {often % {'count': tries}}"
    if _ended(spent, job_id, Status.FAILED, error=words):
        log.error("given up: %s", reason, extra={"job": job_id})
        job_say(job_id, f"failed: {words}")
        return Status.FAILED
    if _back_to_queue(job_id, worker):
        log.warning("back to the queue: %s", reason, extra={"job": job_id})
        job_say(job_id, f"{reason} Back to the queue; finished parts are kept.")
        return Status.QUEUED
    return ""


def _ended(rows: JobQuerySet, job_id: UUID | str, status: Status, **columns: str) -> bool:
    with transaction.atomic():
        ended = rows.update(status=status, waiting="", eta_seconds=None, finished_at=timezone.now(), **columns)
        if ended:
            job_told([job_id], status)
    return ended == 1


def _back_to_queue(job_id: UUID | str, worker: str, attempts_back: int = 0) -> bool:
    with transaction.atomic():
        returned = held(job_id, worker).update(**{**WAITING, "attempts": F("attempts") - attempts_back})
        if returned:
            enqueue_on_commit(UUID(str(job_id)))
    return returned == 1
