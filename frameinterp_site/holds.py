"""Stopping and releasing the workers. The apps ask `held` (settings.QUEUE_HOLD) before they take work."""

from __future__ import annotations

import logging
import os
import socket

import psutil
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from interpolation.models import Job
from interpolation.services.queue import wake as wake_jobs
from training.models import TrainingRun
from training.services import wake as wake_training

from .models import Hold

WAKE = {"interpolation": wake_jobs, "training": wake_training}
WAITS = {
    frozenset({"interpolation"}): _("New jobs wait."),
    frozenset({"training"}): _("Training waits."),
    frozenset({"interpolation", "training"}): _("New jobs and training wait."),
}
DONE = {
    Hold.Mode.DRAIN: _("An administrator lets what runs finish and starts nothing new for now. All keeps its place."),
    Hold.Mode.PAUSE: _("An administrator has paused the work. What ran is put back and goes on later where it was."),
}
SHELL = "(command line)"  # the account that the audit log names for it: nobody can sign up so, nobody can sign in
log = logging.getLogger(__name__)


def held(queue: str, host: str = "") -> str:
    """ "" while work is taken; else the mode. Of a hold for all machines and one for this, the stricter."""
    machines = Q(host="") | Q(host=host) if host else Q(host="")
    modes = set(Hold.objects.filter(machines, queue=queue).values_list("mode", flat=True))
    return next((mode.value for mode in (Hold.Mode.PAUSE, Hold.Mode.DRAIN) if mode.value in modes), "")


@transaction.atomic
def hold_set(*, queue: str, mode: str, host: str = "", reason: str = "", user: User | None = None) -> Hold:
    """No new work is taken from now on; with "pause", what runs is put back as well. No user: somebody at a shell."""
    given = {"mode": Hold.Mode(mode), "reason": " ".join(reason.split())[:200], "created_by": user}
    hold, _made = Hold.objects.update_or_create(queue=queue, host=host[:80], defaults=given)
    _audit(hold, f"workers held: {hold} ({hold.reason or 'no reason given'})", user)
    return hold


def hold_release(*, hold: Hold, user: User | None = None) -> None:
    """Work is taken again, at once. No user: somebody at a shell."""
    with transaction.atomic():
        _audit(hold, f"workers released: {hold}", user)
        hold.delete()
    if hold.queue in WAKE:  # messages of other queues have waited in their place
        WAKE[hold.queue]()


def _audit(hold: Hold, words: str, user: User | None) -> None:
    """Into the log and the audit log. Of a shell the machine knows the user; the portal has only an account for all."""
    if user is None:
        words = f"{words}, by {shell_user()}"
        user, _made = User.objects.get_or_create(username=SHELL, defaults={"is_active": False, "password": "!"})
    log.warning("%s [%s]", words, user)
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(Hold),
        object_id=str(hold.pk),
        object_repr=str(hold)[:200],
        action_flag=CHANGE,
        change_message=words,
    )


def shell_user() -> str:
    """Who runs this process and where, as the machine says: "root on render-1", "root (sudo by alice) on render-1"."""
    person = os.environ.get("SUDO_USER", "")
    return f"{psutil.Process().username()}{f' (sudo by {person})' if person else ''} on {socket.gethostname()}"


def in_words(holds: list[Hold]) -> list[str]:
    """For everybody, once where jobs and training are held alike. Nobody waits on a page for webhooks."""
    queues: dict[tuple[str, str, str], set[str]] = {}
    for hold in holds:
        if hold.queue in WAKE:
            queues.setdefault((hold.mode, hold.host, hold.reason), set()).add(hold.queue)
    found = []
    for (mode, host, reason), waiting in queues.items():
        sentences: list[object] = [WAITS[frozenset(waiting)], DONE[Hold.Mode(mode)]]
        sentences += [gettext("This is so on %(machine)s only.") % {"machine": host}] if host else []
        sentences += [gettext("The reason: %(reason)s.") % {"reason": reason.rstrip(".")}] if reason else []
        found.append(" ".join(map(str, sentences)))
    return found


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

    def holds() -> list[Hold]:
        return list(Hold.objects.all()) if request.user.is_authenticated else []

    def alarms() -> list[str]:
        return problems_now() if request.user.is_staff else []

    return {"holds": holds, "hold_words": lambda: in_words(holds()), "alarms": alarms}
