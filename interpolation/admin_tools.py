"""What the admin's actions share: each calls one service for every row, and all that was done is in the audit log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model
from django.http import HttpRequest

from engine.errors import EngineError

from .services import ServiceError


def audit(request: HttpRequest, thing: Model, words: str) -> None:
    """One line of the audit log: who did what with which row."""
    user: Any = request.user.pk
    LogEntry.objects.log_actions(user, [thing], CHANGE, change_message=words, single_object=True)


def each(request: HttpRequest, things: Iterable[Any], service: Callable[[Any], object], told: Any, done: str) -> None:
    """Does it with every one, says what could not be done, and writes down what was.

    Args:
        told: of the number of rows, for who has clicked: `ngettext_lazy` with `count`.
        done: for the audit log.
    """
    count = 0
    for thing in things:
        try:
            if service(thing) is False:
                continue
        except (ServiceError, EngineError) as error:
            messages.error(request, f"{thing}: {error}")
            continue
        audit(request, thing, done)
        count += 1
    if count:
        messages.success(request, told % {"count": count})


class ReadOnly(admin.ModelAdmin):
    """Rows that are looked at; services change them."""

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
