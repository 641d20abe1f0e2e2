"""Telling other programs that a job has changed. What is sent is made and sent in interpolation/hooks.py.

A delivery is a row; a message in the queue of webhooks points at it. When sending fails it is tried again after longer
and longer pauses, for which the reaper sends the messages.
"""

from __future__ import annotations

import ipaddress
import logging
import secrets
from collections.abc import Iterable
from datetime import timedelta
from fnmatch import fnmatchcase
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from interpolation.models import BakeOff, Delivery, Job, Project, Trial, Webhook

from .errors import ServiceError

CLUSTER = "webhooks"
TASK = "interpolation.hooks.deliver"
PING = "ping"
EVENTS = {  # by the status a job has come to
    Job.Status.RUNNING: "job.running",
    Job.Status.SUCCEEDED: "job.succeeded",
    Job.Status.FAILED: "job.failed",
    Job.Status.CANCELLED: "job.cancelled",
}
TRIAL, BAKE_OFF = "trial.ended", "bakeoff.ended"  # when neither of both films is drawn any more, however it went
ALL = [*EVENTS.values(), TRIAL, BAKE_OFF]
OVER = ["job.succeeded", "job.failed", "job.cancelled"]
PAUSES = (10, 60, 300, 1800, 7200, 21600)  # seconds before the second, third ... try
CLAIMED = timedelta(seconds=120)  # a try takes less; whoever claimed it and died is overtaken then
KEPT = timedelta(days=30)
MOST = 20  # webhooks of one project, those of single jobs not counted
log = logging.getLogger(__name__)


def webhook_create(
    *,
    project: Project,
    user: User,
    url: str,
    job: Job | None = None,
    secret: str = "",
    events: Iterable[str] = (),
    portal: str = "",
) -> Webhook:
    """An address that is told of a project's jobs, or of `job` alone. portal: "https://host/", for addresses sent.

    Raises:
        ServiceError: an address that may not be called, an event that does not exist, or too many.
    """
    checked_url(url)
    chosen = list(dict.fromkeys(events)) or OVER
    unknown = sorted(set(chosen) - set(ALL))
    if unknown:
        raise ServiceError(
            _("There is no event %(unknown)s. Choose of: %(choices)s.")
            % {"unknown": unknown[0], "choices": ", ".join(ALL)}
        )
    if job is None and project.webhooks.filter(job=None).count() >= MOST:
        raise ServiceError(_("This project has %(most)s webhooks already; delete one first.") % {"most": MOST})
    return Webhook.objects.create(
        project=project,
        job=job,
        created_by=user,
        url=url,
        secret=secret or secrets.token_urlsafe(32),
        events=chosen,
        portal=portal[:200],
    )


def webhook_delete(*, webhook: Webhook) -> None:
    webhook.delete()


def webhook_ping(*, webhook: Webhook) -> Delivery:
    """A message that says nothing, to see whether it arrives."""
    with transaction.atomic():
        return _send_on_commit(Delivery(webhook=webhook, event=PING))


def delivery_repeat(*, delivery: Delivery) -> None:
    """Try again now, whatever became of it: with the same words under the same number."""
    again = {"status": Delivery.Status.PENDING, "attempts": 0, "next_at": timezone.now(), "finished_at": None}
    with transaction.atomic():
        Delivery.objects.filter(pk=delivery.pk).update(**again)
        transaction.on_commit(lambda: send(delivery.pk), robust=True)
    delivery.refresh_from_db()


def job_told(job_ids: Iterable[UUID | str], status: str) -> None:
    """To be called in the transaction in which jobs come to `status`: a delivery for everybody who wants to know."""
    job_ids = list(job_ids)
    event = EVENTS.get(Job.Status(status))
    if event is None:
        return
    for job in Job.objects.filter(pk__in=job_ids, status=status).only("pk", "project_id"):
        hooks = Webhook.objects.filter(Q(job=job.pk) | Q(job=None), project=job.project_id)
        for webhook in hooks:
            if event in webhook.events:
                _send_on_commit(Delivery(webhook=webhook, job=job, event=event))
    if event in OVER:
        _pairs_told(job_ids)


def _pairs_told(jobs: list[UUID | str]) -> None:
    """A delivery for every trial and bake-off that is over with these jobs.

    Its row is locked: of two jobs that end at the same moment the later transaction sees both as over.
    """
    for model, name, event in ((Trial, "trial", TRIAL), (BakeOff, "bake_off", BAKE_OFF)):
        for pair in model._default_manager.select_for_update().filter(Q(first__in=jobs) | Q(second__in=jobs)):
            if Job.objects.filter(pk__in=(pair.first_id, pair.second_id), status__in=Job.LIVE).exists():
                continue
            for webhook in Webhook.objects.filter(job=None, project__sources=pair.source_id):
                if event in webhook.events:
                    _send_on_commit(Delivery(webhook=webhook, event=event, **{name: pair}))


