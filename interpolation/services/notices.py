"""Word that something is over: for the corner of every page and the browser's own notifications, and by mail.

Trials and bake-offs are one thing each, though two jobs do their work. Webhooks are told in webhooks.py.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from interpolation.models import BakeOff, Job, Preferences, Trial

from .pairs import Pair, jobs_of, pair_status, pairs_of

LATELY = timedelta(minutes=10)
MOST = 50
Status = Job.Status
TEXTS: dict[type[Job | Pair], dict[str, str]] = {
    Job: {
        Status.SUCCEEDED: gettext_noop("%(name)s is done."),
        Status.FAILED: gettext_noop("%(name)s did not work."),
        Status.CANCELLED: gettext_noop("%(name)s is cancelled."),
    },
    Trial: {
        Status.SUCCEEDED: gettext_noop("The three seconds of %(name)s are done."),
        Status.FAILED: gettext_noop("The three seconds of %(name)s did not work."),
        Status.CANCELLED: gettext_noop("The three seconds of %(name)s are cancelled."),
    },
    BakeOff: {
        Status.SUCCEEDED: gettext_noop("The bake-off of %(name)s can be judged."),
        Status.FAILED: gettext_noop("The bake-off of %(name)s did not work."),
        Status.CANCELLED: gettext_noop("The bake-off of %(name)s is cancelled."),
    },
}
log = logging.getLogger(__name__)


# -- For pages ---------------------------------------------------------------------------------------------------------


def notices_of(user: User) -> list[dict[str, Any]]:
    """What of theirs waits, runs, or ended in the last minutes: {"id", "live", "text", "page"}."""
    since = timezone.now() - LATELY
    pairs: list[Pair] = [pair for model in (Trial, BakeOff) for pair in _stirring(model, user, since)]
    in_pairs = [job.pk for pair in pairs for job in jobs_of(pair)]
    now = Q(status__in=Job.LIVE) | Q(finished_at__gt=since)
    jobs = Job.objects.of(user).filter(now, trial=False).exclude(pk__in=in_pairs)
    return [_notice(thing) for thing in (*pairs, *jobs.without_figures().select_related("source")[:MOST])]


def _stirring(model: Any, user: User, since: Any) -> list[Any]:
    either = Q()
    for side in ("first", "second"):
        either |= Q(**{f"{side}__status__in": Job.LIVE}) | Q(**{f"{side}__finished_at__gt": since})
    return list(pairs_of(model, user).filter(either)[:MOST])


def _notice(thing: Job | Pair) -> dict[str, Any]:
    status = _status(thing)
    live = status in Job.LIVE
    text = "" if live else _(TEXTS[type(thing)][status]) % {"name": thing.source.name}
    return {"id": str(thing.pk), "live": live, "text": text, "page": thing.get_absolute_url()}


def _status(thing: Job | Pair) -> str:
    return thing.status if isinstance(thing, Job) else pair_status(thing)


# -- By mail -----------------------------------------------------------------------------------------------------------


def mail_job_ended(*, job_id: UUID) -> bool:
    """A line to who started it: of a trial or bake-off when the later of its two jobs has ended. True: it was sent."""
    job = Job.objects.select_related("source", "created_by").filter(pk=job_id).first()
    if job is None or job.status not in (Status.SUCCEEDED, Status.FAILED):
        return False
    pair = _pair_with(job)
    if pair is None:
        return _mail_of(job, job.created_by, job.error)
    if pair_status(pair) in Job.LIVE or job.pk != max(jobs_of(pair), key=lambda one: (one.finished_at, one.pk)).pk:
        return False  # the later one says it
    return _mail_of(pair, pair.owner, next((one.error for one in jobs_of(pair) if one.error), ""))


def _pair_with(job: Job) -> Pair | None:
    for model in (Trial, BakeOff):
        found: Pair | None = (
            model._default_manager.select_related("source", "first", "second", "owner")
            .filter(Q(first=job) | Q(second=job))
            .first()
        )
        if found is not None:
            return found
    return None


def _mail_of(thing: Job | Pair, to: User | None, error: str) -> bool:
    text = _(TEXTS[type(thing)][_status(thing)]) % {"name": thing.source.name}
    return mail(to, text, error or _("The result can be watched and downloaded:"), thing.get_absolute_url())


def mail(to: User | None, subject: str, words: str, page: str) -> bool:
    """To somebody who asked for mail, if the portal can send any. page: its path. True: it was sent."""
    if not settings.EMAIL_HOST or to is None or not to.email:
        return False
    if not Preferences.objects.filter(user=to, mail_when_done=True).exists():
        return False
    try:
        send_mail(subject.rstrip("."), f"{words}\n\n{settings.PUBLIC_URL}{page}\n", None, [to.email])
    except OSError:  # smtplib's errors are such
        log.warning("the mail could not be sent: %s", subject, exc_info=True)
        return False
    return True
