"""Three seconds with two settings, side by side; and settings kept under a name."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from engine.checkpoint import list_models
from engine.config import RenderOptions

from .. import services
from ..access import Act
from ..job_form import JobForm
from ..models import Job, Preset, Trial
from ..services.pairs import jobs_of
from ..services.trials import SIDES, whole_options
from .common import REFUSALS, MemberRequest, find_source, page_or_anew
from .compared import differences, figure_rows, side_of
from .jobs import job_form_page
from .pairs import find_pair, watched
from .preflight import short_cost, versus


@require_POST
@login_required
def trial_new(request: MemberRequest, pk: UUID) -> HttpResponse:
    source = find_source(request, pk, Act.CHANGE)
    models = list_models()
    form = JobForm(request.POST, source=source, models=models)
    choices = {one.value: one for _words, group in versus(source, request.user, models) for one in group}
    chosen, start = choices.get(request.POST.get("versus", "")), request.POST.get("trial_start", "").strip()
    if form.is_valid():
        try:
            if chosen is None:
                raise services.ServiceError(_("Choose what to compare these settings with."))
            options = form.options()
            return redirect(
                services.trial_create(
                    user=request.user,
                    source=source,
                    start=start.replace(",", ".") or "0",
                    first=options,
                    second=options | chosen.changes,
                )
            )
        except REFUSALS as error:
            form.add_error(None, str(error))
    return job_form_page(request, source, form, trial_start=start, versus_chosen=request.POST.get("versus", ""))


@require_safe
@login_required
def trial(request: MemberRequest, pk: UUID) -> HttpResponse:
    found = find_pair(Trial, request, pk)
    jobs = dict(zip(SIDES, jobs_of(found), strict=True))
    context = watched(request, found) | {
        "trial": found,
        "costs": [
            (name, side, job, _whole_cost(found, side)) for name, (side, job) in zip("AB", jobs.items(), strict=True)
        ],
        "differences": differences(found.first, found.second),
    }
    if context["progress"].status == Job.Status.SUCCEEDED:
        context["sides"] = [(name, side_of(job)) for name, job in zip("AB", jobs.values(), strict=True)]
        context["figures"] = figure_rows(found.first, found.second)
    return page_or_anew(request, "interpolation/trial.html", context)


def _whole_cost(found: Trial, side: str) -> str:
    options = RenderOptions.from_dict(whole_options(found, side))
    return short_cost(services.cost(found.source, options))


@require_POST
@login_required
def trial_promote(request: MemberRequest, pk: UUID) -> HttpResponse:
    """The whole film with the settings of a side."""
    found = find_pair(Trial, request, pk)
    source = find_source(request, found.source_id, Act.CHANGE)
    try:
        found.source = source
        return redirect(services.trial_promote(trial=found, side=request.POST.get("side", ""), user=request.user))
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect(found)


# -- Settings under a name ---------------------------------------------------------------------------------------------


@require_POST
@login_required
def preset_new(request: MemberRequest, pk: UUID) -> HttpResponse:
    source = find_source(request, pk, Act.CHANGE)
    form = JobForm(request.POST, source=source, models=list_models())
    name = request.POST.get("preset_name", "")
    if form.is_valid():
        try:
            preset = services.preset_save(user=request.user, name=name, options=form.options())
            messages.success(request, _("“%s” is kept among your presets.") % preset.name)
            return redirect(f"{reverse('job-new', args=[source.pk])}?preset=own-{preset.pk}")
        except REFUSALS as error:
            form.add_error(None, str(error))
    return job_form_page(request, source, form, preset_name=name)


@require_POST
@login_required
def preset_delete(request: MemberRequest, pk: UUID, preset: int) -> HttpResponse:
    source = find_source(request, pk, Act.CHANGE)
    found = get_object_or_404(Preset, pk=preset, user=request.user)
    found.delete()
    messages.success(request, _("The preset “%s” is deleted.") % found.name)
    return redirect("job-new", source.pk)
