"""What a job will make, from what is known of its source: the same numbers as the render gives, without reading it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from engine.config import RenderOptions
from engine.timeline import picture_times
from interpolation.models import Source


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the result will be: frames, of which new; frames per second; seconds; (width, height).

    source_frames: of the part that is used. at_most: nobody knows how many, but not more than so many frames.
    """

    frames: int
    new_frames: int
    fps: Fraction
    duration: Fraction
    size: tuple[int, int]
    source_frames: int
    at_most: bool = False


def predict(source: Source, options: RenderOptions) -> Prediction:
    """The same numbers as engine.timeline.plan gives, without reading the film."""
    size = options.resolution or (source.info.get("width") or 0, source.info.get("height") or 0)
    if source.kind == Source.Kind.PICTURES:
        times, seconds = picture_times(options.inbetween, options.target_fps, options.loop)
        return Prediction(len(times), options.inbetween, len(times) / seconds, seconds, size, 2)
    return _predict_video(source, options, size)


def _predict_video(source: Source, options: RenderOptions, size: tuple[int, int]) -> Prediction:
    rate = as_fraction(source.info.get("fps")) or Fraction(25)
    count, duration = _used(source, options, rate)
    if options.duplicates == "drop":
        return Prediction(count, 0, rate, duration, size, count, at_most=True)
    if options.mode == "fps":
        assert options.target_fps is not None
        frames = max(1, math.floor(duration * options.target_fps + Fraction(1, 2)))
        new = _drawn_at_rate(count, rate, options.target_fps, frames, loop=options.loop)
        return Prediction(frames, new, options.target_fps, frames / options.target_fps, size, count)
    multiplier = options.inbetween + 1
    stretch = multiplier if options.mode == "slow" else 1
    gaps = count if options.loop else max(0, count - 1)
    new = gaps * options.inbetween
    return Prediction(count * multiplier, new, rate * multiplier / stretch, duration * stretch, size, count)


def _used(source: Source, options: RenderOptions, rate: Fraction) -> tuple[int, Fraction]:
    """How many frames the part to use has, and how long it lasts, in seconds. It is cut at frames."""
    count = source.info.get("frame_count") or 0
    duration = as_fraction(source.info.get("duration")) or count / rate
    if options.trim_start is None and options.trim_end is None:
        return count, duration
    first = min(count, math.ceil((options.trim_start or 0) * rate))
    last = count if options.trim_end is None else min(count, math.ceil(options.trim_end * rate))
    end = duration if last == count else last / rate
    return max(0, last - first), max(Fraction(0), end - first / rate)


def _drawn_at_rate(count: int, rate: Fraction, target: Fraction, frames: int, *, loop: bool) -> int:
    """How many of `frames` at `target` lie strictly between two of `count` source frames at `rate`."""
    before_last = frames if loop else min(frames, math.ceil((count - 1) * target / rate))
    on_a_source_frame = math.ceil(before_last / (rate / target).denominator)
    return max(0, before_last - on_a_source_frame)


def as_fraction(value: Any) -> Fraction | None:
    """A number as stored in JSON ("24000/1001", 25, "1.5"), or None."""
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return None
