"""Who is asking, when a proxy of ours stands in front."""

from __future__ import annotations

from django.http import HttpRequest


def client_ip(request: HttpRequest) -> str:
    """The address our own proxy saw: the last of X-Forwarded-For. Earlier ones are what the client claims."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")[-1].strip()
    return forwarded or request.META.get("REMOTE_ADDR", "")
