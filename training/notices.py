"""Word that a run is over: for the pages of who started it, and by mail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from .models import TrainingRun

LATELY = timedelta(minutes=10)
MOST = 20
Status = TrainingRun.Status
TEXTS: dict[str, str] = {
    Status.SUCCEEDED: gettext_noop("The training of %(name)s is done."),
    Status.FAILED: gettext_noop("The training of %(name)s did not work."),
    Status.CANCELLED: gettext_noop("The training of %(name)s is stopped."),
}


def notices_of(user: User) -> list[dict[str, Any]]:
    """What of theirs waits, runs, or ended in the last minutes: {"id", "live", "text", "page"}."""
    now = Q(status__in=TrainingRun.LIVE) | Q(finished_at__gt=timezone.now() - LATELY)
    runs = TrainingRun.objects.filter(now, owner=user.pk).defer("curve")[:MOST]
    return [
        {
            "id": str(run.pk),
            "live": run.is_live,
            "text": "" if run.is_live else _text(run),
            "page": run.get_absolute_url(),
        }
        for run in runs
    ]


def _text(run: TrainingRun) -> str:
    return _(TEXTS[run.status]) % {"name": run.name}


def mail_run_ended(*, run_id: UUID) -> bool:
    """A line to who started it, if they asked for mail; none for what a person stopped. True: it was sent."""
    run = TrainingRun.objects.select_related("owner").filter(pk=run_id).defer("curve").first()
    if run is None or run.status not in (Status.SUCCEEDED, Status.FAILED):
        return False
    words = run.error or _("Its figures and pictures can be looked at:")
    sent: bool = import_string(settings.TRAINING_MAIL)(run.owner, _text(run), words, run.get_absolute_url())
    return sent
