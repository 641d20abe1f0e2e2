"""The parts of a film that can be watched while the rest is drawn, and the form that has some of them drawn anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from engine.checkpoint import list_models
from engine.watch import ready_parts

from ..model_names import first_names, offers
from ..models import Job, Source
from ..services.running import under_media
from .common import MemberRequest, find_job

LABELS = {"model": _("Model"), "cut": _("Where the shot changes"), "duplicates": _("Repeated frames")}
CHOICES: dict[str, Any] = {  # of the form; "" leaves the setting as it was
    "cut": [("hold", _("Hold the last frame")), ("crossfade", _("Cross-fade"))],
    "duplicates": [("keep", _("Keep them as pauses")), ("retime", _("Even out the motion"))],
}


@require_safe
@login_required
def job_parts(request: MemberRequest, pk: UUID) -> HttpResponse:
    """{"parts": [{"number", "start", "end", "file"}]} that follow part `after` without a gap, in order."""
    after = request.GET.get("after", "0")
    found = ready_parts(find_job(request, pk).directory, int(after) if after.isdecimal() and len(after) < 9 else 0)
    return JsonResponse(
        {
            "parts": [
                {
                    "number": part.number,
                    "start": float(part.start),
                    "end": float(part.end),
                    "file": reverse("media", args=[under_media(part.path)]),
                }
                for part in found
            ]
        }
    )


@dataclass
class RedrawForm:
    """What the form on a finished job's page shows."""

    job: Job
    values: dict[str, str] = field(default_factory=dict)
    error: str = ""

    @property
    def choices(self) -> list[tuple[str, str, list[tuple[str, str]], str]]:
        """(name, label, [(value, words)], chosen value) of every setting that a part may have different."""
        given = {"model": [(one.info.name, one.words) for one in offers(list_models())]} | CHOICES
        return [
            (name, str(label), [(value, str(words)) for value, words in given[name]], self._chosen(name))
            for name, label in LABELS.items()
        ]

    def _chosen(self, name: str) -> str:
        return self.values.get(name) or self._now(name)

    def _now(self, name: str) -> str:
        """What the job itself had; its model under the name that those weights are offered under."""
        if name == "model":
            return first_names(list_models()).get(self.job.model_name, self.job.model_name)
        return str(self.job.options.get(name, ""))

    def options(self) -> dict[str, Any]:
        """What was changed."""
        return {
            name: chosen
            for name, _, given, chosen in self.choices
            if chosen in dict(given) and chosen != self._now(name)
        }


def redraw_form(job: Job) -> RedrawForm | None:
    """None where no part can be drawn anew: of two pictures, and when the parts are not kept any more."""
    possible = job.status == Job.Status.SUCCEEDED and job.source.kind == Source.Kind.VIDEO
    return RedrawForm(job) if possible and job.parts_until is not None else None
