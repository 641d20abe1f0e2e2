"""When a job will be done: learned from the jobs that this portal has done, in the order in which jobs are taken.

A job takes `start + rate * work` seconds. Work is the megapixels that are drawn, and a share for those that are only
read and written; `start` and `rate` are fitted to the last jobs, so that every one counts by its relative error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from engine.config import RenderOptions
from engine.errors import BadOptionsError
from engine.sampling import most_samples
from interpolation.models import Job, Source

from .prediction import predict
from .queue import fair_order, held_back

LEARNED_FROM = 40  # jobs, the latest
ENOUGH = 3  # of the same model; with fewer, those of all models count
KEPT = 60  # seconds until it is learned anew
SHARE = 0.25  # of the work of drawing a frame that reading and writing it takes; the fit corrects the rest
GUESSED_START = 5.0  # seconds that a job takes before and after drawing
WIDE = (0.5, 2.0)  # how far off it may be while there are few jobs to learn from
ALIKE = 3.0  # how much dearer than the other one of two models may be for jobs of one to tell of the other's


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds: the likeliest, and between which four of five jobs lie. jobs: how many it was learned from."""

    seconds: float
    low: float
    high: float
    jobs: int


@dataclass(frozen=True, slots=True)
class Rate:
    start: float
    per_work: float
    low: float
    high: float
    jobs: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """Of a waiting job: its place (1 is next), and in how many seconds it starts and is done; None: nobody knows."""

    place: int
    starts_in: float | None
    done_in: float | None


# -- One job -----------------------------------------------------------------------------------------------------------


def estimate(source: Source, options: RenderOptions) -> Estimate | None:
    """How long a job would take here. None while too little is known."""
    rate = _learned(options.model)
    if rate is None:
        return None
    seconds = rate.start + rate.per_work * work_of(source, options)
    return Estimate(seconds, seconds * rate.low, seconds * rate.high, rate.jobs)


def guess(source: Source, options: RenderOptions) -> Estimate | None:
    """Where no job was done here yet: from what the model took in the benchmark, perhaps elsewhere. jobs: 0."""
    per_megapixel = _benchmarked(options.model)
    if per_megapixel is None:
        return None
    seconds = GUESSED_START + per_megapixel * work_of(source, options)
    return Estimate(seconds, seconds / 3, seconds * 2, 0)


