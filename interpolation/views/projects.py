"""Home, the list of projects, and one project with its sources and jobs."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, OuterRef, Prefetch, Q, Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from engine.config import MAX_INBETWEEN, RenderOptions

from .. import services
from ..access import Act, may
from ..forms import ProjectForm, UploadForm
from ..models import Job, Preview, Project, ResumableUpload, Source
from ..services.uploads import MAX_FILES
from .common import REFUSALS, MemberRequest, find_project, find_source


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this is, for strangers; their projects, for users."""
    if request.user.is_authenticated:
        return redirect("projects")
    return render(request, "interpolation/landing.html", {"signup": settings.SIGNUP})


def say_deleted(request: HttpRequest, words: str, kind: str, pk: UUID) -> None:
    """The notice of a deletion: how long it can be taken back, and the button that does so (base.html makes it of
    the address in `extra_tags`)."""
    if not settings.UNDO_DAYS:
        messages.success(request, words)
        return
    until = _("It can be brought back for %(days)s days.") % {"days": f"{settings.UNDO_DAYS:g}"}
    messages.success(request, f"{words} {until}", extra_tags=reverse("restore", args=[kind, pk]))


def _jobs_of(project: Project) -> list[Job]:
    """Each job with its source, `posters` (its poster in a list) and `percent`: two queries for all of them."""
    posters = Prefetch("previews", Preview.objects.filter(kind=Preview.Kind.POSTER), to_attr="posters")
    kept = project.jobs.alive().filter(trial=False).without_figures()
    jobs = list(kept.select_related("source", "project").prefetch_related(posters))
    for job in jobs:
        job.percent = services.overall_percent(job)  # type: ignore[attr-defined]
    return jobs


@require_safe
@login_required
def projects(request: MemberRequest) -> HttpResponse:
    return _projects_page(request)


