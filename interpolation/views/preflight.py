"""The card before a job: the source beside what will come of it, what that costs, and what should be known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from engine.checkpoint import ModelInfo
from engine.config import RenderOptions
from engine.disk import in_words
from engine.formats import FORMATS

from .. import services
from ..job_form import time_text
from ..models import Source
from ..services.preflight import Advice, Cost, Preflight
from ..templatetags.inbetween import clock, format_label, fps, fraction, span
from .facts import sound_words


@dataclass(frozen=True, slots=True)
class Row:
    """what: its name. before, after: the source's and the result's; "" where there is nothing to say."""

    what: str
    before: str
    after: str
    note: str = ""  # small print of the source
    note_after: str = ""  # and of the result

    @property
    def same(self) -> bool:
        return self.before == self.after


def card(source: Source, options: RenderOptions, user: Any) -> dict[str, Any]:
    """For _preflight.html and _prediction.html."""
    found = services.preflight(source, options, user)
    order = {"stop": 0, "warning": 1, "tip": 2}
    return {
        "prediction": found.made,
        "rows": rows(source, options, found),
        "time": time_words(found.cost),
        "time_note": time_note(found.cost, options.model),
        "size": size_words(found.cost),
        "size_note": size_note(found.cost),
        "start": start_words(found.ahead),
        "warnings": sorted(found.warnings, key=lambda one: order[one.kind]),
    }


def rows(source: Source, options: RenderOptions, found: Preflight) -> list[Row]:
    info, made = source.info, found.made
    width, height = made.size
    size = f"{info.get('width', '?')} × {info.get('height', '?')}"
    most = _("at most %s") if made.at_most else "%s"
    table = [
        Row(_("Size"), size, f"{width} × {height}", _shape(info)),
        Row(_("Frames"), f"{info.get('frame_count') or 2:,}", most % f"{made.frames:,}", "", _new(made.new_frames)),
    ]
    if source.kind == Source.Kind.PICTURES:
        rate = f"{fps(made.fps)} fps"
        return [*table, Row(_("Frame rate"), "", rate), Row(_("Length"), "", clock(made.duration))]
    table.insert(1, Row(_("Frame rate"), f"{fps(info.get('fps'))} fps", _rate(options, found), _vfr(info)))
    table.append(Row(_("Length"), clock(info.get("duration")), clock(made.duration)))
    table.append(Row(_("Sound"), *_sound(info, options)))
    table.append(Row(_("Coding"), _coding(info), format_label(options.format), _light(info)))
    return [*table, *_seen(source, options)]


def _coding(info: dict[str, Any]) -> str:
    """The codec alone; of many pictures also that they are a film."""
    codec = str(info.get("codec", ""))
    return ", ".join([_("picture sequence"), codec]) if info.get("container") == "picture sequence" else codec


def _shape(info: dict[str, Any]) -> str:
    words = [_("turned by %s°") % info["rotation"]] if info.get("rotation") else []
    if fraction(info.get("sar")) not in (None, Fraction(0), Fraction(1)):
        words.append(_("pixels %s, not square") % info["sar"])
    return ", ".join(words)


def _vfr(info: dict[str, Any]) -> str:
    return _("variable: every frame keeps its own time") if info.get("is_vfr") else ""


def _new(count: int) -> str:
    return ngettext("%(count)s drawn anew", "%(count)s drawn anew", count) % {"count": f"{count:,}"} if count else ""


def _rate(options: RenderOptions, found: Preflight) -> str:
    return "–" if found.made.at_most else f"{fps(found.made.fps)} fps"


def _light(info: dict[str, Any]) -> str:
    words = [_("HDR: its tags are kept")] if info.get("hdr") else []
    if (info.get("bit_depth") or 8) > 8:
        words.append(_("%s bits a channel") % info["bit_depth"])
    if info.get("interlaced"):
        words.append(_("interlaced: whole frames are made of it"))
    return ", ".join(words)


def _sound(info: dict[str, Any], options: RenderOptions) -> tuple[str, str, str]:
    audio = info.get("audio") or []
    if not audio:
        return _("none"), _("none"), ""
    before, note = sound_words(audio)
    if not FORMATS[options.format].sound_encoder:
        return before, _("none: %s has no sound") % format_label(options.format), note
    if options.sound == "drop" or (options.sound == "keep" and options.mode == "slow"):
        return before, _("left out"), note
    return before, _("stretched") if options.sound == "stretch" else _("kept"), note


def _seen(source: Source, options: RenderOptions) -> list[Row]:
    """What a glance at the upload showed, only where it matters."""
    seen = source.info.get("glance") or {}
    found = []
    if seen.get("cuts"):
        words = ngettext("%s change seen", "%s changes seen", seen["cuts"]) % seen["cuts"]
        after = _("cross-faded") if options.cut == "crossfade" else _("kept sharp")
        found.append(Row(_("Shots"), words, after, _of_frames(seen)))
    if seen.get("cadence"):
        words = {"keep": _("as they are"), "retime": _("evened out"), "drop": _("taken out")}
        found.append(Row(_("Repeated frames"), str(seen["cadence"]), words[options.duplicates], _of_frames(seen)))
    return found


def _of_frames(seen: dict[str, Any]) -> str:
    return "" if seen.get("whole") else _("in %s frames that were looked at") % f"{seen['frames']:,}"


# -- What it costs -----------------------------------------------------------------------------------------------------


def time_words(cost: Cost) -> str:
    return _("about %s") % span(cost.time.seconds) if cost.time else _("unknown")


def time_note(cost: Cost, model: str) -> str:
    """What the time rests on."""
    if cost.time is None:
        return _("No job has run here yet, and this model was not measured.")
    between = _("%(low)s to %(high)s") % {"low": span(cost.time.low), "high": span(cost.time.high)}
    if not cost.learned:
        return _("A first guess, %s: no job has run here yet. It rests on the benchmark of the model.") % between
    jobs = ngettext("%s job", "%s jobs", cost.time.jobs) % cost.time.jobs
    return _("%(between)s, from %(jobs)s done here.") % {"between": between, "jobs": jobs}


def size_words(cost: Cost) -> str:
    return _("about %s") % in_words(cost.size.bytes)


def size_note(cost: Cost) -> str:
    if not cost.size.jobs:
        return _("A rule of thumb: nothing of this format was made here yet.")
    return ngettext("From %s file made here.", "From %s files made here.", cost.size.jobs) % cost.size.jobs


def start_words(ahead: int) -> str:
    if not ahead:
        return _("at once")
    return ngettext("after %s job at most", "after %s jobs at most", ahead) % ahead


def short_cost(cost: Cost) -> str:
    """For the presets: "40 s, 3.1 MB"."""
    size = in_words(cost.size.bytes)
    if cost.time is None:
        return size
    seconds = cost.time.seconds
    return f"{span(seconds if seconds < 100 else round(seconds / 60) * 60)}, {size}"


# -- What to compare with ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Versus:
    """What the settings of the form can be compared with."""

    value: str
    name: str
    changes: dict[str, Any]


def versus(source: Source, user: Any, models: Sequence[ModelInfo]) -> list[tuple[str, list[Versus]]]:
    """In groups, for the choice on the page of a new job."""
    groups = {"content": _("By content"), "quality": _("By quality"), "own": _("Your presets")}
    offered = services.setups(source, user)
    found = [
        (words, [Versus(f"preset:{one.key}", one.name, one.options) for one in offered if one.group == group])
        for group, words in groups.items()
    ]
    drawn = [Versus(f"model:{one.name}", one.name, {"model": one.name}) for one in models]
    found.append((_("The same, drawn by"), drawn))
    return [(words, choices) for words, choices in found if choices]


def clock_of_busiest(source: Source) -> str:
    """Where the film moves most, as far as was looked at; else its middle."""
    seen = (source.info.get("glance") or {}).get("busiest")
    return time_text(str(round(float(seen), 1))) if seen is not None else "0:00"


def as_json(found: Preflight) -> dict[str, Any]:
    """For the API: numbers, and the warnings in words."""
    time = found.cost.time
    return {
        "seconds": round(time.seconds, 1) if time else None,
        "seconds_low": round(time.low, 1) if time else None,
        "seconds_high": round(time.high, 1) if time else None,
        "learned_from_jobs": time.jobs if time else 0,
        "file_bytes": found.cost.size.bytes,
        "file_bytes_learned_from_jobs": found.cost.size.jobs,
        "jobs_ahead": found.ahead,
        "warnings": [_warning(one) for one in found.warnings],
    }


def _warning(one: Advice) -> dict[str, Any]:
    return {"kind": one.kind, "words": one.words, "change": {one.change[0]: one.change[1]} if one.change else {}}
