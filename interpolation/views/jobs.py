"""Starting a job, watching it, and what came of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from engine.checkpoint import ModelInfo, list_models
from engine.config import RenderOptions
from engine.errors import BadOptionsError
from engine.watch import parts_made

from .. import services
from ..access import Act, may
from ..job_form import JobForm, first_values
from ..models import Job, Source
from .common import REFUSALS, MemberRequest, find_job, find_source
from .facts import stills
from .parts import RedrawForm, redraw_form
from .preflight import card, clock_of_busiest, short_cost, versus
from .recipes import recipes
from .results import results, rivals, stages_of


def _earlier(request: MemberRequest, source: Source) -> Job | None:
    """The job whose settings to begin with ("run with changes")."""
    again = request.GET.get("again", "")
    return next((job for job in source.jobs.alive().without_figures() if str(job.pk) == again), None)


def _first_form(request: MemberRequest, source: Source, models: list[ModelInfo]) -> JobForm:
    """As an earlier job was, as a preset says, or as is usual."""
    earlier = _earlier(request, source)
    if earlier is not None:
        return JobForm(initial=first_values(earlier.options), source=source, models=models)
    asked = request.GET.get("preset", "")
    preset = next((one for one in services.setups(source, request.user) if one.key == asked), None)
    if preset is not None:
        usual = RenderOptions(inbetween=5 if source.kind == Source.Kind.PICTURES else 1).to_dict()
        return JobForm(initial=first_values(preset.on(usual)), source=source, models=models)
    return JobForm(source=source, models=models)


def job_form_page(request: MemberRequest, source: Source, form: JobForm, **more: Any) -> HttpResponse:
    """The page of a new job. more: what else it shows, of a form that was refused."""
    context = {
        "source": source,
        "project": source.project,
        "job_count": source.jobs.alive().count(),
        "stills": stills(source),
        "form": form,
        "notice": _notice(form),
        "trial_start": more.pop("trial_start", None) or clock_of_busiest(source),
        "versus": versus(source, request.user, form.models),
        **_predicted(request, form),
        **more,
    }
    return render(request, "interpolation/job_new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def job_new(request: MemberRequest, pk: UUID) -> HttpResponse:
    source = find_source(request, pk, Act.CHANGE)
    models = list_models()
    if request.method != "POST":
        return job_form_page(request, source, _first_form(request, source, models))
    form = JobForm(request.POST, source=source, models=models)
    if form.is_valid():
        try:
            return redirect(services.job_create(source=source, options=form.options(), user=request.user))
        except REFUSALS as error:
            form.add_error(None, str(error))
    return job_form_page(request, source, form)


def _predicted(request: MemberRequest, form: JobForm) -> dict[str, Any]:
    """What the settings would give and cost, and what each preset would; no prediction while they do not hold together.

    The presets are priced from the settings so far, or from the usual ones where those are wrong.
    """
    presets = services.setups(form.source, request.user)
    options = form.settings_so_far()
    base = options or RenderOptions()
    costs = [(preset, price_of(form.source, preset, base)) for preset in presets]
    found: dict[str, Any] = {"costs": costs, "preset_fields": {one.key: fields_of(one) for one in presets}}
    return found | (card(form.source, options, request.user) if options else {"prediction": None})


def price_of(source: Source, preset: services.Setup, base: RenderOptions) -> str:
    """What a job costs with a preset on top of other settings; "" where the two do not go together."""
    try:
        return short_cost(services.cost(source, RenderOptions.from_dict(preset.on(base.to_dict()))))
    except BadOptionsError:
        return ""


def fields_of(preset: services.Setup) -> dict[str, Any]:
    """The values a preset gives to the fields of the form."""
    changed = first_values(preset.options)
    return {name: value for name, value in changed.items() if name in preset.options}


def _notice(form: JobForm) -> str:
    """What must be known of the chosen model: that it is untrained, that its file is damaged; else nothing."""
    chosen = form["model"].value()
    return next((info.notice for info in form.models if info.name == chosen), "")


@require_safe
@login_required
def job_prediction(request: MemberRequest, pk: UUID) -> HttpResponse:
    """The fragments that say what would come out and what it costs, for the settings so far."""
    source = find_source(request, pk, Act.CHANGE)
    form = JobForm(request.GET, source=source, models=list_models())
    words = [str(error) for errors in form.errors.values() for error in errors]
    context = _predicted(request, form) | {"problems": words, "notice": _notice(form)}
    return render(request, "interpolation/_prediction_live.html", context)


def _watch(job: Job) -> dict[str, Any]:
    """What the page of a job says while it runs: its stages as (words, "done" | "now" | ""), and progress over all."""
    progress = services.job_progress_view(job)
    stages = stages_of(job)
    reached = list(stages).index(job.stage) if job.stage in stages else -1
    states = ["done" if at < reached else "now" if at == reached else "" for at in range(len(stages))]
    steps = list(zip(stages.values(), states, strict=True))
    return {
        "job": job,
        "progress": progress,
        "stage": stages.get(job.stage, _("Starting")),
        "steps": steps,
        "poll_ms": poll_ms(job),
        "parts_ready": parts_made(job.directory),
    }


def poll_ms(job: Job) -> int:
    """How often a page asks: often at first, as small jobs take a second or two; a long one needs no hurry."""
    age = timezone.now() - (job.enqueued_at or job.created_at)
    return next((pause for limit, pause in ((10, 250), (60, 700)) if age.total_seconds() < limit), 1500)


@require_safe
@login_required
def job(request: MemberRequest, pk: UUID) -> HttpResponse:
    found = find_job(request, pk)
    return job_page(request, found, redraw_form(found) if may(request.user, Act.CHANGE, found) else None)


def job_page(request: MemberRequest, found: Job, redraw: RedrawForm | None, status: int = 200) -> HttpResponse:
    context = _watch(found) | {
        "project": found.project,
        "source": found.source,
        "pair": services.pairs_with([found], request.user).get(found.pk),
        "redraw": redraw,
        "may_change": may(request.user, Act.CHANGE, found),
        "may_manage": may(request.user, Act.MANAGE, found),
        "log": services.job_log(found),
        "recipes": recipes(found, request.build_absolute_uri(reverse("api-job-list")).removesuffix("jobs/")),
    }
    if found.status == Job.Status.SUCCEEDED:
        context |= results(found)
        context["newest"] = newer_model(found)
        context["rivals"] = rivals(found, Job.objects.reachable_by(request.user)) if context["source_video"] else []
    return render(request, "interpolation/job.html", context, status=status)


def newer_model(job: Job) -> ModelInfo | None:
    """The default model, where it is another than the one that drew this: the same again would differ."""
    usual = services.default_model()
    return usual if usual is not None and services.would_differ(job, usual) else None


@require_POST
@login_required
def job_again(request: MemberRequest, pk: UUID) -> HttpResponse:
    """The same settings once more, drawn by the default model of now."""
    found = find_job(request, pk, Act.CHANGE)
    try:
        return redirect(services.job_again(job=found, user=request.user))
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect(found)


@require_safe
@login_required
def job_log(request: MemberRequest, pk: UUID) -> HttpResponse:
    """The fragment with the last lines of a job's log."""
    found = find_job(request, pk)
    return render(request, "interpolation/_job_log.html", {"job": found, "log": services.job_log(found)})