def _projects_page(request: MemberRequest, form: ProjectForm | None = None) -> HttpResponse:
    latest = Source.objects.alive().filter(project=OuterRef("pk")).exclude(poster="")
    found = Project.objects.of(request.user).annotate(
        source_count=Count("sources", Q(sources__deleted_at__isnull=True), distinct=True),
        job_count=Count("jobs", Q(jobs__deleted_at__isnull=True, jobs__trial=False), distinct=True),
        poster=Subquery(latest.values("poster")[:1]),
    )
    context = {"projects": found, "form": form or ProjectForm()}
    return render(request, "interpolation/projects.html", context, status=422 if form else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def project_new(request: MemberRequest) -> HttpResponse:
    if request.method != "POST":
        return redirect("projects")
    form = ProjectForm(request.POST)
    if not form.is_valid():
        return _projects_page(request, form)
    return redirect(services.project_create(owner=request.user, name=form.cleaned_data["name"]))


@require_safe
@login_required
def project(request: MemberRequest, pk: UUID) -> HttpResponse:
    return _project_page(request, find_project(request, pk))


def _project_page(
    request: MemberRequest, found: Project, form: UploadForm | None = None, status: int = 200
) -> HttpResponse:
    jobs = _jobs_of(found)
    context = {
        "project": found,
        "may_change": may(request.user, Act.CHANGE, found),
        "may_manage": may(request.user, Act.MANAGE, found),
        "sources": found.sources.alive().annotate(job_count=Count("jobs", Q(jobs__deleted_at__isnull=True))),
        "jobs": jobs,
        "any_live": any(job.is_live for job in jobs),
        "form": form or UploadForm(),
        "uploads": ResumableUpload.objects.of(request.user).unfinished().filter(project=found),
        "max_upload": settings.MAX_UPLOAD_BYTES,
        "max_files": MAX_FILES,
        "max_inbetween": MAX_INBETWEEN,
    }
    return render(request, "interpolation/project.html", context, status=status)


@require_POST
@login_required
def project_delete(request: MemberRequest, pk: UUID) -> HttpResponse:
    found = find_project(request, pk, Act.MANAGE)
    try:
        services.project_delete(project=found, user=request.user)
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect(found)
    say_deleted(request, _("“%(name)s” and everything in it is deleted.") % {"name": found.name}, "project", found.pk)
    return redirect("projects")


@require_POST
@login_required
def source_upload(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Take a video or pictures. Answers JSON to the page's own script, a page to a plain form."""
    found = find_project(request, pk, Act.CHANGE)
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            return _uploaded(request, _store(request, found, form))
        except services.PictureSizesDifferError as error:
            form.add_error("footage", str(error))
            return _refused(request, found, form, offer_resize=True)
        except REFUSALS as error:
            form.add_error("footage", str(error))
    return _refused(request, found, form)


def _store(request: MemberRequest, project: Project, form: UploadForm) -> str:
    """Keeps what came; returns the address where to go on."""
    data = form.cleaned_data
    files, kind = data["footage"], data["kind"]
    if kind == UploadForm.PAIRS:
        _store_pairs(request, project, form)
        return project.get_absolute_url()
    if kind == UploadForm.SEQUENCE:
        source = services.source_create_sequence(
            project=project, uploads=files, fps=data["input_fps"] or None, paths=data["paths"]
        )
    else:
        source = services.source_create(
            project=project,
            kind=kind,
            upload=files[0],
            upload2=files[1] if len(files) == 2 else None,
            resize_second=data["resize_second"],
        )
    return reverse("job-new", args=[source.pk])


def _store_pairs(request: MemberRequest, project: Project, form: UploadForm) -> None:
    """A source for every pair, and a job for each if pictures are to be drawn; what was left out is said."""
    data = form.cleaned_data
    made = services.source_create_pairs(
        project=project, uploads=data["footage"], resize_second=data["resize_second"], paths=data["paths"]
    )
    count = data["pair_frames"] or 0
    if count:
        for source in made.sources:
            services.job_create(source=source, options=RenderOptions(inbetween=count).to_dict())
    number = len(made.sources)
    if count:
        words = ngettext(
            "%(n)d pair kept, and a job started for it.", "%(n)d pairs kept, and a job started for each.", number
        )
    else:
        words = ngettext("%(n)d pair kept.", "%(n)d pairs kept.", number)
    messages.success(request, words % {"n": number})
    if made.bad:
        messages.warning(request, _("Left out: %(what)s") % {"what": services.in_a_few_words(made.bad)})


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _uploaded(request: MemberRequest, address: str) -> HttpResponse:
    return JsonResponse({"next": address}, status=201) if _wants_json(request) else redirect(address)


def _refused(request: MemberRequest, found: Project, form: UploadForm, *, offer_resize: bool = False) -> HttpResponse:
    words = [str(error) for errors in form.errors.values() for error in errors]
    if _wants_json(request):
        return JsonResponse({"errors": words, "offer_resize": offer_resize}, status=422)
    return _project_page(request, found, form, status=422)


@require_POST
@login_required
def upload_remove(request: MemberRequest, pk: UUID) -> HttpResponse:
    upload = get_object_or_404(ResumableUpload.objects.of(request.user), pk=pk)
    try:
        services.upload_remove(upload=upload)
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect(upload.project)


@require_POST
@login_required
def source_sample(request: MemberRequest, pk: UUID) -> HttpResponse:
    found = find_project(request, pk, Act.CHANGE)
    try:
        source = services.source_create_sample(project=found)
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect(found)
    return redirect("job-new", source.pk)


@require_POST
@login_required
def source_delete(request: MemberRequest, pk: UUID) -> HttpResponse:
    source = find_source(request, pk, Act.CHANGE)
    try:
        services.source_delete(source=source, user=request.user)
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect("job-new", source.pk)
    say_deleted(request, _("“%(name)s” is deleted.") % {"name": source.name}, "source", source.pk)
    return redirect(source.project)
