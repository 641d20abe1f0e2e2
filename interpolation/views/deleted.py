"""Deleting jobs, what has been deleted, and bringing it back; tags and notes of jobs."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from .. import services
from ..access import Act, require
from ..models import Job, Project, Source
from .common import REFUSALS, MemberRequest, find_job, find_project
from .projects import say_deleted


@require_safe
@login_required
def deleted(request: MemberRequest) -> HttpResponse:
    """What this user could bring back: of shared projects too."""
    context = {
        "projects": Project.objects.deleted_of(request.user).order_by("-deleted_at"),
        "sources": Source.objects.deleted_of(request.user).select_related("project").order_by("-deleted_at"),
        "jobs": Job.objects.deleted_of(request.user)
        .without_figures()
        .select_related("project", "source")
        .order_by("-deleted_at"),
    }
    return render(request, "interpolation/deleted.html", context)


@require_POST
@login_required
def restore(request: MemberRequest, kind: str, pk: UUID) -> HttpResponse:
    """kind: "project", "source" or "job"."""
    thing: Project | Source | Job
    try:
        if kind == "project":
            thing = get_object_or_404(Project.objects.deleted_of(request.user), pk=pk)
            require(request.user, Act.MANAGE, thing)
            services.project_restore(project=thing)
        elif kind == "source":
            thing = get_object_or_404(Source.objects.deleted_of(request.user), pk=pk)
            require(request.user, Act.CHANGE, thing)
            services.source_restore(source=thing)
        elif kind == "job":
            thing = get_object_or_404(Job.objects.deleted_of(request.user), pk=pk)
            require(request.user, Act.CHANGE, thing)
            services.job_restore(job=thing)
        else:
            raise Http404
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect("deleted")
    name = thing.source.name if isinstance(thing, Job) else thing.name
    messages.success(request, _("“%(name)s” is back.") % {"name": name})
    return redirect(thing.project if isinstance(thing, Source) else thing)


@require_POST
@login_required
def job_delete(request: MemberRequest, pk: UUID) -> HttpResponse:
    found = find_job(request, pk, Act.CHANGE)
    try:
        services.job_delete(job=found, user=request.user)
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect(found)
    say_deleted(request, _("The job of “%(name)s” is deleted.") % {"name": found.source.name}, "job", found.pk)
    return redirect(found.project)


@require_POST
@login_required
def job_words(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Tags, separated by commas, and notes."""
    found = find_job(request, pk, Act.CHANGE)
    try:
        services.job_tag(job=found, tags=request.POST.get("tags", "").split(","))
        services.job_note(job=found, notes=request.POST.get("notes", ""))
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect(found)


@require_POST
@login_required
def project_rename(request: MemberRequest, pk: UUID) -> HttpResponse:
    found = find_project(request, pk, Act.MANAGE)
    try:
        services.project_rename(project=found, name=request.POST.get("name", ""))
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect(found)
