"""A disk so full that not even a session, a count of calls or a row can be written is said in words."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from engine.disk import FULL
from interpolation.services.disk import DISK_FULL

logger = logging.getLogger("inbetween.disk")

INSUFFICIENT_STORAGE = 507


class FullDiskMiddleware:
    """What a view could not write is answered with 507 and the reason: JSON for scripts, a page for people."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not is_full(exception):
            return None
        logger.error("%s %s: %s", request.method, request.path, exception)
        if request.path.startswith("/api/"):
            return JsonResponse({"detail": _(DISK_FULL)}, status=INSUFFICIENT_STORAGE)
        page = render_to_string("500.html", {"heading": _("The server's disk is full"), "words": _(DISK_FULL)})
        return HttpResponse(page, status=INSUFFICIENT_STORAGE)


def is_full(error: Exception) -> bool:
    """Of files, of SQLite ("database or disk is full") and of PostgreSQL ("could not extend file ...")."""
    if isinstance(error, OperationalError):
        return any(words in str(error) for words in ("disk is full", "No space left on device"))
    return isinstance(error, OSError) and error.errno in FULL
