"""Models: what there is, how good it is, where it comes from; and bake-offs between two of them."""

from __future__ import annotations

import json
import statistics
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from engine.checkpoint import BLEND, ModelInfo, list_models, models_folder

from .. import services
from ..access import Act
from ..model_names import offers
from ..models import BakeOff, Job, Preview, Source
from .common import REFUSALS, MemberRequest, find_source, given_uuid, page_or_anew
from .compared import figure_rows, side_of
from .pairs import find_pair, watched

SAMPLES = 4


@require_safe
@login_required
def models(request: MemberRequest) -> HttpResponse:
    found = list_models()
    context = {
        "models": [(one, provenance(one.info), samples(request, one.info)) for one in offers(found)],
        "benchmark": benchmark_table(found),
        "bakeoffs": services.pairs_of(BakeOff, request.user)[:10],
        "can_bake": Source.objects.of(request.user).filter(kind=Source.Kind.VIDEO).exists(),
    }
    return render(request, "interpolation/models.html", context)


def samples(request: MemberRequest, info: ModelInfo) -> list[tuple[Job, Preview]]:
    """What this model drew for the asker lately: (job, a picture)."""
    jobs = Job.objects.of(request.user).filter(status=Job.Status.SUCCEEDED, model_sha256=info.sha256)
    if not info.sha256:
        jobs = jobs.filter(model_name=info.name)
    newest = jobs.without_figures().select_related("source").order_by("-created_at")[:SAMPLES]
    drawn = [(job, job.previews.filter(kind=Preview.Kind.POSTER).first()) for job in newest]
    return [(job, picture) for job, picture in drawn if picture]


def provenance(info: ModelInfo) -> list[tuple[str, Any]]:
    """Where the weights come from, as (what, value)."""
    if info.path is None or not info.path.is_file():
        return []
    rows: list[tuple[str, Any]] = [
        (_("Written"), date_format(localtime(datetime.fromtimestamp(info.path.stat().st_mtime, UTC)), "j F Y")),
        (_("Training steps"), f"{info.step:,}"),
    ]
    history = read_json(info.path.with_name(f"{info.path.stem}_history.json"))
    config = history.get("config") or {}
    data = [*config.get("data_dirs", []), *([_("scenes made on the fly")] if config.get("synthetic") else [])]
    if data:
        rows.append((_("Learned from"), ", ".join(Path(one).name if "/" in one else one for one in data)))
    promoted = read_json(info.path.with_name(f"{info.path.stem}_promoted.json"))
    if promoted.get("from"):
        rows.append(
            (
                _("Promoted"),
                _("from %(model)s, %(gain)+.2f dB") % {"model": promoted["from"], "gain": promoted["gain_db"]},
            )
        )
    return rows


def read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def benchmark_table(present: list[ModelInfo]) -> dict[str, Any] | None:
    """models/benchmark.json as a table, best first; None while nothing was measured.

    Weights are called as they are now: those that were measured as the default may have another name since.
    """
    figures = read_json(models_folder() / "benchmark.json")
    scores, methods = figures.get("scores") or {}, figures.get("methods") or []
    rows = []
    for method in methods:
        cells = [scores[place].get(method["name"]) for place in scores]
        if all(cells):
            mean = statistics.mean(cell["psnr"] for cell in cells)
            units = _units(figures, method["name"], cells)
            names = [info.name for info in present if info.sha256 == method["sha256"] and info.sha256]
            told = {"label": names[0], "also": names[1:]} if names else {"gone": bool(method["sha256"])}
            rows.append({**method, "cells": cells, "mean": mean, "units": units, **told})
    if not rows:
        return None
    rows.sort(key=lambda row: -row["mean"])
    for at in range(len(scores)):
        best = max(row["cells"][at]["psnr"] for row in rows)
        for row in rows:
            row["cells"][at] = {**row["cells"][at], "best": row["cells"][at]["psnr"] == best}
    sets = [(name, figures.get("counts", {}).get(name)) for name in scores]
    machine = (figures.get("machine") or {}).get("processor", "")
    return {"sets": sets, "rows": rows, "made_at": (figures.get("made_at") or "")[:10], "machine": machine}


def _units(figures: dict[str, Any], name: str, cells: list[dict[str, Any]]) -> float:
    """Time for a new frame of a film in units of classical flow; of triplets where no film was measured."""
    speed = figures.get("speed") or {}
    if name in speed.get("ms", {}):
        return float(speed["ms"][name] / speed["unit"])
    return statistics.mean(cell["units"] for cell in cells)


# -- Bake-offs ---------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def bakeoff_new(request: MemberRequest) -> HttpResponse:
    """One clip, two models; a plain blend counts as one."""
    sources = Source.objects.of(request.user).filter(kind=Source.Kind.VIDEO).select_related("project")
    drawing = offers(info for info in list_models() if info.arch)
    names = [*((one.info.name, one.words) for one in drawing), (BLEND, _("blend (no model: a cross-fade)"))]
    chosen = {"first": names[0][0], "second": names[1][0], "source": request.GET.get("source", "")}
    status = 200
    if request.method == "POST":
        chosen = {name: request.POST.get(name, "") for name in chosen}
        try:
            wanted = given_uuid(chosen["source"])
            if wanted is None:
                raise services.ServiceError(_("Choose a clip."))
            made = services.bakeoff_create(
                user=request.user,
                source=find_source(request, wanted, Act.CHANGE),
                first=chosen["first"],
                second=chosen["second"],
            )
            return redirect(made)
        except REFUSALS as error:
            chosen["error"], status = str(error), 422
    context = {"sources": sources, "names": names, "chosen": chosen}
    return render(request, "interpolation/bakeoff_new.html", context, status=status)


@require_safe
@login_required
def bakeoff(request: MemberRequest, pk: UUID) -> HttpResponse:
    found = find_pair(BakeOff, request, pk)
    context = watched(request, found) | {"bakeoff": found, "number": services.bakeoff_round(found)}
    if context["progress"].status == Job.Status.SUCCEEDED:
        context["sides"] = list(zip("AB", map(side_of, services.bakeoff_sides(found)), strict=True))
        context["blind"] = found.revealed_at is None
        if found.revealed_at is not None:
            context["tally"] = services.bakeoff_tally(found)
            context["figures"] = figure_rows(found.first, found.second)
    return page_or_anew(request, "interpolation/bakeoff.html", context)


@require_POST
@login_required
def bakeoff_vote(request: MemberRequest, pk: UUID) -> HttpResponse:
    found = find_pair(BakeOff, request, pk)
    try:
        number = int(request.POST.get("number", "0")) if request.POST.get("number", "").isdecimal() else 0
        services.bakeoff_vote(bakeoff=found, number=number, side=request.POST.get("side", ""))
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect(found)


@require_POST
@login_required
def bakeoff_reveal(request: MemberRequest, pk: UUID) -> HttpResponse:
    found = find_pair(BakeOff, request, pk)
    try:
        services.bakeoff_reveal(bakeoff=found)
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect(found)