def _send_on_commit(delivery: Delivery) -> Delivery:
    delivery.next_at = timezone.now()
    delivery.save()
    transaction.on_commit(lambda: send(delivery.pk), robust=True)
    return delivery


def send(delivery_id: UUID) -> None:
    async_task(TASK, str(delivery_id), q_options={"cluster": CLUSTER, "task_name": f"webhook {delivery_id}"})


# -- What a worker does ------------------------------------------------------------------------------------------------


def delivery_claim(*, delivery_id: UUID | str) -> Delivery | None:
    """One try. None: somebody else has it, it is not due, or it is over."""
    now = timezone.now()
    due = Delivery.objects.filter(pk=delivery_id, status=Delivery.Status.PENDING, next_at__lte=now)
    lost = due.filter(attempts__gte=settings.WEBHOOK_ATTEMPTS)  # the last try never came to its end
    lost.update(status=Delivery.Status.FAILED, next_at=None, finished_at=now)
    if not due.update(attempts=F("attempts") + 1, next_at=now + CLAIMED):
        return None
    return Delivery.objects.select_related("webhook", "job").filter(pk=delivery_id).first()


def delivery_done(*, delivery: Delivery, answer_status: int | None, answer: str, error: str, seconds: float) -> None:
    """Write down how a try went; when it went wrong, when the next one is."""
    now = timezone.now()
    good = answer_status is not None and 200 <= answer_status < 300
    tried_enough = delivery.attempts >= settings.WEBHOOK_ATTEMPTS
    status = Delivery.Status.DELIVERED if good else Delivery.Status.FAILED if tried_enough else Delivery.Status.PENDING
    pause = PAUSES[min(delivery.attempts, len(PAUSES)) - 1]
    over = status != Delivery.Status.PENDING
    Delivery.objects.filter(pk=delivery.pk).update(
        status=status,
        payload=delivery.payload,
        answer_status=answer_status,
        answer=answer.replace("\0", "�"),
        error=error[:300],
        seconds=round(seconds, 3),
        next_at=None if over else now + timedelta(seconds=pause),
        finished_at=now if over else None,
    )
    if status == Delivery.Status.FAILED:
        log.warning("webhook given up: %s", error or f"answered {answer_status}", extra={"job": delivery.job_id})


def deliveries_due() -> list[UUID]:
    """For the reaper: those whose pause is over, or whose message was lost."""
    soon = timezone.now() - timedelta(seconds=2)  # the first message of a new one is on its way
    due = Delivery.objects.filter(status=Delivery.Status.PENDING, next_at__lte=soon)
    return list(due.values_list("pk", flat=True)[:100])


def deliveries_forget() -> None:
    Delivery.objects.filter(created_at__lt=timezone.now() - KEPT).exclude(status=Delivery.Status.PENDING).delete()


# -- Which addresses ---------------------------------------------------------------------------------------------------


def checked_url(url: str) -> SplitResult:
    """The parts of an address that may be called. Where its name leads is checked when it is called.

    Raises ServiceError with what is wrong.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ServiceError(_("This is no address: %(error)s.") % {"error": error}) from error
    if any(sign.isspace() or not sign.isprintable() for sign in url) or not url.isascii():
        raise ServiceError(_("The address holds spaces or other signs that have to be written as %20 and so on."))
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ServiceError(_("Give an address that begins with https:// or http://."))
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ServiceError(_("Leave name, password and # out of the address; calls are signed instead."))
    allowed = settings.WEBHOOK_HOSTS
    if allowed and not any(fnmatchcase(parts.hostname.lower(), pattern.lower()) for pattern in allowed):
        raise ServiceError(
            _("%(hostname)s is not among the hosts that may be called: %(choices)s.")
            % {"hostname": parts.hostname, "choices": ", ".join(allowed)}
        )
    try:
        address = ipaddress.ip_address(parts.hostname)
    except ValueError:
        if not settings.WEBHOOK_PRIVATE and parts.hostname.lower().rstrip(".") == "localhost":
            raise ServiceError(private_words(parts.hostname)) from None
    else:
        require_public(address)
    return parts


def require_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """Raises ServiceError for addresses of this machine and of networks inside, unless the settings allow them."""
    if settings.WEBHOOK_PRIVATE:
        return
    meant: ipaddress.IPv4Address | ipaddress.IPv6Address = address
    if isinstance(address, ipaddress.IPv6Address):
        meant = _inner(address) or address
    if not meant.is_global or meant.is_multicast or meant.is_reserved:
        raise ServiceError(private_words(str(address)))


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one only stands for: mapped, 6to4, NAT64."""
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def private_words(host: str) -> str:
    return _(
        "%(host)s lies inside this network, where the portal may not call (INBETWEEN_WEBHOOK_PRIVATE=1 allows it; "
        "ask the administrator)."
    ) % {"host": host}
