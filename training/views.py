"""Training from the browser: the list of runs, starting one, watching it learn, stopping it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from engine.errors import EngineError

from . import pictures, promotion, services
from .forms import DEFAULTS, TrainingForm
from .models import Epoch, TrainingRun

REFUSALS = (EngineError, services.ServiceError)
LISTED = 200
MEASURED_ON = ("data_dirs", "photos", "synthetic", "synthetic_share", "crop", "seed", "validation_triplets")
PICTURE = re.compile(r"(\d{6}/)?\d_[a-z0-9]+\.jpg")
UUIDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def find_run(request: HttpRequest, pk: UUID) -> TrainingRun:
    """Raises Http404 for what is somebody else's, as for what does not exist."""
    return get_object_or_404(TrainingRun.objects.visible_to(request.user), pk=pk)


@require_safe
@login_required
def training(request: HttpRequest) -> HttpResponse:
    runs = TrainingRun.objects.visible_to(request.user).select_related("owner").defer("curve")[:LISTED]
    rows = [{"run": run, "progress": services.training_run_progress_view(run)} for run in runs]
    live = any(run.is_live for run in runs)
    context = {"rows": rows, "live": live, "may_start": services.may_start(request.user)}
    return render(
        request, "training/_runs.html" if request.headers.get("HX-Request") else "training/training.html", context
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def training_new(request: HttpRequest) -> HttpResponse:
    if not services.may_start(request.user):
        raise PermissionDenied(_("Only administrators may start training here."))
    user = cast(User, request.user)
    form = TrainingForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        try:
            run = services.training_run_create(
                owner=user, name=form.cleaned_data["name"], config=form.config(), own=form.own_files
            )
            return redirect(run)
        except REFUSALS as error:
            form.add_error(None, str(error))
    return render(request, "training/training_new.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@login_required
def training_run(request: HttpRequest, pk: UUID) -> HttpResponse:
    run = find_run(request, pk)
    context = _watch(run) | {
        "settings": settings_in_words(run),
        "seen": _pictures(run, request.GET.get("epoch", "")),
        "gate": _gate(run, request.user),
    }
    return render(request, "training/training_run.html", context)


def may_promote(user: Any) -> bool:
    return bool(user.is_staff and user.has_perm("training.change_trainingrun"))


def _gate(run: TrainingRun, user: Any) -> promotion.Gate | None:
    """Whether the weights of the run may become the default; None while it has none, and for who may not choose."""
    if not run.model_sha256 or not may_promote(user):
        return None
    try:
        return promotion.gate(run.model_name)
    except REFUSALS as error:
        return promotion.Gate(False, str(error))


def _pictures(run: TrainingRun, asked: str) -> dict[str, Any]:
    return pictures.pictures(run.pk, int(asked) if asked.isdecimal() and len(asked) < 9 else None)


@require_safe
@login_required
def training_pictures(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The fragment with what an epoch draws."""
    run = find_run(request, pk)
    return render(
        request,
        "training/_training_pictures.html",
        {"run": run, "seen": _pictures(run, request.GET.get("epoch", "")), "fragment": True},
    )


@require_safe
@login_required
def training_picture(request: HttpRequest, pk: UUID, name: str) -> FileResponse:
    """One picture of a run that the asker may see."""
    return picture(request, find_run(request, pk), name)


def picture(request: HttpRequest, run: TrainingRun, name: str) -> FileResponse:
    folder = pictures.folder_of(run.pk)
    if not PICTURE.fullmatch(name) or not (folder / name).is_file():
        raise Http404
    answer = FileResponse((folder / name).open("rb"), content_type="image/jpeg")
    answer["Cache-Control"] = "private, max-age=600"
    return answer


@require_POST
@login_required
def training_promote(request: HttpRequest, pk: UUID) -> HttpResponse:
    run = find_run(request, pk)
    if not may_promote(request.user):
        raise PermissionDenied(_("Only administrators choose the default model."))
    try:
        found = promotion.model_promote(name=run.model_name, user=cast(User, request.user))
        told = {"model": run.model_name, "gain": found.gain}
        messages.success(
            request, _("%(model)s is the default now: %(gain)+.2f dB against the one before, which is kept.") % told
        )
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect(run)


@require_safe
@login_required
def training_compare(request: HttpRequest) -> HttpResponse:
    """Up to six runs in one chart, and what differs in their settings."""
    wanted = [value for value in request.GET.getlist("run") if UUIDS.fullmatch(value)][:6]
    runs = list(TrainingRun.objects.visible_to(request.user).filter(pk__in=wanted).prefetch_related("epochs"))
    if len(runs) < 2:
        messages.error(request, _("Tick two runs or more to compare them."))
        return redirect("training")
    told = [dict(settings_in_words(run)) for run in runs]
    for one in told:
        one.pop(_("Weights"), None)  # a file of its own for every run, called like it: no difference worth a line
    rows = [(what, [one.get(what, "–") for one in told]) for what in told[0] | told[1]]
    figures = [
        {
            "name": run.name,
            "curve": run.curve,
            "epochs": [[epoch.number, epoch.psnr] for epoch in run.epochs.all() if epoch.psnr is not None],
        }
        for run in runs
    ]
    differing = [(what, values) for what, values in rows if len(set(values)) > 1]
    context = {
        "runs": runs,
        "figures": figures,
        "differing": differing,
        "bests": [best_epoch(run.epochs.all()) for run in runs],
        "same_pictures": len({_measured_on(run) for run in runs}) == 1,
    }
    return render(request, "training/training_compare.html", context)


@require_safe
@login_required
def training_status(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The fragment that the page asks for again and again while the run lives; carries the charts' figures.

    `epochs` in the query is how many the page shows already.
    """
    run = find_run(request, pk)
    context = _watch(run)
    new_epochs = request.GET.get("epochs") != str(len(context["epochs"]))
    gate = None if run.is_live else _gate(run, request.user)
    return render(request, "training/_training_poll.html", context | {"new_epochs": new_epochs, "gate": gate})


@require_POST
@login_required
def training_cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _change(request, find_run(request, pk), services.training_run_cancel)


@require_POST
@login_required
def training_resume(request: HttpRequest, pk: UUID) -> HttpResponse:
    run = find_run(request, pk)
    if not services.may_start(request.user):
        raise PermissionDenied(_("Only administrators may start training here."))
    return _change(request, run, services.training_run_requeue)


def _change(request: HttpRequest, run: TrainingRun, change: Any) -> HttpResponse:
    try:
        change(run=run)
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect(run)


def _watch(run: TrainingRun) -> dict[str, Any]:
    epochs = list(run.epochs.all())
    measured = [epoch for epoch in epochs if epoch.psnr is not None]
    figures = {
        "live": run.is_live,
        "curve": run.curve,
        "epochs": [[epoch.number, epoch.psnr] for epoch in measured],
        "blend": measured[-1].psnr_blend if measured else None,
        "untrained": measured[-1].psnr_untrained if measured else None,
    }
    return {
        "run": run,
        "progress": services.training_run_progress_view(run),
        "epochs": epochs[::-1],
        "best": best_epoch(measured),
        "last": measured[-1] if measured else None,
        "figures": figures,
        "can_resume": not run.by_hand and run.status in (TrainingRun.Status.FAILED, TrainingRun.Status.CANCELLED),
    }


def best_epoch(epochs: Iterable[Epoch]) -> Epoch | None:
    measured = [epoch for epoch in epochs if epoch.psnr is not None]
    return max(measured, key=lambda epoch: epoch.psnr or 0.0, default=None)


def _measured_on(run: TrainingRun) -> str:
    """The settings that say on which pictures a run is measured: only with the same ones are two PSNRs comparable."""
    config = {"validation_triplets": DEFAULTS.validation_triplets, **run.config}  # earlier runs do not say it
    return str([config.get(name) for name in MEASURED_ON])


def settings_in_words(run: TrainingRun) -> list[tuple[str, str]]:
    """(what, value) of the run's settings, for the page."""
    config = run.config
    data = [*config.get("data_dirs", [])]
    if config.get("synthetic"):
        photos = config.get("photos")
        data.append(_("scenes from %(folder)s") % {"folder": photos} if photos else _("scenes made on the fly"))
    minutes, count = config.get("max_minutes"), config.get("validation_triplets")
    rows = [
        (_("Data"), ", ".join(data)),
        (_("Architecture"), config.get("model", {}).get("arch", "")),
        (_("Starts from"), config.get("init") or _("scratch")),
        (_("Epochs"), _("%(epochs)s, each of %(steps_per_epoch)s steps") % config),
        (_("Batch"), _("%(batch_size)s crops of %(crop)s px") % config),
        (_("Learning rate"), f"{config.get('lr'):g}"),
        (_("Measured on"), _("%(count)s triplets kept apart") % {"count": count} if count else ""),
        (_("At most"), _("%(minutes)s minutes") % {"minutes": f"{minutes:g}"} if minutes else _("no limit")),
        (_("Weights"), config.get("model_path", "")),
    ]
    return [(what, value) for what, value in rows if value]
