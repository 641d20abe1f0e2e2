"""Stopping and releasing the workers. The apps ask `held` (settings.QUEUE_HOLD) before they take work."""

from __future__ import annotations

import logging

from django.contrib.auth.models import User
from django.db.models import Q
from django.http import HttpRequest

from interpolation.models import Job
from interpolation.services.queue import wake as wake_jobs
from training.models import TrainingRun
from training.services import wake as wake_training

from .models import Hold

WAKE = {"interpolation": wake_jobs, "training": wake_training}
log = logging.getLogger(__name__)


def held(queue: str, host: str = "") -> str:
    """ "" while work is taken; else the mode. Of a hold for all machines and one for this, the stricter."""
    machines = Q(host="") | Q(host=host) if host else Q(host="")
    modes = set(Hold.objects.filter(machines, queue=queue).values_list("mode", flat=True))
    return next((mode.value for mode in (Hold.Mode.PAUSE, Hold.Mode.DRAIN) if mode.value in modes), "")


def hold_set(*, queue: str, mode: str, host: str = "", reason: str = "", user: User | None = None) -> Hold:
    """No new work is taken from now on; with "pause", what runs is put back as well."""
    given = {"mode": Hold.Mode(mode), "reason": " ".join(reason.split())[:200], "created_by": user}
    hold, _ = Hold.objects.update_or_create(queue=queue, host=host[:80], defaults=given)
    log.warning("hold: %s (%s), by %s", hold, hold.reason or "no reason given", user or "the command line")
    return hold


def hold_release(*, hold: Hold, user: User | None = None) -> None:
    """Work is taken again, at once."""
    log.warning("released: %s, by %s", hold, user or "the command line")
    hold.delete()
    if hold.queue in WAKE:  # messages of other queues have waited in their place
        WAKE[hold.queue]()


def work_of(queue: str, host: str = "") -> list[Job | TrainingRun]:
    """What the workers of a queue, or those of one machine, work on."""
    mine = Q(worker__startswith=f"{host}:") if host else Q()
    if queue == "interpolation":
        jobs = Job.objects.filter(mine, status=Job.Status.RUNNING)
        return list(jobs.without_figures().select_related("source").order_by("started_at"))
    if queue == "training":
        runs = TrainingRun.objects.filter(mine, status=TrainingRun.Status.RUNNING, by_hand=False)
        return list(runs.defer("curve").order_by("started_at"))
    return []  # messages to others are short, and no rows of ours


def notices(request: HttpRequest) -> dict[str, object]:
    """For all templates: the holds that keep everybody's work waiting. Asked only where it is shown."""
    from .health import problems_now  # it asks what this module answers

    def alarms() -> list[str]:
        return problems_now() if request.user.is_staff else []

    return {"holds": lambda: list(Hold.objects.all()) if request.user.is_authenticated else [], "alarms": alarms}
