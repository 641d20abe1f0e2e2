"""Messages to the workers. The Job row is the truth; a message only says "look at this row"."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from interpolation.models import Job

CLUSTER = "interpolation"
TASK = "interpolation.tasks.job_run"

log = logging.getLogger(__name__)


def enqueue_on_commit(job_id: UUID) -> None:
    """Send the message when the row can be seen by others. If sending fails, the reaper does it again."""
    transaction.on_commit(lambda: enqueue(job_id), robust=True)


def enqueue(job_id: UUID) -> None:
    Job.objects.filter(pk=job_id).update(enqueued_at=timezone.now())
    async_task(TASK, str(job_id), q_options={"cluster": CLUSTER, "task_name": f"job {job_id}"})
    log.info("enqueued", extra={"job": job_id})


def without_message(jobs: Iterable[Job]) -> list[Job]:
    """Those of the jobs for which no message waits to be taken. A message that a dead worker took does not count."""
    waiting = OrmQ.objects.filter(key=CLUSTER).filter(Q(lock__isnull=True) | Q(lock__lte=timezone.now()))
    named = {str(argument) for message in waiting for argument in (message.args() or ())}
    return [job for job in jobs if str(job.pk) not in named]


def position(job: Job) -> int | None:
    """1 for the job that is taken next; None when the job does not wait."""
    if job.status != Job.Status.QUEUED:
        return None
    return 1 + Job.objects.waiting(sent_before=job.enqueued_at or job.created_at).count()
