"""Two jobs of one source beside each other: films, settings that differ, figures."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from engine.config import RenderOptions

from ..job_form import JobForm
from ..models import Job, Preview
from ..templatetags.inbetween import format_label, fps, per_frame, span
from .results import picture_size, result_fps, stretch

WORDS = {
    "mode": _("Mode"),
    "inbetween": _("In-between frames"),
    "target_fps": _("Frames per second"),
    "resolution": _("Size"),
    "format": _("Format"),
    "quality": _("Quality of the file"),
    "crf": "CRF",
    "cut": _("At cuts"),
    "duplicates": _("Repeated frames"),
    "sound": _("Sound"),
    "loop": _("Loop"),
    "trim_start": _("From"),
    "trim_end": _("To"),
    "bit_depth": _("Bit depth"),
    "deinterlace": _("Interlaced lines"),
    "encoder": _("Encoder"),
    "held_out": _("Quality measured"),
    "model": _("Model asked for"),
}
CHOICES: dict[str, dict[str, Any]] = {
    name: dict(cast(Any, field.choices))
    for name, field in JobForm.base_fields.items()
    if isinstance(field, forms.ChoiceField)
}


def side_of(job: Job) -> dict[str, Any]:
    """What one side of the player needs."""
    return {
        "job": job,
        "video": job.previews.filter(kind=Preview.Kind.VIDEO).first(),
        "poster": job.previews.filter(kind=Preview.Kind.POSTER).first(),
        "fps": result_fps(job),
        "stretch": stretch(job),
        "shape": picture_size(job),
    }


def compared(first: Job, second: Job) -> dict[str, Any]:
    return {
        "source": first.source,
        "project": first.project,
        "sides": [("A", side_of(first)), ("B", side_of(second))],
        "differences": differences(first, second),
        "figures": figure_rows(first, second),
    }


def differences(first: Job, second: Job) -> list[tuple[Any, Any, Any]]:
    """(what, A, B) of all settings that are not the same."""
    ours, theirs = (RenderOptions.from_dict(job.options).to_dict() for job in (first, second))
    rows = [(WORDS.get(key, key.replace("_", " ")), _value(key, ours[key]), _value(key, theirs[key]))
            for key in ours if ours[key] != theirs.get(key)]  # fmt: skip
    known = first.model_name and second.model_name  # a job that waits does not know yet what will draw it
    if known and (first.model_sha256, first.model_name) != (second.model_sha256, second.model_name):
        rows.insert(0, (_("Drawn by"), *_model_words(first, second)))
    return rows


def _model_words(first: Job, second: Job) -> tuple[str, str]:
    """What drew each; with the fingerprint where the default had the same name but other weights."""
    if first.model_name != second.model_name:
        return first.model_name, second.model_name
    one, other = (f"{job.model_name} {job.model_sha256[:12]}" for job in (first, second))
    return one, other


def _value(key: str, value: Any) -> Any:
    if value in (None, ""):
        return _("as the source") if key in ("resolution", "target_fps") else "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if key == "resolution":
        return f"{value[0]} × {value[1]}"
    if key == "format":
        return format_label(value) or str(value)
    return fps(value) if key == "target_fps" else CHOICES.get(key, {}).get(value, str(value))


def figure_rows(first: Job, second: Job) -> list[dict[str, Any]]:
    """Figures of both as text, and which of the two is better ("A", "B" or "")."""
    plan = [
        (_("Held-out PSNR"), ("held_out", "psnr"), lambda value: f"{value:.2f} dB", 1),
        (_("Held-out SSIM"), ("held_out", "ssim"), lambda value: f"{value:.4f}", 1),
        (_("Time per new frame"), ("timing", "per_new_frame_ms"), per_frame, -1),
        (_("Total time"), ("timing", "total_s"), span, -1),
        (_("Most memory used"), ("timing", "peak_memory_mib"), lambda value: f"{value:.0f} MiB", -1),
        (_("Frames of the result"), ("frames", "output"), lambda value: f"{value:,}", 0),
    ]
    rows = []
    for what, (part, key), words, sign in plan:
        values: list[Any] = [(job.metrics.get(part) or {}).get(key) for job in (first, second)]
        if all(value is None for value in values):
            continue
        texts = ["–" if value is None else words(value) for value in values]
        better = ""
        if sign and None not in values and texts[0] != texts[1]:
            first_figure, second_figure = values
            better = "A" if (first_figure - second_figure) * sign > 0 else "B"
        rows.append({"what": what, "texts": texts, "better": better})
    return rows
