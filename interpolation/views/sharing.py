"""Members of a project, links to a result, and what somebody sees who comes by a link."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from axes.helpers import get_client_ip_address
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from .. import services
from ..access import Act, Role, is_open, link_for, may, open_link
from ..models import Member, ShareLink
from .common import REFUSALS, MemberRequest, find_job, find_project
from .results import results

DAYS = [
    ("1", gettext_lazy("One day")),
    ("7", gettext_lazy("A week")),
    ("30", gettext_lazy("30 days")),
    ("365", gettext_lazy("A year")),
    ("", gettext_lazy("No end")),
]
SHARED = {
    Role.VIEWER: gettext_lazy("%(name)s is viewer of this project."),
    Role.EDITOR: gettext_lazy("%(name)s is editor of this project."),
    Role.OWNER: gettext_lazy("%(name)s is owner of this project."),
}


@require_safe
@login_required
def people(request: MemberRequest, pk: UUID, status: int = 200, **more: Any) -> HttpResponse:
    found = find_project(request, pk)
    context = {
        "project": found,
        "members": found.members.select_related("user"),
        "roles": Role.choices,
        "may_manage": may(request.user, Act.MANAGE, found),
    }
    return render(request, "interpolation/people.html", context | more, status=status)


@require_POST
@login_required
def member_set(request: MemberRequest, pk: UUID) -> HttpResponse:
    found = find_project(request, pk, Act.MANAGE)
    username, role = request.POST.get("username", ""), request.POST.get("role", "")
    try:
        member = services.member_set(project=found, username=username, role=role)
    except REFUSALS as error:
        messages.error(request, str(error))
    else:
        messages.success(request, SHARED[Role(member.role)] % {"name": member.user.username})
    return redirect("people", found.pk)


@require_POST
@login_required
def member_remove(request: MemberRequest, pk: UUID, member: int) -> HttpResponse:
    """Owners remove anybody; everybody may leave."""
    found = find_project(request, pk)
    row = get_object_or_404(Member, project=found, pk=member)
    if row.user_id != request.user.pk:
        find_project(request, pk, Act.MANAGE)
    services.member_remove(member=row)
    if row.user_id == request.user.pk:
        messages.success(request, _("You have left “%(name)s”.") % {"name": found.name})
        return redirect("projects")
    messages.success(request, _("%(name)s does not see this project any more.") % {"name": row.user.username})
    return redirect("people", found.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@sensitive_post_parameters("password")
def job_links(request: MemberRequest, pk: UUID) -> HttpResponse:
    """The links to a job's result, and a form for one more."""
    found = find_job(request, pk, Act.MANAGE)
    if request.method == "POST":
        days = request.POST.get("days", "")
        try:
            services.share_link_create(
                job=found,
                user=request.user,
                expires_at=timezone.now() + timedelta(days=int(days)) if days in dict(DAYS) and days else None,
                password=request.POST.get("password", ""),
            )
        except REFUSALS as error:
            messages.error(request, str(error))
        return redirect("job-links", found.pk)
    links = [
        {"link": link, "address": request.build_absolute_uri(link.get_absolute_url())}
        for link in found.share_links.filter(revoked_at__isnull=True).select_related("created_by")
    ]
    context = {"job": found, "project": found.project, "source": found.source, "links": links, "days": DAYS}
    return render(request, "interpolation/job_links.html", context)


@require_POST
@login_required
def link_revoke(request: MemberRequest, pk: UUID, link: UUID) -> HttpResponse:
    found = find_job(request, pk, Act.MANAGE)
    services.share_link_revoke(link=get_object_or_404(ShareLink, job=found, pk=link))
    messages.success(request, _("The link is revoked. Who has it sees nothing any more."))
    return redirect("job-links", found.pk)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """One job's result, for whoever has the address, and its password if it has one."""
    link = link_for(token)
    if link is None:
        raise Http404
    if request.method == "POST" or not is_open(request.session, link):
        password, wrong = request.POST.get("password", ""), ""
        try:
            if services.share_link_unlock(link=link, password=password, address=str(get_client_ip_address(request))):
                open_link(request.session, link)
                services.share_link_opened(link=link)
            elif request.method == "POST":
                wrong = _("This is not the password.")
        except REFUSALS as error:
            wrong = str(error)
        if not is_open(request.session, link) or wrong:
            door = {"wrong": wrong, "token": token}
            return no_trace(render(request, "interpolation/shared_door.html", door, status=422 if wrong else 200))
        if request.method == "POST":
            return redirect("shared", token)
    job = link.job
    context: dict[str, Any] = {"job": job, "link": link, "source": _without_source_files(job.source), **results(job)}
    return no_trace(render(request, "interpolation/shared.html", context))


def _without_source_files(source: Any) -> Any:
    """Its name and facts are shown; its files are not what was shared."""
    source.poster = source.file = source.file2 = ""
    return source


def no_trace(response: HttpResponse) -> HttpResponse:
    """Search engines shall not learn the address. Nor does another site: SECURE_REFERRER_POLICY is same-origin."""
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
