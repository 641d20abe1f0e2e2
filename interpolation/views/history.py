"""All jobs of a person: searched, filtered, sorted; several at once; two of them side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy
from django.views.decorators.http import require_POST, require_safe

from .. import services
from ..access import Act, require
from ..history import SIZE_WORDS, SORT_WORDS, TRIAL_WORDS, JobFilter, with_quality
from ..models import Job, JobQuerySet, Preview, Project, Source, Tag
from .common import REFUSALS, MemberRequest
from .compared import compared

PAGE = 24
NAMED: dict[str, Any] = {"project": Project, "source": Source}  # filters whose values are numbers of ours
UNDO = "undo_jobs"  # in the session: what the last click deleted


@require_safe
@login_required
def history(request: MemberRequest) -> HttpResponse:
    mine = Job.objects.of(request.user)
    models = mine.exclude(model_name="").order_by("model_name").values_list("model_name", flat=True).distinct()
    found = JobFilter(request.GET, with_quality(mine), models)
    jobs = _listed(found.qs)
    page = Paginator(jobs, PAGE).get_page(request.GET.get("page"))
    pairs = services.pairs_with(page, request.user)
    usual = services.default_model()
    for job in page:
        job.percent = services.overall_percent(job)  # type: ignore[attr-defined]
        job.pair = pairs.get(job.pk)  # type: ignore[attr-defined]
        job.differs = usual is not None and services.would_differ(job, usual)  # type: ignore[attr-defined]
    context = {
        "page": page,
        "usual": usual,
        "filter": found,
        "asked": request.GET,
        "narrowed": found.narrowed,
        "undoable": _undoable(found, request.user),
        "anything": bool(page.paginator.count) or found.narrowed or mine.exists(),
        "sorts": SORT_WORDS,
        "sizes": SIZE_WORDS,
        "trials": TRIAL_WORDS,
        "statuses": Job.Status.choices,
        "models": models,
        "projects": Project.objects.of(request.user).order_by("name"),
        "any_live": any(job.is_live for job in page),
        "query": _without_page(request.GET),
        "tags": Tag.objects.filter(jobs__in=mine).order_by("name").values_list("name", flat=True).distinct(),
        "undo": _to_undo(request),
    }
    template = "interpolation/_history_list.html" if request.headers.get("HX-Request") else "interpolation/history.html"
    return render(request, template, context)


def _listed(jobs: JobQuerySet) -> JobQuerySet:
    posters = Prefetch("previews", Preview.objects.filter(kind=Preview.Kind.POSTER), to_attr="posters")
    return jobs.without_figures().select_related("source", "project").prefetch_related(posters, "tags")


def _without_page(asked: QueryDict) -> str:
    """The address's question without the page, and without what is empty."""
    kept = QueryDict(mutable=True)
    for name, values in asked.lists():
        if name != "page" and any(values):
            kept.setlist(name, [value for value in values if value])
    return kept.urlencode()


def _undoable(found: JobFilter, user: User) -> list[tuple[str, str, str]]:
    """What is asked for, one by one: (which filter, its value in words, the address's question without it)."""
    rows = []
    for name, filter_ in found.filters.items():
        values = [value for value in found.data.getlist(name) if value]
        if not values or name == "sort":
            continue
        words: dict[str, Any] = {str(value): label for value, label in filter_.extra.get("choices", ())}
        if name in NAMED and name not in found.form.errors:
            words = {str(one.pk): one.name for one in NAMED[name].objects.all().of(user).filter(pk__in=values)}
        rest = found.data.copy()
        del rest[name]
        rows.append((filter_.label, ", ".join(str(words.get(value, value)) for value in values), _without_page(rest)))
    return rows


def _to_undo(request: MemberRequest) -> list[str]:
    """What was deleted by the last click, if it can still be brought back: said on the next whole page, once."""
    if request.headers.get("HX-Request"):
        return []
    return [str(pk) for pk in request.session.pop(UNDO, [])]


