"""What several pages need."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from engine.errors import EngineError

from ..models import Job, Source
from ..services import ServiceError

REFUSALS = (EngineError, ServiceError)  # what can be told to the person who asked


class MemberRequest(HttpRequest):
    """A request behind login_required."""

    user: User


def find_source(request: MemberRequest, pk: UUID) -> Source:
    return get_object_or_404(Source.objects.of(request.user).select_related("project"), pk=pk)


def find_job(request: MemberRequest, pk: UUID) -> Job:
    return get_object_or_404(Job.objects.of(request.user).select_related("source", "project", "base"), pk=pk)
