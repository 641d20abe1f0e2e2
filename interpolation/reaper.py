"""Puts right what died: jobs whose worker is gone, rows whose message is gone, uploads that never became a source.
It also takes away what has had its time: the segments of jobs that are over.

It runs outside the task queue (`manage.py reap`, which `up` starts), because the queue itself may be what died.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from engine.workers import worker_is_gone

from . import services
from .models import Job
from .services.answers import answers_forget
from .services.ledger import measure_unknown
from .services.queue import claimable, held_back, send, without_message
from .services.uploads import sweep_incoming
from .services.webhooks import deliveries_due, deliveries_forget
from .services.webhooks import send as send_delivery

SEEN = "inbetween:reaper"
FRESH = timedelta(seconds=10)  # a claim this young is left alone even if its process cannot be seen
UNSENT = timedelta(seconds=60)  # a message may be on its way for this long
log = logging.getLogger(__name__)


@dataclass
class Reaped:
    """What one round did, by job id."""

    requeued: list[UUID] = field(default_factory=list)
    failed: list[UUID] = field(default_factory=list)
    cancelled: list[UUID] = field(default_factory=list)
    resent: list[UUID] = field(default_factory=list)
    swept: int = 0
    parts: list[UUID] = field(default_factory=list)  # jobs whose segments were taken away
    uploads: list[UUID] = field(default_factory=list)  # resumable ones whose time was over
    purged: list[UUID] = field(default_factory=list)  # deleted projects, sources and jobs whose time is over

    def __bool__(self) -> bool:
        return any(vars(self).values())


def reap_once() -> Reaped:
    """One round; safe to run at any time, from several machines at once."""
    reaped = Reaped(swept=sweep_incoming(), uploads=services.uploads_expire())
    reap_running(reaped)
    resend_waiting(reaped)
    reaped.parts += [job.pk for job in services.parts_due() if services.parts_remove(job=job)]
    for thing in services.trash_due():
        number = thing.pk  # a row that is gone has none
        if services.purge(thing):
            reaped.purged.append(number)
    measure_unknown()
    for delivery in deliveries_due():
        send_delivery(delivery)
    deliveries_forget()
    answers_forget()
    cache.set(SEEN, time.time(), 24 * 3600)
    return reaped


def reap_running(reaped: Reaped) -> None:
    """Running jobs without a sign of life: another attempt, or failed with the reason."""
    lists = {
        Job.Status.QUEUED: reaped.requeued,
        Job.Status.FAILED: reaped.failed,
        Job.Status.CANCELLED: reaped.cancelled,
    }
    for job in Job.objects.filter(status=Job.Status.RUNNING):
        reason = why_dead(job)
        if not reason:
            continue
        status = services.job_lost(job_id=job.pk, worker=job.worker, reason=reason)
        if status:
            lists[Job.Status(status)].append(job.pk)
            services.mail_job_ended(job_id=job.pk)


def why_dead(job: Job) -> str:
    """In words why nobody works on this running job any more; empty while somebody may."""
    silence = timezone.now() - (job.heartbeat_at or job.created_at)
    if silence > timedelta(seconds=settings.HEARTBEAT_STALE):
        seconds = round(silence.total_seconds())
        words = ngettext(
            "The worker fell silent %(count)s second ago.", "The worker fell silent %(count)s seconds ago.", seconds
        )
        return words % {"count": seconds}
    if silence > FRESH and worker_is_gone(job.worker):
        return _("The worker was killed or the machine restarted.")
    return ""


def resend_waiting(reaped: Reaped) -> None:
    """Waiting rows whose message is lost, or was taken by a worker that died before its claim."""
    due = timezone.now() - UNSENT
    overdue = set(Job.objects.alive().waiting(sent_before=due).values_list("pk", flat=True))
    if not overdue or held_back():
        return
    for job_id in without_message([row.job for row in claimable()]):
        if job_id in overdue:
            send(job_id)
            reaped.resent.append(job_id)
