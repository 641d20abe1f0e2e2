"""Answers kept for calls that are made again with the same `Idempotency-Key`."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from interpolation.models import KeptAnswer

KEPT = timedelta(hours=24)
ABANDONED = timedelta(hours=1)  # a first call that has not ended by then never will: its process died


def answer_begin(*, user: User, key: str, fingerprint: str) -> KeptAnswer | None:
    """None: this call is the first with its key, and is to be answered. Else what was kept of the first."""
    now = timezone.now()
    mine = KeptAnswer.objects.filter(user=user, key=key)
    mine.filter(created_at__lt=now - KEPT).delete()
    mine.filter(created_at__lt=now - ABANDONED, status=None).delete()
    try:
        with transaction.atomic():
            KeptAnswer.objects.create(user=user, key=key, fingerprint=fingerprint)
    except IntegrityError:
        return mine.first()
    return None


def answer_keep(*, user: User, key: str, status: int, content_type: str, body: str) -> None:
    """What was made is told again. A refusal made nothing, so the key may be used again, for a better call, too."""
    mine = KeptAnswer.objects.filter(user=user, key=key, status=None)
    if 200 <= status < 300:
        mine.update(status=status, content_type=content_type[:100], body=body)
    else:
        mine.delete()


def answers_forget() -> None:
    KeptAnswer.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