@require_POST
@login_required
def history_act(request: MemberRequest) -> HttpResponse:
    """Do one thing to all ticked jobs. What one of them refuses is said, and the others are done."""
    action, ticked = request.POST.get("action", ""), _uuids(request.POST.getlist("job"))
    known = Job.objects.deleted_of(request.user) if action == "restore" else Job.objects.of(request.user)
    jobs = list(known.filter(pk__in=ticked).select_related("source", "project"))
    if action == "compare":
        return _to_compare(request, jobs)
    if not jobs:
        messages.error(request, _("Tick the jobs that this is meant for."))
    elif action in ACTIONS:
        done = _do(request, jobs, ACTIONS[action])
        if action == "delete":
            request.session[UNDO] = [str(job.pk) for job in done]
    return redirect(_back(request))


def _delete(request: MemberRequest, job: Job) -> None:
    services.job_delete(job=job, user=request.user)


def _tag(request: MemberRequest, job: Job) -> None:
    """Adds the tags that were typed to those it has."""
    added = request.POST.get("tags", "").split(",")
    services.job_tag(job=job, tags=[*job.tags.values_list("name", flat=True), *added])


def _again(request: MemberRequest, job: Job) -> None:
    """The same settings once more, drawn by whatever model is the default now."""
    services.job_again(job=job, user=request.user)


ACTIONS: dict[str, Callable[[MemberRequest, Job], None]] = {
    "cancel": lambda request, job: services.job_cancel(job=job),
    "retry": lambda request, job: services.job_retry(job=job),
    "restore": lambda request, job: services.job_restore(job=job),
    "delete": _delete,
    "tag": _tag,
    "again": _again,
}
DONE = {
    "cancel": ngettext_lazy("%d job cancelled.", "%d jobs cancelled."),
    "retry": ngettext_lazy("%d job goes on.", "%d jobs go on."),
    "restore": ngettext_lazy("%d job is back.", "%d jobs are back."),
    "delete": ngettext_lazy("%d job deleted.", "%d jobs deleted."),
    "again": ngettext_lazy("%d job runs again with the default model.", "%d jobs run again with the default model."),
    "tag": ngettext_lazy("%d job tagged.", "%d jobs tagged."),
}


def _uuids(values: list[str]) -> list[UUID]:
    found = []
    for value in values:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found


def _do(request: MemberRequest, jobs: list[Job], act: Callable[[MemberRequest, Job], None]) -> list[Job]:
    done = []
    for job in jobs:
        try:
            require(request.user, Act.CHANGE, job)
            act(request, job)
            done.append(job)
        except (*REFUSALS, PermissionDenied) as error:
            messages.warning(request, f"{job.source.name}: {error}")
    if done:
        messages.success(request, DONE[request.POST["action"]] % len(done))
    return done


def _to_compare(request: MemberRequest, jobs: list[Job]) -> HttpResponse:
    ready = [job for job in jobs if job.status == Job.Status.SUCCEEDED]
    if len(ready) != 2 or ready[0].source_id != ready[1].source_id:
        messages.error(request, _("Tick two finished jobs of the same source to compare them."))
        return redirect(_back(request))
    first, second = sorted(ready, key=lambda job: job.created_at)
    return redirect(f"{reverse('compare')}?a={first.pk}&b={second.pk}")


def _back(request: MemberRequest) -> str:
    """The history as it was filtered."""
    given = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(given, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return given if given.startswith("/") and safe else reverse("history")


@require_safe
@login_required
def compare(request: MemberRequest) -> HttpResponse:
    """Two finished jobs of one source, side by side or one over the other."""
    wanted = [request.GET.get(side, "") for side in ("a", "b")]
    jobs = {
        str(job.pk): job
        for job in Job.objects.reachable_by(request.user)
        .filter(pk__in=_uuids(wanted), status=Job.Status.SUCCEEDED)
        .select_related("source", "project")
    }
    if not all(pk in jobs for pk in wanted):
        raise Http404
    first, second = (jobs[pk] for pk in wanted)
    if first.source_id != second.source_id:
        raise Http404
    return render(request, "interpolation/compare.html", compared(first, second))
