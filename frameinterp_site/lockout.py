"""What somebody sees after too many wrong passwords."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import ngettext


def locked_out(request: HttpRequest, response: HttpResponse | None = None, credentials: Any = None) -> HttpResponse:
    """Words that say when to try again: JSON for scripts, the sign-in page for people."""
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    words = ngettext(
        "Too many wrong passwords for this name. Try again in %(count)s minute.",
        "Too many wrong passwords for this name. Try again in %(count)s minutes.",
        minutes,
    ) % {"count": minutes}
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": words}, status=429)
    messages.error(request, words)
    return redirect(settings.LOGIN_URL)
