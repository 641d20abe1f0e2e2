"""What a finished job has to show, made ready for the template."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext, gettext_lazy

from engine.config import RenderOptions
from engine.formats import FORMATS

from ..charts import figures_chart
from ..models import Job, JobQuerySet, Preview, Source
from ..services.prediction import predict
from ..templatetags.inbetween import fps, fraction
from .certificate import certificate

RIVALS = 12  # other jobs that are offered to be laid beside one
STAGES = {
    "loading the model": gettext_lazy("Loading the model"),
    "reading": gettext_lazy("Reading the source"),
    "interpolating": gettext_lazy("Drawing new frames"),
    "evaluating": gettext_lazy("Measuring on held-out frames"),
    "joining": gettext_lazy("Joining the film"),
    "previews": gettext_lazy("Making previews"),
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
        "worst": _worst(found, (job.metrics.get("held_out") or {}).get("samples") or []),
        "motions": _motions(found),
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
        "source_fps": source_fps(job),
        "between": drawn_between(job),
        "shape": picture_size(job),
    }


def stages_of(job: Job) -> dict[str, str]:
    """The stages a job goes through, in order, with words for them."""
    measured = job.options.get("held_out", True) and job.source.kind == Source.Kind.VIDEO
    return {stage: str(words) for stage, words in STAGES.items() if measured or stage != "evaluating"}


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


def source_fps(job: Job) -> str:
    """Frames per second of the source's preview, as a decimal; "" where it has none."""
    rate = fraction(job.source.info.get("fps"))
    return f"{float(rate):.6f}" if rate else ""


def drawn_between(job: Job) -> int:
    """How many frames of the result follow each source frame before the next; 0 where they come in no such order."""
    even = job.options.get("mode") != "fps" and job.options.get("duplicates", "keep") == "keep"
    return int(job.options.get("inbetween") or 1) if even and not job.source.info.get("is_vfr") else 0


def rivals(job: Job, jobs: JobQuerySet) -> list[dict[str, Any]]:
    """What else of `jobs` was made of the same source, newest first: what the player needs to show it beside."""
    done = jobs.filter(source=job.source, status=Job.Status.SUCCEEDED).exclude(pk=job.pk)
    found = [
        {
            "job": one,
            "file": video.file,
            "fps": result_fps(one),
            "stretch": stretch(one),
            "words": in_words(one),
        }
        for one in done.without_figures().select_related("source").prefetch_related("previews")[:RIVALS]
        if (video := next((each for each in one.previews.all() if each.kind == Preview.Kind.VIDEO), None))
    ]
    return found


def in_words(job: Job) -> str:
    """A job of a known source in a line: what was done, at which size, by which model."""
    options = job.options
    between = int(options.get("inbetween") or 1)
    names = {"fps": f"{fps(options.get('target_fps'))} fps", "slow": gettext("slow motion, %d between") % between}
    size = options.get("resolution")
    parts = [
        names.get(str(options.get("mode")), gettext("smooth, %d between") % between),
        f"{size[0]} × {size[1]}" if size else "",
        job.model_name,
    ]
    return ", ".join(part for part in parts if part)


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


def _worst(found: dict[str, list[Preview]], samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The worst held-out frames, the worst first: {"time", "psnr", "truth", "drawn", "error"}, paths under media."""
    quality = {sample["time"]: sample["psnr"] for sample in samples}
    kinds = (Preview.Kind.HELD_TRUTH, Preview.Kind.HELD_DRAWN, Preview.Kind.HELD_ERROR)
    return [
        {"time": truth.time, "psnr": quality[truth.time], "truth": truth.file, "drawn": drawn.file, "error": error.file}
        for truth, drawn, error in zip(*(found[kind] for kind in kinds), strict=True)
        if truth.time in quality  # the figures may have been measured again, at other frames
    ]


def _motions(found: dict[str, list[Preview]]) -> list[dict[str, Any]]:
    """Fields of motion, each with the picture it belongs to: {"time", "field", "picture"}."""
    pictures = {preview.time: preview.file for preview in found[Preview.Kind.FRAME]}
    still = found[Preview.Kind.FRAME0]  # of two pictures the motion begins at the first
    return [
        {"time": motion.time, "field": motion.file, "picture": picture}
        for motion in found[Preview.Kind.MOTION]
        if (picture := pictures.get(motion.time) or (still[0].file if still else ""))
    ]


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
