"""Times in pages are those of whoever looks at them."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

KEY = "time_zone"  # in the session: chosen on the account page; as a cookie: what the browser says


class LocalTimeMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        zone = zone_of(request.session.get(KEY) or request.COOKIES.get(KEY, ""))
        with timezone.override(zone) if zone else timezone.override(timezone.get_default_timezone()):
            return self.get_response(request)


def zone_of(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
