"""What trials and bake-offs have in common: two jobs that are watched, stopped and drawn again as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from interpolation.models import BakeOff, Job, Trial

from .errors import StateError
from .jobs import job_cancel, job_retry, overall_percent
from .outlook import Outlook, job_left, outlooks

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

Pair = Trial | BakeOff
P = TypeVar("P", Trial, BakeOff)
Status = Job.Status
UNFINISHED = (Status.FAILED, Status.CANCELLED)


@dataclass(frozen=True, slots=True)
class PairProgress:
    """How far both films are. `status` is that of a job that would do the work of both."""

    status: Status
    percent: int
    eta_seconds: int | None  # until both are done; None while nobody knows
    cancel_requested: bool
    unfinished: tuple[Job, ...]  # those that failed or were cancelled

    @property
    def is_live(self) -> bool:
        return self.status in Job.LIVE


def pairs_of(model: type[P], user: User | AnonymousUser) -> QuerySet[P]:
    """A judgement is one person's own. Without those of films that this person cannot see any more."""
    if not user.is_authenticated:
        return model._default_manager.none()
    seen = Job.objects.all().reachable_by(user).values("pk")
    mine = model._default_manager.filter(owner=user.pk, first__in=seen, second__in=seen)
    heavy = (f"{side}__{column}" for side in ("first", "second") for column in ("metrics", "certificate"))
    return mine.select_related("source__project", "first", "second").defer(*heavy)


def pairs_with(jobs: Iterable[Job], user: User | AnonymousUser) -> dict[UUID, Pair]:
    """{job: the trial or bake-off of this person that it belongs to}. Two queries."""
    wanted = [job.pk for job in jobs]
    either = Q(first__in=wanted) | Q(second__in=wanted)
    found: list[Pair] = [*pairs_of(Trial, user).filter(either), *pairs_of(BakeOff, user).filter(either)]
    return {job: pair for pair in found for job in (pair.first_id, pair.second_id)}


def jobs_of(pair: Pair) -> tuple[Job, Job]:
    for job in (pair.first, pair.second):
        job.source = pair.source
    return pair.first, pair.second


def pair_status(pair: Pair) -> Status:
    """Running as soon as one is; over when both are, and then only as good as the worse of the two."""
    states = {job.status for job in jobs_of(pair)}
    if states == {Status.QUEUED}:
        return Status.QUEUED
    if states & set(Job.LIVE):
        return Status.RUNNING
    return next(Status(state) for state in (*UNFINISHED, Status.SUCCEEDED) if state in states)


def pair_progress(pair: Pair, outlooks_now: dict[UUID, Outlook] | None = None) -> PairProgress:
    """outlooks_now: `outlooks()` where it is known already, for lists."""
    both = jobs_of(pair)
    live = [job for job in both if job.is_live]
    if outlooks_now is None:
        outlooks_now = outlooks() if any(job.status == Status.QUEUED for job in live) else {}
    left = [job_left(job, outlooks_now) for job in live]
    known = [seconds for seconds in left if seconds is not None]
    return PairProgress(
        status=pair_status(pair),
        percent=sum(overall_percent(job) for job in both) // 2,
        eta_seconds=round(max(known)) if known and len(known) == len(left) else None,
        cancel_requested=any(job.cancel_requested_at is not None for job in live),
        unfinished=tuple(job for job in both if job.status in UNFINISHED),
    )


def pair_cancel(*, pair: Pair) -> None:
    """Stop whichever of both is not over.

    Raises:
        StateError: both are over.
    """
    stopped = 0
    for job in (job for job in jobs_of(pair) if job.is_live):
        try:
            job_cancel(job=job)
        except StateError:  # it came to its end meanwhile
            continue
        stopped += 1
    if not stopped:
        raise StateError(_("Both films are over: there is nothing to cancel."))


def pair_retry(*, pair: Pair) -> None:
    """Draw again what failed or was cancelled; parts that were finished are used again.

    Raises:
        StateError: neither failed nor was cancelled. What job_retry raises; then nothing is drawn again.
    """
    again = [job for job in jobs_of(pair) if job.status in UNFINISHED]
    if not again:
        raise StateError(_("Neither film failed or was cancelled: there is nothing to draw again."))
    with transaction.atomic():
        for job in again:
            job_retry(job=job)
