"""Bake-offs: two models draw the same clip, somebody judges without knowing which is which."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from engine.config import RenderOptions
from interpolation.models import BakeOff, Source, Vote

from .errors import ServiceError
from .jobs import job_create

LONGEST = 10  # seconds of the clip: enough to judge, soon ready
SIDES = ("a", "b", "tie")


def bakeoff_create(*, user: User, source: Source, first: str, second: str) -> BakeOff:
    """Starts both jobs.

    Raises:
        ServiceError: twice the same model, or no video. What job_create raises.
    """
    if source.kind != Source.Kind.VIDEO:
        raise ServiceError("Choose a video: two pictures are compared on their own page.")
    if first == second:
        raise ServiceError("Choose two different models.")
    trim = {} if Fraction(source.info.get("duration") or 0) <= LONGEST else {"trim_end": LONGEST}
    with transaction.atomic():
        jobs = [
            job_create(
                source=source, options=RenderOptions.from_dict({"model": model, **trim}).to_dict(), user=user
            )
            for model in (first, second)
        ]  # fmt: skip
        return BakeOff.objects.create(owner=user, source=source, first=jobs[0], second=jobs[1])


def bakeoff_round(bakeoff: BakeOff) -> int:
    """The number of the round that is judged next, from 1."""
    return bakeoff.votes.count() + 1


def bakeoff_vote(*, bakeoff: BakeOff, number: int, side: str) -> None:
    """side: "a", "b" or "tie", as they stood in round `number`. A vote sent twice counts once.

    Raises:
        ServiceError: it is over, or no such side.
    """
    if bakeoff.revealed_at is not None:
        raise ServiceError("This bake-off is over: you know which is which.")
    if side not in SIDES:
        raise ServiceError("Vote for A, for B, or for no difference.")
    if number != bakeoff_round(bakeoff):
        return
    choice = Vote.Choice.TIE
    if side != "tie":
        choice = Vote.Choice.SECOND if (side == "b") != bakeoff.swapped(number) else Vote.Choice.FIRST
    try:
        with transaction.atomic():
            Vote.objects.create(bakeoff=bakeoff, number=number, choice=choice)
    except IntegrityError:  # the same vote at the same moment
        return


def bakeoff_reveal(*, bakeoff: BakeOff) -> None:
    """Raises ServiceError before anything was judged."""
    if not bakeoff.votes.exists():
        raise ServiceError("Judge at least once before you look.")
    BakeOff.objects.filter(pk=bakeoff.pk, revealed_at__isnull=True).update(revealed_at=timezone.now())
    bakeoff.refresh_from_db()


def bakeoff_tally(bakeoff: BakeOff) -> dict[str, int]:
    """{"first", "second", "tie"}: votes."""
    counted = Counter(bakeoff.votes.values_list("choice", flat=True))
    return {choice: counted[choice] for choice in Vote.Choice.values}
