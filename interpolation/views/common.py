"""What several pages need."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest

from engine.errors import EngineError

from ..services import ServiceError

REFUSALS = (EngineError, ServiceError)  # what can be told to the person who asked


class MemberRequest(HttpRequest):
    """A request behind login_required."""

    user: User
