"""Which settings of a job are wrong, each with the reason in the engine's own words, so that pages and API can put it
beside the setting it is about."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from engine.config import RenderOptions, parse_seconds
from engine.errors import BadOptionsError
from engine.formats import FORMATS
from interpolation.models import Source

from .prediction import predict

# Checked in this order, each with the settings that it depends on, and only while those are good.
CHECKED: dict[str, tuple[str, ...]] = {
    "mode": ("target_fps",),
    "inbetween": (),
    "target_fps": (),
    "resolution": (),
    "cut": (),
    "format": (),
    "quality": (),
    "crf": ("format",),
    "bit_depth": ("format",),
    "encoder": ("format",),
    "sound": (),
    "deinterlace": (),
    "loop": (),
    "trim_start": (),
    "trim_end": ("trim_start",),
    "duplicates": ("mode", "target_fps", "loop"),
}
BLAMED = {"mode": "target_fps"}  # the exact-rate mode is not wrong; the rate that it needs is missing


def wrong_options(source: Source, values: Mapping[str, Any]) -> dict[str, str]:
    """{name of the setting: what is wrong and what to do}; empty where all are good. Missing ones have their defaults.

    values: as `RenderOptions.from_dict` takes them.
    """
    found: dict[str, str] = {}
    for name, others in CHECKED.items():
        if name in values and not any(one in found for one in (name, *others)):
            _check(name, {one: values[one] for one in (name, *others) if one in values}, found)
    return found or unfit_options(source, values)


def _check(name: str, taken: dict[str, Any], found: dict[str, str]) -> None:
    try:
        RenderOptions.from_dict(taken)
    except BadOptionsError as error:
        blamed = BLAMED.get(name, name) if taken.get("mode") == "fps" else name
        found[blamed] = str(error)


def unfit_options(source: Source, values: Mapping[str, Any]) -> dict[str, str]:
    """As `wrong_options`, of good settings: what this source cannot have. It would do nothing, or fail after a wait."""
    options = RenderOptions.from_dict(dict(values))
    if too_fast := FORMATS[options.format].too_fast(predict(source, options).fps):
        return {"format": too_fast}
    if source.kind == Source.Kind.PICTURES:
        trims = dict.fromkeys(("trim_start", "trim_end"), _("Two pictures have no part to cut out. Leave it empty."))
        wrong = {name: words for name, words in trims.items() if values.get(name) not in (None, "")}
        if values.get("duplicates", "keep") != "keep":
            wrong["duplicates"] = _("Two pictures have no repeated frames. Choose keep.")
        return wrong
    duration = Fraction(source.info.get("duration") or 0)
    start = parse_seconds(values["trim_start"]) if values.get("trim_start") is not None else None
    if start is not None and duration and start >= duration:
        return {
            "trim_start": _("The video is %(seconds)s s long. Choose an earlier start.")
            % {"seconds": f"{float(duration):.6g}"}
        }
    return {}
