"""Who is next, and messages to the workers. The Job row is the truth; a message only says "there is work".

The order is fair between users: everybody's first waiting job comes before anybody's second, counting the jobs they
have running; among those, whoever was served longest ago. Somebody with fifty jobs does not starve somebody with one.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ
from django_q.tasks import async_task

from interpolation.models import Job

from .limits import running_limits

CLUSTER = "interpolation"
TASK = "interpolation.tasks.job_run"
REMEMBERED = timedelta(days=2)  # who was served longer ago has not been served
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
USER = Coalesce("created_by", "project__owner")  # whose turn a job takes

log = logging.getLogger(__name__)


# -- The order ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """A waiting job and whose turn it takes."""

    job: UUID
    user: int


def fair_order() -> list[Waiting]:
    """All waiting jobs in the order in which they are taken. Three queries."""
    rows = Job.objects.alive().waiting().annotate(turn_of=USER).values_list("pk", "turn_of", "sent_at")
    waiting = list(rows)
    if not waiting:
        return []
    running = running_by_user()
    served = dict(
        Job.objects.filter(started_at__gt=timezone.now() - REMEMBERED)
        .annotate(turn_of=USER)
        .values("turn_of")
        .annotate(last=Max("started_at"))
        .values_list("turn_of", "last")
    )
    taken: Counter[int] = Counter(running)
    ranked: list[tuple[int, datetime, datetime, Waiting]] = []
    for pk, user, sent in waiting:  # by when they were sent, so each user's own jobs stay in their order
        ranked.append((taken[user], served.get(user, NEVER), sent, Waiting(pk, user)))
        taken[user] += 1
    return [row for *_, row in sorted(ranked, key=lambda found: found[:3])]


def claimable() -> list[Waiting]:
    """As `fair_order`, without those whose user has as many running as they may."""
    order = fair_order()
    limits = running_limits(row.user for row in order)
    if not limits:
        return order
    taken: Counter[int] = Counter(running_by_user())
    found = []
    for row in order:
        taken[row.user] += 1
        if row.user not in limits or taken[row.user] <= limits[row.user]:
            found.append(row)
    return found


def running_by_user() -> dict[int, int]:
    jobs = Job.objects.filter(status=Job.Status.RUNNING).annotate(turn_of=USER)
    return dict(jobs.values("turn_of").annotate(count=Count("pk")).values_list("turn_of", "count"))


def places() -> dict[UUID, int]:
    """{job: its place}, 1 for the one that is taken next."""
    return {row.job: place for place, row in enumerate(fair_order(), 1)}


# -- Holds: an administrator has stopped the workers -------------------------------------------------------------------


def held_back(worker: str = "") -> str:
    """ "" while work is taken, "drain" when nothing new is, "pause" when what runs is put back as well.

    worker: host:pid:token; a hold may be for one machine.
    """
    mode: str = import_string(settings.QUEUE_HOLD)(CLUSTER, worker.partition(":")[0])
    return mode


# -- Messages ----------------------------------------------------------------------------------------------------------


def enqueue_on_commit(job_id: UUID) -> None:
    """Send the message when the row can be seen by others. If sending fails, the reaper does it again."""
    transaction.on_commit(lambda: enqueue(job_id), robust=True)


def enqueue(job_id: UUID) -> None:
    Job.objects.filter(pk=job_id).update(enqueued_at=timezone.now())
    send(job_id)


def send(job_id: UUID) -> None:
    """Wake a worker. It takes whoever is next, which need not be this job."""
    async_task(TASK, str(job_id), q_options={"cluster": CLUSTER, "task_name": f"job {job_id}"})
    log.info("enqueued", extra={"job": job_id})


def without_message(jobs: list[UUID]) -> list[UUID]:
    """Those for which no message is left when every message wakes one worker. One that a dead worker took is none."""
    untaken = Q(lock__isnull=True) | Q(lock__lte=timezone.now())
    return jobs[OrmQ.objects.filter(key=CLUSTER).filter(untaken).count() :]


def wake() -> list[UUID]:
    """Send what is missing so that all waiting jobs are taken: after a hold, or a job for which another had to wait."""
    if held_back():
        return []
    sent = without_message([row.job for row in claimable()])
    for job_id in sent:
        send(job_id)
    return sent
