"""Bake-offs: two models draw the same clip, somebody judges without knowing which is which."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext as _

from engine.config import RenderOptions
from interpolation.models import BakeOff, Job, Source, Vote

from .errors import ServiceError, StateError
from .jobs import job_create
from .pairs import UNFINISHED

LONGEST = 10  # seconds of the clip: enough to judge, soon ready
SIDES = ("a", "b", "tie")


class Stage(TextChoices):
    """Where a bake-off is."""

    DRAWING = "drawing"
    BLIND = "blind"  # both films are there, to be judged
    REVEALED = "revealed"
    BROKEN = "broken"  # a film failed or was cancelled


def bakeoff_create(*, user: User, source: Source, first: str, second: str) -> BakeOff:
    """Starts both jobs.

    Raises:
        ServiceError: twice the same model, or no video. What job_create raises.
    """
    if source.kind != Source.Kind.VIDEO:
        raise ServiceError(_("Choose a video: two pictures are compared on their own page."))
    if first == second:
        raise ServiceError(_("Choose two different models."))
    from engine.checkpoint import model_info  # imports torch, which workers that only watch do not need

    weights = [model_info(name).sha256 for name in (first, second)]
    if weights[0] and weights[0] == weights[1]:
        words = _("%(first)s and %(second)s are the same weights under two names. Choose two different models.")
        raise ServiceError(words % {"first": first, "second": second})
    trim = {} if Fraction(source.info.get("duration") or 0) <= LONGEST else {"trim_end": LONGEST}
    with transaction.atomic():
        jobs = [
            job_create(
                source=source, options=RenderOptions.from_dict({"model": model, **trim}).to_dict(), user=user
            )
            for model in (first, second)
        ]  # fmt: skip
        return BakeOff.objects.create(owner=user, source=source, first=jobs[0], second=jobs[1])


def bakeoff_stage(bakeoff: BakeOff) -> Stage:
    states = {bakeoff.first.status, bakeoff.second.status}
    if states & set(UNFINISHED):
        return Stage.BROKEN
    if states != {Job.Status.SUCCEEDED}:
        return Stage.DRAWING
    return Stage.BLIND if bakeoff.revealed_at is None else Stage.REVEALED


def bakeoff_round(bakeoff: BakeOff) -> int:
    """The number of the round that is judged next, from 1."""
    return bakeoff.votes.count() + 1


def bakeoff_sides(bakeoff: BakeOff) -> tuple[Job, Job]:
    """A and B as they stand now: drawn by lot while it is blind, then the first and the second."""
    if bakeoff.revealed_at is None and bakeoff.swapped(bakeoff_round(bakeoff)):
        return bakeoff.second, bakeoff.first
    return bakeoff.first, bakeoff.second


def bakeoff_vote(*, bakeoff: BakeOff, number: int, side: str) -> None:
    """side: "a", "b" or "tie", as they stood in round `number`. A vote sent twice counts once.

    Raises:
        StateError: it is over, or there is nothing to judge yet. ServiceError: no such side or round.
    """
    if bakeoff.revealed_at is not None:
        raise StateError(_("This bake-off is over: you know which is which."))
    if bakeoff_stage(bakeoff) is not Stage.BLIND:
        raise StateError(_("There is nothing to judge before both films are drawn."))
    if side not in SIDES:
        raise ServiceError(_("Vote for A, for B, or for no difference."))
    due = bakeoff_round(bakeoff)
    if not 1 <= number <= due:
        raise ServiceError(_("The round to judge is number %(due)s.") % {"due": due})
    if number < due:
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
    """Raises StateError before anything was judged."""
    if not bakeoff.votes.exists():
        raise StateError(_("Judge at least once before you look."))
    BakeOff.objects.filter(pk=bakeoff.pk, revealed_at__isnull=True).update(revealed_at=timezone.now())
    bakeoff.refresh_from_db(fields=["revealed_at"])


def bakeoff_tally(bakeoff: BakeOff) -> dict[str, int]:
    """{"first", "second", "tie"}: votes."""
    counted = Counter(vote.choice for vote in bakeoff.votes.all())
    return {choice: counted[choice] for choice in Vote.Choice.values}
