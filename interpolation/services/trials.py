"""Three seconds first: the same stretch with two settings, to choose from before hours are spent."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from engine.config import RenderOptions, parse_seconds
from interpolation.models import Job, Source, Trial

from .errors import ServiceError, StateError
from .jobs import job_create

SECONDS = 3
SIDES = ("first", "second")


def trial_create(
    *, user: User, source: Source, start: str | float | Fraction, first: dict[str, Any], second: dict[str, Any]
) -> Trial:
    """Starts both jobs. start: second of the source; near its end the last three seconds are taken.

    Raises:
        ServiceError: no video, or twice the same settings. BadOptionsError, and what job_create raises.
    """
    if source.kind != Source.Kind.VIDEO:
        raise ServiceError(_("Two pictures have no three seconds to try. Start the job: it is short."))
    part = {name: first.get(name) for name in ("trim_start", "trim_end")}
    begin, end = _stretch(source, parse_seconds(start))
    trim = {"trim_start": str(begin) if begin else None, "trim_end": None if end is None else str(end)}
    chosen = [RenderOptions.from_dict(options | trim).to_dict() for options in (first, second)]
    if chosen[0] == chosen[1]:
        raise ServiceError(_("Both settings are the same. Change one of them, so that there is something to compare."))
    with transaction.atomic():
        jobs = [job_create(source=source, options=options, user=user) for options in chosen]
        Job.objects.filter(pk__in=[job.pk for job in jobs]).update(trial=True)
        return Trial.objects.create(owner=user, source=source, first=jobs[0], second=jobs[1], part=part)


def _stretch(source: Source, start: Fraction) -> tuple[Fraction, Fraction | None]:
    """(begin, end) of three seconds from `start` on; end None: to the end of the film."""
    duration = Fraction(source.info.get("duration") or 0)
    if duration <= SECONDS:
        return Fraction(0), None
    begin = min(start, duration - SECONDS).limit_denominator(1000)
    return begin, begin + SECONDS


def whole_options(trial: Trial, side: str) -> dict[str, Any]:
    """The settings of a side for the whole film. Raises ServiceError for no such side."""
    if side not in SIDES:
        raise ServiceError(_("Choose the first or the second."))
    job = trial.first if side == "first" else trial.second
    return {**job.options, **{name: trial.part.get(name) for name in ("trim_start", "trim_end")}}


def trial_promote(*, trial: Trial, side: str, user: User) -> Job:
    """The whole film with the settings of a side. Once: a second click leads to the same job.

    Raises:
        ServiceError: no such side. What job_create raises.
    """
    options = whole_options(trial, side)
    with transaction.atomic():
        locked = Trial.objects.select_for_update().get(pk=trial.pk)
        if locked.promoted is not None and locked.promoted.options == RenderOptions.from_dict(options).to_dict():
            return locked.promoted
        if trial.source.deleted_at is not None:
            raise StateError(_("This source is deleted. Bring it back first."))
        job = job_create(source=trial.source, options=options, user=user)
        Trial.objects.filter(pk=trial.pk).update(promoted=job)
    return job
