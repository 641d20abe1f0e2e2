"""What several pages need."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from engine.errors import EngineError

from ..access import Act, find
from ..models import Job, Project, Source
from ..services import ServiceError

REFUSALS = (EngineError, ServiceError)  # what can be told to the person who asked


class MemberRequest(HttpRequest):
    """A request behind login_required."""

    user: User


def find_project(request: MemberRequest, pk: UUID, act: Act = Act.SEE) -> Project:
    return find(Project.objects.select_related("owner"), request.user, act, pk)


def find_source(request: MemberRequest, pk: UUID, act: Act = Act.SEE) -> Source:
    return find(Source.objects.select_related("project"), request.user, act, pk)


def find_job(request: MemberRequest, pk: UUID, act: Act = Act.SEE) -> Job:
    return find(Job.objects.select_related("source", "project", "base"), request.user, act, pk)


def given_uuid(text: str | None) -> UUID | None:
    """What stands in an address, if it is there. Raises Http404 for what is no number of ours."""
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error


def page_or_anew(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """The page; when one that waits asks for it again and there are two films now, the word to load it anew: scripts
    start with a page, not with a fragment of it."""
    response = render(request, template, context)
    if request.headers.get("HX-Request") and "sides" in context:
        response["HX-Refresh"] = "true"
    return response