@require_POST
@login_required
def job_redraw(request: MemberRequest, pk: UUID) -> HttpResponse:
    """Have a part of the film drawn anew; what is wrong is said on the same page, with what was typed."""
    found = find_job(request, pk, Act.CHANGE)
    names = ("start", "end", "model", "cut", "duplicates")
    form = RedrawForm(found, {name: str(request.POST.get(name, "")).strip() for name in names})
    try:
        made = services.job_redraw(
            job=found,
            start=form.values["start"],
            end=form.values["end"],
            options=form.options(),
            user=request.user,
        )
    except REFUSALS as error:
        form.error = str(error)
        return job_page(request, found, form, status=422)
    return redirect(made)


@require_safe
@login_required
def job_status(request: MemberRequest, pk: UUID) -> HttpResponse:
    """The fragment that the page asks for again and again; when the job has ended, the word to load the page anew."""
    found = find_job(request, pk)
    response = render(request, "interpolation/_job_status.html", _watch(found))
    if not found.is_live:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@login_required
def job_cancel(request: MemberRequest, pk: UUID) -> HttpResponse:
    return _change(request, find_job(request, pk, Act.CHANGE), services.job_cancel)


@require_POST
@login_required
def job_retry(request: MemberRequest, pk: UUID) -> HttpResponse:
    return _change(request, find_job(request, pk, Act.CHANGE), services.job_retry)


def _change(request: MemberRequest, found: Job, service: Any) -> HttpResponse:
    try:
        service(job=found)
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect(found)


@require_safe
@login_required
def queue(request: MemberRequest) -> HttpResponse:
    """Everybody's waiting and running jobs in order; of those one may not see only that they are there."""
    running = Job.objects.filter(status=Job.Status.RUNNING).order_by("started_at")
    ahead, waiting = services.outlooks(), Job.objects.alive().waiting()
    seen = set(Job.objects.of(request.user).filter(status__in=Job.LIVE).values_list("pk", flat=True))
    last = len(ahead) + 1
    jobs = (
        *running.select_related("source", "project"),
        *sorted(
            waiting.select_related("source", "project"),
            key=lambda job: ahead[job.pk].place if job.pk in ahead else last,
        ),
    )
    rows = [_queue_row(job, ahead.get(job.pk)) if job.pk in seen else {"job": job, "mine": False} for job in jobs]
    own = next(({**row, "before": at} for at, row in enumerate(rows) if row["mine"]), None)
    template = "interpolation/_queue.html" if request.headers.get("HX-Request") else "interpolation/queue.html"
    return render(request, template, {"rows": rows, "own": own, "held": services.held_back("")})


def _queue_row(job: Job, outlook: services.Outlook | None) -> dict[str, Any]:
    """One of the asker's own: how far it is, or when it starts, what it takes, when it is done, as far as known."""
    row: dict[str, Any] = {"job": job, "mine": True, "percent": services.overall_percent(job)}
    if outlook is not None and outlook.starts_in is not None and outlook.done_in is not None:
        row |= {
            "starts_in": outlook.starts_in,
            "takes": outlook.done_in - outlook.starts_in,
            "done_at": timezone.now() + timedelta(seconds=outlook.done_in),
        }
    return row
