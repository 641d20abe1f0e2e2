"""What the admin's actions share: each calls one service for every row, and all that was done is in the audit log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext

from engine.errors import EngineError

from .services import ServiceError


def audit(request: HttpRequest, thing: Model, words: str) -> None:
    """One line of the audit log: who did what with which row."""
    user: Any = request.user.pk
    LogEntry.objects.log_actions(user, [thing], CHANGE, change_message=words, single_object=True)


def each(
    request: HttpRequest, things: Iterable[Any], service: Callable[[Any], object], done: str, which: str = ""
) -> None:
    """Does it with every one, says what could not be done, and writes down what was.

    Args:
        done: what, a text that gettext knows. which: for the audit log, where the row itself will be gone.
    """
    count = 0
    for thing in things:
        try:
            if service(thing) is False:
                continue
        except (ServiceError, EngineError) as error:
            messages.error(request, f"{thing}: {error}")
            continue
        audit(request, thing, done + which)
        count += 1
    if count:
        messages.success(request, f"{capfirst(gettext(done))}: {count}.")


class ReadOnly(admin.ModelAdmin):
    """Rows that are looked at; services change them."""

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
