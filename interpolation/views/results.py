"""What a finished job has to show, made ready for the template."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import Any

from engine.config import RenderOptions
from engine.formats import FORMATS

from ..charts import figures_chart
from ..models import Job, Preview, Source
from .certificate import certificate
from .facts import predict

STAGES = {
    "loading the model": "Loading the model",
    "reading": "Reading the source",
    "interpolating": "Drawing new frames",
    "evaluating": "Measuring on held-out frames",
    "joining": "Joining the film",
    "previews": "Making previews",
}
BEGINS_AT = {  # per cent of a typical job that is over when a stage begins
    "loading the model": 0,
    "reading": 3,
    "interpolating": 8,
    "evaluating": 82,
    "joining": 90,
    "previews": 91,
}


def results(job: Job) -> dict[str, Any]:
    """Previews by kind, figures in words, and the chart. One query."""
    found: dict[str, list[Preview]] = defaultdict(list)
    for preview in job.previews.all():
        found[preview.kind].append(preview)
    first = {kind: previews[0] for kind, previews in found.items()}
    frames = found[Preview.Kind.FRAME]
    return {
        "result": first.get(Preview.Kind.VIDEO),
        "source_video": first.get(Preview.Kind.SOURCE_VIDEO),
        "poster": first.get(Preview.Kind.POSTER),
        "frames": frames,
        "flow_farneback": first.get(Preview.Kind.FLOW_FARNEBACK),
        "flow_model": first.get(Preview.Kind.FLOW_MODEL),
        "compare": _comparison(first, frames, job.metrics.get("compared") or {}),
        "held_out": _held_out(job.metrics.get("held_out")),
        "held_out_note": job.metrics.get("held_out_note", ""),
        "timing": job.metrics.get("timing") or {},
        "notes": job.metrics.get("notes") or [],
        "counts": job.metrics.get("frames") or {},
        "certificate": certificate(job.certificate),
        "chart": figures_chart(job.metrics),
        "stretch": stretch(job),
        "has_sound": has_sound(job),
        "result_fps": result_fps(job),
        "shape": picture_size(job),
    }


def stages_of(job: Job) -> dict[str, str]:
    """The stages a job goes through, in order, with words for them."""
    measured = job.options.get("held_out", True) and job.source.kind == Source.Kind.VIDEO
    return {stage: words for stage, words in STAGES.items() if measured or stage != "evaluating"}


def overall_percent(job: Job) -> int:
    """0-99 over all stages, so that the bar never runs backwards."""
    if job.stage not in BEGINS_AT:
        return 0
    start = BEGINS_AT[job.stage]
    end = next((begin for begin in BEGINS_AT.values() if begin > start), 100)
    return min(99, start + (end - start) * min(job.frames_done, job.frames_total) // max(job.frames_total, 1))


def stretch(job: Job) -> int:
    """How many times as long as the source the result is."""
    slow = job.options.get("mode") == "slow" and job.source.kind == Source.Kind.VIDEO
    return int(job.options.get("inbetween") or 1) + 1 if slow else 1


def has_sound(job: Job) -> bool:
    """Whether the result, and so its preview, is heard."""
    options = RenderOptions.from_dict(job.options)
    heard = options.sound == "stretch" or (options.sound == "keep" and stretch(job) == 1)
    return heard and bool(job.source.info.get("audio")) and bool(FORMATS[options.format].sound_encoder)


def result_fps(job: Job) -> str:
    """Frames per second of the result's preview, as a decimal. That of two pictures never takes less than a second."""
    options = RenderOptions.from_dict(job.options)
    rate = predict(job.source, options).fps
    if job.source.kind == Source.Kind.PICTURES:
        rate = min(rate, Fraction(options.inbetween + 1))
    return f"{float(rate):.6f}"


def picture_size(job: Job) -> tuple[int, int]:
    """(width, height) of the result in pixels, so that pages leave room before pictures arrive."""
    width, height = job.options.get("resolution") or (
        job.source.info.get("width", 16),
        job.source.info.get("height", 9),
    )
    return width, height


def _comparison(
    first: dict[str, Preview], frames: list[Preview], compared: dict[str, float]
) -> dict[str, Preview] | None:
    """Two neighbouring source pictures and the new one that lies most nearly half-way between them.

    compared: {"start", "end"}, when the two are shown (seconds of the result); empty for two pictures: all lie between.
    """
    if Preview.Kind.FRAME0 not in first or Preview.Kind.FRAME1 not in first:
        return None
    start, end = compared.get("start", 0.0), compared.get("end", float("inf"))
    between = [frame for frame in frames if frame.time is not None and start <= frame.time <= end]
    if not between:
        return None
    new = between[len(between) // 2]
    return {"frame0": first[Preview.Kind.FRAME0], "frame1": first[Preview.Kind.FRAME1], "new": new}


def _held_out(figures: dict[str, Any] | None) -> dict[str, Any] | None:
    """The held-out figures with a word for each (SSIM above 0.9 excellent; PSNR above 40 dB excellent, 30-40 good)."""
    if not figures:
        return None
    psnr, ssim, blend = figures.get("psnr"), figures.get("ssim"), figures.get("blend_psnr")
    gain = psnr - blend if psnr is not None and blend is not None else None
    return figures | {
        "psnr_word": psnr_word(psnr),
        "ssim_word": ssim_word(ssim),
        "gain": gain,
        "count": len(figures.get("samples") or []),
    }


def psnr_word(psnr: float | None) -> str:
    if psnr is None:
        return ""
    return "excellent" if psnr > 40 else "good" if psnr >= 30 else "acceptable" if psnr >= 25 else "weak"


def ssim_word(ssim: float | None) -> str:
    if ssim is None:
        return ""
    return "excellent" if ssim > 0.9 else "good" if ssim >= 0.8 else "acceptable" if ssim >= 0.7 else "weak"
