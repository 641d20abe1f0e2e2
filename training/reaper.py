"""Puts right what died: runs whose worker is gone, waiting runs whose message is gone. Runs outside the task queue."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from engine.workers import worker_is_gone

from . import services
from .models import TrainingRun
from .notices import mail_run_ended

FRESH = timedelta(seconds=10)  # a claim this young is left alone even if its process cannot be seen
UNSENT = timedelta(seconds=60)  # a message may be on its way for this long


@dataclass
class Reaped:
    """What one round did, by run id."""

    requeued: list[UUID] = field(default_factory=list)
    ended: list[UUID] = field(default_factory=list)
    resent: list[UUID] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.requeued or self.ended or self.resent)


def reap_once() -> Reaped:
    """One round; safe to run at any time, from several machines at once."""
    reaped = Reaped()
    for run in TrainingRun.objects.filter(status=TrainingRun.Status.RUNNING).defer("curve"):
        reason = why_dead(run)
        status = services.training_run_lost(run_id=run.pk, worker=run.worker, reason=reason) if reason else ""
        if status:
            (reaped.requeued if status == TrainingRun.Status.QUEUED else reaped.ended).append(run.pk)
            mail_run_ended(run_id=run.pk)
    resend_waiting(reaped)
    return reaped


def why_dead(run: TrainingRun) -> str:
    """In words why nobody works on this running run any more; empty while somebody may."""
    silence = timezone.now() - (run.heartbeat_at or run.created_at)
    if silence > timedelta(seconds=settings.HEARTBEAT_STALE):
        seconds = round(silence.total_seconds())
        words = ngettext(
            "Whoever trained fell silent %(count)s second ago.",
            "Whoever trained fell silent %(count)s seconds ago.",
            seconds,
        )
        return words % {"count": seconds}
    if silence > FRESH and worker_is_gone(run.worker):
        return _("The process that trained was killed, or the machine restarted.")
    return ""


def resend_waiting(reaped: Reaped) -> None:
    """Waiting rows whose message is lost, or was taken by a worker that died before its claim."""
    due = timezone.now() - UNSENT
    waiting = TrainingRun.objects.filter(status=TrainingRun.Status.QUEUED).defer("curve")
    overdue = [run for run in waiting if (run.enqueued_at or run.created_at) < due]
    for run in services.without_message(overdue) if overdue and not services.held_back() else []:
        services.enqueue(run.pk)
        reaped.resent.append(run.pk)
