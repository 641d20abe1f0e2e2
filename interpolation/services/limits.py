"""What one user may take, and what is said when it is too much.

Uploads and storage count for who owns the project, jobs for who starts them. Every limit has a setting
(INBETWEEN_USER_*) and can be another for one user (UserLimits, in the admin). 0 is no limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from engine.config import RenderOptions
from interpolation.models import Job, UserLimits

from .disk import in_words
from .errors import LimitError, TooLargeError
from .ledger import storage_of

MB = 1 << 20
ASK = gettext_lazy("or ask the administrator for more")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a user may take; 0 is no limit."""

    running_jobs: int
    queued_jobs: int
    storage_bytes: int
    upload_bytes: int
    megapixels: float
    minutes: float


def limits_of(user: User) -> Limits:
    own = UserLimits.objects.filter(user=user.pk).first() or UserLimits()

    def of(mine: Any, usual: Any) -> Any:
        return usual if mine is None else mine

    upload = of(own.upload_mb, settings.USER_UPLOAD_MB) * MB
    return Limits(
        running_jobs=of(own.running_jobs, settings.USER_RUNNING_JOBS),
        queued_jobs=of(own.queued_jobs, settings.USER_QUEUED_JOBS),
        storage_bytes=of(own.storage_mb, settings.USER_STORAGE_MB) * MB,
        upload_bytes=min(upload or settings.MAX_UPLOAD_BYTES, settings.MAX_UPLOAD_BYTES),
        megapixels=of(own.megapixels, settings.USER_MEGAPIXELS),
        minutes=of(own.minutes, settings.USER_MINUTES),
    )


def running_limits(users: Iterable[int]) -> dict[int, int]:
    """{user: how many jobs at the same time}; users without a limit are not in it. One query, or none."""
    wanted = set(users)
    own = UserLimits.objects.filter(user__in=wanted, running_jobs__isnull=False).values_list("user", "running_jobs")
    found = dict.fromkeys(wanted, settings.USER_RUNNING_JOBS) | dict(own)
    return {user: limit for user, limit in found.items() if limit}


def require_upload(owner: User, size: int) -> None:
    """Before anything arrives: one upload of `size` bytes. Raises TooLargeError, LimitError."""
    limits = limits_of(owner)
    if size > limits.upload_bytes:
        raise TooLargeError(
            _("The upload has %(size)s; at most %(most)s are taken. Cut it, encode it smaller, %(ask)s.")
            % {"size": in_words(size), "most": in_words(limits.upload_bytes), "ask": ASK}
        )
    require_storage(owner, size, limits)


def require_storage(owner: User, more: int, limits: Limits | None = None) -> None:
    """Raises LimitError when `more` bytes would be more than the user may keep."""
    allowed = (limits or limits_of(owner)).storage_bytes
    if not allowed:
        return
    used = storage_of(owner).total
    if used + more > allowed:
        raise LimitError(
            _(
                "There is no room in %(username)s's storage: %(used)s of %(allowed)s are used, and this "
                "needs %(more)s. Delete sources or results that are no longer needed, %(ask)s."
            )
            % {
                "username": owner.username,
                "used": in_words(used),
                "allowed": in_words(allowed),
                "more": in_words(more),
                "ask": ASK,
            }
        )


def require_footage(owner: User, info: Mapping[str, Any]) -> None:
    """Raises LimitError for a source that is larger or longer than the user may have."""
    limits = limits_of(owner)
    require_size(limits, int(info.get("width") or 0), int(info.get("height") or 0))
    minutes = float(Fraction(info.get("duration") or 0) / 60)
    if limits.minutes and minutes > limits.minutes:
        raise LimitError(
            _(
                "The video lasts %(minutes).1f minutes; the most is %(most)g. Cut it into parts and "
                "upload them one by one, %(ask)s."
            )
            % {"minutes": minutes, "most": limits.minutes, "ask": ASK}
        )


def require_size(limits: Limits, width: int, height: int) -> None:
    pixels = width * height / 1e6
    if limits.megapixels and pixels > limits.megapixels:
        raise LimitError(
            _(
                "%(width)s × %(height)s are %(pixels).1f megapixels; the most is %(most)g. Choose a"
                " smaller resolution, %(ask)s."
            )
            % {"width": width, "height": height, "pixels": pixels, "most": limits.megapixels, "ask": ASK}
        )


def require_job(user: User, options: RenderOptions) -> None:
    """Raises LimitError when the user has too many jobs waiting, or wants too large a picture."""
    limits = limits_of(user)
    if options.resolution:
        require_size(limits, *options.resolution)
    require_place(user, limits)


def require_place(user: User, limits: Limits | None = None) -> None:
    """Raises LimitError when the user has as many jobs waiting as they may."""
    allowed = (limits or limits_of(user)).queued_jobs
    if not allowed:
        return
    waiting = Job.objects.alive().filter(status=Job.Status.QUEUED, created_by=user.pk).count()
    if waiting >= allowed:
        raise LimitError(
            _(
                "%(waiting)s of your jobs wait already; the most is %(allowed)s. Wait until some are "
                "done, cancel some, %(ask)s."
            )
            % {"waiting": waiting, "allowed": allowed, "ask": ASK}
        )
