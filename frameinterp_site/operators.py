"""The status page of the admin: is all well, who works on what, the last day, and stopping and releasing workers."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Sum
from django.db.models.functions import TruncHour
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from interpolation.admin_tools import audit
from interpolation.models import Job

from .health import checks
from .holds import hold_release, hold_set, work_of
from .models import Hold, Worker
from .workers import SILENT

HOURS = 24


@require_safe
def status_page(request: HttpRequest) -> HttpResponse:
    found = checks()
    context = {
        **admin.site.each_context(request),
        "title": "Status",
        "checks": [(name, check["problems"]) for name, check in found.items()],
        "disk": found["disk"],
        "workers": workers(),
        "holds": Hold.objects.select_related("created_by"),
        "queues": sorted(settings.Q_CLUSTER["ALT_CLUSTERS"]),
        "modes": Hold.Mode.choices,
        "may_hold": request.user.has_perm("frameinterp_site.change_hold"),
        "waiting": waiting_by_user(),
        **last_day(),
        "failures": Job.objects.filter(status=Job.Status.FAILED)
        .without_figures()
        .select_related("source", "project__owner")
        .order_by("-finished_at")[:10],
    }
    return render(request, "admin/status.html", context)


@require_POST
def hold_add(request: HttpRequest) -> HttpResponse:
    require_permission(request)
    queue, mode = request.POST.get("queue", ""), request.POST.get("mode", "")
    if queue not in settings.Q_CLUSTER["ALT_CLUSTERS"] or mode not in Hold.Mode.values:
        messages.error(request, gettext("Choose a queue, and whether to drain or to pause it."))
        return redirect("operator-status")
    user: Any = request.user
    hold = hold_set(
        queue=queue,
        mode=mode,
        host=request.POST.get("host", "").strip(),
        reason=request.POST.get("reason", ""),
        user=user,
    )
    messages.success(request, f"Held: {hold}.")
    return redirect("operator-status")


@require_POST
def hold_remove(request: HttpRequest, pk: int) -> HttpResponse:
    require_permission(request)
    hold, user = get_object_or_404(Hold, pk=pk), request.user
    words = str(hold)
    hold_release(hold=hold, user=user if user.is_authenticated else None)
    messages.success(request, f"Released: {words}.")
    return redirect("operator-status")


@require_POST
def worker_forget(request: HttpRequest, pk: int) -> HttpResponse:
    """A machine that has been taken away for good is not missed any more."""
    require_permission(request)
    worker = get_object_or_404(Worker, pk=pk)
    audit(request, worker, f"forgotten: {worker}")
    worker.delete()
    messages.success(request, f"Forgotten: {worker}.")
    return redirect("operator-status")


def require_permission(request: HttpRequest) -> None:
    if not request.user.has_perm("frameinterp_site.change_hold"):
        raise PermissionDenied(gettext("You may look at this page, but not stop workers."))


def workers() -> list[dict[str, Any]]:
    """Every cluster with its memory, whether it is silent, and what it works on."""
    now = timezone.now()
    return [
        {"worker": worker, "silent": now - worker.seen_at > SILENT, "work": work_of(worker.queue, worker.host)}
        for worker in Worker.objects.all()
    ]


def waiting_by_user() -> list[tuple[str, int]]:
    jobs = Job.objects.alive().filter(status=Job.Status.QUEUED)
    return list(jobs.values_list("created_by__username").annotate(count=Count("pk")).order_by("-count")[:10])


def last_day() -> dict[str, Any]:
    """{"hours": one row for each of the last 24 hours, "day": the sums, "most": of one hour, for the bars}."""
    now = timezone.now()
    first = (now - timedelta(hours=HOURS - 1)).replace(minute=0, second=0, microsecond=0)
    over = Job.objects.filter(finished_at__gte=first).annotate(hour=TruncHour("finished_at"))
    counts: dict[datetime, Counter[str]] = {}
    for hour, status, count in over.values_list("hour", "status").annotate(count=Count("pk")).order_by():
        counts.setdefault(hour, Counter())[status] = count
    work = over.filter(status=Job.Status.SUCCEEDED, started_at__isnull=False).values("hour").order_by()
    sums: dict[datetime, Any] = {
        row["hour"]: row
        for row in work.annotate(frames=Sum("frames_done"), time=Sum(F("finished_at") - F("started_at")))
    }
    hours: list[dict[str, Any]] = []
    for number in range(HOURS):
        hour = first + timedelta(hours=number)
        row, made = counts.get(hour, Counter()), sums.get(hour, {})
        spent = made.get("time") or timedelta()
        hours.append(
            {
                "hour": hour,
                "done": row[Job.Status.SUCCEEDED],
                "failed": row[Job.Status.FAILED],
                "cancelled": row[Job.Status.CANCELLED],
                "frames": made.get("frames") or 0,
                "busy_minutes": round(spent.total_seconds() / 60, 1),
            }
        )
    names = ("done", "failed", "cancelled", "frames", "busy_minutes")
    day = {name: round(sum(hour[name] for hour in hours), 1) for name in names}
    return {"hours": hours, "day": day, "most": max(1, *(hour["done"] + hour["failed"] for hour in hours))}