def _benchmarked(model: str | None) -> float | None:
    """Seconds per megapixel of a new frame, from models/benchmark.json; None where it says nothing."""
    from engine.checkpoint import list_models, models_folder

    try:
        figures = json.loads((models_folder() / "benchmark.json").read_text())
        weights = {info.name: info.sha256 for info in list_models()}
        sha256 = weights.get(model or "", "") if model != "default" else next(iter(weights.values()), "")
        names = {one["sha256"]: one["name"] for one in figures["methods"] if one["sha256"]}
        speed = figures["speed"]
        return float(speed["ms"][names[sha256]]) * 1000 / (speed["width"] * speed["height"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def work_of(source: Source, options: RenderOptions) -> float:
    """Megapixels to draw, with a share for those that are only read and written; those drawn to measure too."""
    made = predict(source, options)
    megapixels = made.size[0] * made.size[1] / 1e6
    measured = options.held_out and source.kind == Source.Kind.VIDEO
    hidden = most_samples(made.source_frames - 1) if measured else 0
    return megapixels * (made.new_frames + hidden + SHARE * (made.frames + made.source_frames))


def _learned(model: str | None) -> Rate | None:
    key = f"inbetween:rate:{model or 'default'}".replace(" ", "_")
    known: Rate | str | None = cache.get(key)
    if known is None:
        known = _learn(model) or "nothing"
        cache.set(key, known, KEPT if isinstance(known, Rate) else KEPT / 12)
    return known if isinstance(known, Rate) else None


def _learn(model: str | None) -> Rate | None:
    done = (
        Job.objects.filter(status=Job.Status.SUCCEEDED, base__isnull=True, started_at__isnull=False)
        .exclude(finished_at=None)
        .select_related("source")
        .only("options", "started_at", "finished_at", "source__info", "source__kind")
        .order_by("-finished_at")[: 4 * LEARNED_FROM]
    )
    jobs = [(job.options.get("model"), point) for job in done if (point := _point(job))]
    same = [point for drawn_by, point in jobs if drawn_by == model]
    if len(same) < ENOUGH:
        dear = {other: _dearness(other, model) for other in {drawn_by for drawn_by, _ in jobs}}
        alike = [(point[0] * dear[other], point[1]) for other, point in jobs if dear[other]]
        same = alike or [point for _, point in jobs]
    return fit(same[:LEARNED_FROM])


def _dearness(other: str | None, model: str | None) -> float:
    """How many times what `model` takes for a frame `other` takes, by the benchmark; 1 where it does not say.

    0 for one so unlike that its jobs tell nothing: of a plain blend most of the time is reading and writing.
    """
    taken, asked = _benchmarked(other), _benchmarked(model)
    ratio = taken / asked if taken and asked and other != model else 1.0
    return ratio if 1 / ALIKE <= ratio <= ALIKE else 0.0


def _point(job: Job) -> tuple[float, float] | None:
    """(work, seconds) of a job that is done; None where it says nothing."""
    try:
        work = work_of(job.source, RenderOptions.from_dict(job.options))
    except (BadOptionsError, ZeroDivisionError, TypeError, ValueError):
        return None
    if job.started_at is None or job.finished_at is None:
        return None
    seconds = (job.finished_at - job.started_at).total_seconds()
    return (work, seconds) if work > 0 and seconds > 0 else None


def fit(points: Sequence[tuple[float, float]]) -> Rate | None:
    """Least squares of the relative error; neither part below zero. None without points."""
    if not points:
        return None
    rows = [(1 / seconds, work / seconds) for work, seconds in points]  # start * x + rate * y = 1
    xx, xy, yy = (sum(a * b for a, b in pairs) for pairs in _products(rows))
    x, y = sum(row[0] for row in rows), sum(row[1] for row in rows)
    determinant = xx * yy - xy * xy
    start = rate = -1.0
    if determinant > 1e-9 * xx * yy:
        start, rate = (x * yy - y * xy) / determinant, (y * xx - x * xy) / determinant
    if rate < 0:
        start, rate = (x / xx, 0.0) if determinant > 1e-9 * xx * yy else (0.0, y / yy)
    elif start < 0:
        start, rate = 0.0, y / yy
    low, high = WIDE
    if len(points) >= 5:
        ratios = [seconds / (start + rate * work) for work, seconds in points]
        tenths = quantiles(ratios, n=10, method="inclusive")
        low, high = min(tenths[0], 1.0), max(tenths[-1], 1.0)
    return Rate(start, rate, low, high, len(points))


def _products(rows: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    return [[(x, x) for x, _ in rows], rows, [(y, y) for _, y in rows]]


# -- The queue ---------------------------------------------------------------------------------------------------------


def outlooks() -> dict[UUID, Outlook]:
    """Of every waiting job, as if the workers of this machine took them one after the other; while they are held nobody
    knows when that is."""
    order = fair_order()
    if not order:
        return {}
    waiting = Job.objects.without_figures().select_related("source").in_bulk([row.job for row in order])
    free: list[float | None] = [None] if held_back() else list(_busy_for())
    found: dict[UUID, Outlook] = {}
    for place, row in enumerate(order, 1):
        start = _pop(free)
        seconds = _seconds(waiting[row.job]) if row.job in waiting else None
        end = start + seconds if start is not None and seconds is not None else None
        found[row.job] = Outlook(place, start, end)
        free.append(end)
    return found


def _pop(free: list[float | None]) -> float | None:
    """The worker that is free first; one of which nobody knows when counts as last."""
    first = min(free, key=lambda moment: float("inf") if moment is None else moment)
    free.remove(first)
    return first


def _busy_for() -> Iterable[float | None]:
    """Of every worker, in how many seconds it is free."""
    running = Job.objects.filter(status=Job.Status.RUNNING).without_figures().select_related("source")
    busy = [_left(job) for job in running]
    return [*busy, *[0.0] * max(0, settings.WORKERS - len(busy))]


def job_left(job: Job, outlooks_now: dict[UUID, Outlook]) -> float | None:
    """Seconds until a live job is done. None: nobody knows."""
    if job.status == Job.Status.QUEUED:
        return outlooks_now[job.pk].done_in if job.pk in outlooks_now else None
    return _left(job)


def _left(job: Job) -> float | None:
    """Seconds until a running job is done: as it says itself, else what is left of the estimate."""
    if job.waiting or job.started_at is None:
        return None
    if job.eta_seconds is not None and job.stage == "interpolating":
        return job.eta_seconds
    seconds = _seconds(job)
    return None if seconds is None else max(1.0, seconds - (timezone.now() - job.started_at).total_seconds())


def _seconds(job: Job) -> float | None:
    try:
        found = estimate(job.source, RenderOptions.from_dict(job.options))
    except (BadOptionsError, ZeroDivisionError, TypeError, ValueError):
        return None
    return found.seconds if found else None


def outlook_view(outlook: Outlook | None) -> dict[str, Any]:
    """Plain values for pages and API."""
    if outlook is None:
        return {"queue_position": None, "starts_in_seconds": None, "done_in_seconds": None}
    return {
        "queue_position": outlook.place,
        "starts_in_seconds": None if outlook.starts_in is None else round(outlook.starts_in),
        "done_in_seconds": None if outlook.done_in is None else round(outlook.done_in),
    }
