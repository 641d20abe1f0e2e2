"""Figures over many jobs: of a project, of all projects of a person, of the site. Charts are Plotly figures."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from statistics import median
from typing import Any

from django.db.models import Count, FloatField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _

from .history import SIZE_WORDS, SIZES
from .models import Job, JobQuerySet

DAYS = 60
FEWEST_DAYS = 14
WHOLE_STEPS = 8  # bars up to here have a line for every one; above, Plotly chooses whole numbers by itself
COLORS = ("--new", "--key", "--good", "--ink-2", "--ink")
STATES = (("succeeded", "--new"), ("failed", "--key"), ("cancelled", "--ink-2"))
PSNR_BINS = [(low, low + 2) for low in range(20, 50, 2)]
SSIM_BINS = [(low / 100, (low + 2) / 100) for low in range(70, 100, 2)]


def number(path: str) -> Cast:
    return Cast(KT(f"metrics__{path}"), FloatField())


def dashboard(jobs: JobQuerySet) -> dict[str, Any]:
    """Headline figures, and the charts that have something to show."""
    done = list(
        jobs.filter(status=Job.Status.SUCCEEDED)
        .annotate(
            new=number("frames__new"),
            psnr=number("held_out__psnr"),
            ssim=number("held_out__ssim"),
            ms=number("timing__per_new_frame_ms"),
        )
        .values("new", "psnr", "ssim", "ms", "model_name", "options__resolution", "source__info__width")
    )
    psnrs, ssims = ([job[name] for job in done if job[name] is not None] for name in ("psnr", "ssim"))
    charts = {
        "jobs": jobs_per_day(jobs),
        "speed": time_per_frame(done),
        "psnr": distribution(psnrs, PSNR_BINS, _("held-out PSNR, dB"), "{:g}"),
        "ssim": distribution(ssims, SSIM_BINS, _("held-out SSIM"), "{:.2f}"),
    }
    states = Counter(dict(jobs.order_by().values_list("status").annotate(Count("pk"))))
    ended = states["succeeded"] + states["failed"]
    return {
        "count": sum(states.values()),
        "frames": int(sum(job["new"] or 0 for job in done)),
        "psnr": median(psnrs) if psnrs else None,
        "ssim": median(ssims) if ssims else None,
        "success": round(100 * states["succeeded"] / ended) if ended else None,
        "charts": {name: chart for name, chart in charts.items() if chart},
    }


def jobs_per_day(jobs: JobQuerySet) -> dict[str, Any] | None:
    """Bars: jobs by the day they were started on, stacked by how they ended."""
    today = timezone.localdate()
    earliest = today - timedelta(days=DAYS - 1)
    rows = (
        jobs.filter(created_at__date__gte=earliest)
        .order_by()
        .annotate(day=TruncDate("created_at"))
        .values_list("day", "status")
        .annotate(Count("pk"))
    )
    counted: dict[str, dict[date, int]] = defaultdict(dict)
    for day, status, count in rows:
        counted[status][day] = count
    if not counted:
        return None
    first = min(day for by_day in counted.values() for day in by_day)
    shown = max((today - first).days + 1, FEWEST_DAYS)  # what lies before the first job is left out
    days = [today - timedelta(days=at) for at in reversed(range(shown))]
    labels = dict(Job.Status.choices)
    traces = [
        bars([str(day) for day in days], [counted[status].get(day, 0) for day in days], str(labels[status]), color)
        for status, color in STATES
        if counted.get(status)
    ]
    return figure(traces, y=_("jobs a day"), barmode="stack", counts=True) if traces else None


def size_of(job: dict[str, Any]) -> str:
    """The class of size of a result: "hd" ..."""
    width = (job["options__resolution"] or [job["source__info__width"] or 0])[0]
    return next((name for name, (least, below) in SIZES.items() if least <= width < below), "sd")


def time_per_frame(done: Iterable[Any]) -> dict[str, Any] | None:
    """Bars: the middle time of a new frame, by size of the result and by model."""
    times: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for job in done:
        if job["ms"]:
            times[job["model_name"] or "?"][size_of(job)].append(job["ms"])
    if not times:
        return None
    sizes = [(name, str(words)) for name, words in SIZE_WORDS if any(by_size.get(name) for by_size in times.values())]
    traces = [
        bars(
            [words for _name, words in sizes],
            [round(median(by_size[name])) if by_size.get(name) else None for name, _words in sizes],
            model,
            COLORS[at % len(COLORS)],
        )
        for at, (model, by_size) in enumerate(sorted(times.items()))
    ]
    return figure(traces, y=_("ms a new frame"), barmode="group")


def distribution(values: list[float], bins: Sequence[tuple[float, float]], x: str, form: str) -> dict[str, Any] | None:
    """Bars: how many jobs have a figure in each bin. What lies beyond is counted in the last one of its side."""
    if len(values) < 2:
        return None
    counts = [0] * len(bins)
    for value in values:
        at = next((at for at, (_low, high) in enumerate(bins) if value < high), len(bins) - 1)
        counts[at] += 1
    shown = [at for at, count in enumerate(counts) if count]
    kept = range(max(0, shown[0] - 1), min(len(bins), shown[-1] + 2))
    names = [f"{form.format(bins[at][0])}–{form.format(bins[at][1])}" for at in kept]
    return figure(
        [bars(names, [counts[at] for at in kept], _("jobs"), "--new")], x=x, y=_("jobs"), category=True, counts=True
    )


def bars(x: list[Any], y: list[Any], name: str, color: str) -> dict[str, Any]:
    return {"type": "bar", "x": x, "y": y, "name": name, "meta": {"color": color}}


def figure(
    traces: list[dict[str, Any]],
    *,
    x: str = "",
    y: str = "",
    category: bool = False,
    barmode: str = "group",
    counts: bool = False,
) -> dict[str, Any]:
    """counts: the bars count things, so that the axis has whole numbers only (Plotly alone would mark half jobs)."""
    highest = max(sum(stack) for stack in zip(*(trace["y"] for trace in traces), strict=True)) if counts else 0
    layout: dict[str, Any] = {
        "height": 280,
        "barmode": barmode,
        "showlegend": len(traces) > 1,
        "xaxis": {"title": {"text": x}, "fixedrange": True, **({"type": "category"} if category else {})},
        "yaxis": {
            "title": {"text": y},
            "rangemode": "tozero",
            "fixedrange": True,
            **({"dtick": 1} if counts and highest <= WHOLE_STEPS else {}),
        },
    }
    return {"data": traces, "layout": layout}
