"""The dashboard: of one project, of all that somebody has, of the whole site (administrators)."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ..dashboard import dashboard
from ..models import Job, Project
from .common import MemberRequest, find_project, given_uuid
from .storage import project_storage


@require_safe
@login_required
def metrics(request: MemberRequest) -> HttpResponse:
    site = request.user.is_staff and request.GET.get("scope") == "site"
    wanted = given_uuid(request.GET.get("project"))
    mine = list(Project.objects.of(request.user).order_by("name"))
    project = find_project(request, wanted) if wanted and not site else None
    jobs = Job.objects.alive() if site else Job.objects.of(request.user)
    if project:
        jobs = Job.objects.alive().filter(project=project)
    shown = [project] if project else list(Project.objects.alive()) if site else mine
    context = {
        **dashboard(jobs),
        "site": site,
        "project": project,
        "projects": mine,
        "storage": project_storage(shown, names=not site),
    }
    return render(request, "interpolation/metrics.html", context)
