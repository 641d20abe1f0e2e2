"""A quick look into a video before anything is made of it: a few short stretches, for as long as there is time.

It says whether frames repeat (animation on twos, telecine), whether shots change, and where it moves most. A render
reads every frame and knows better; this is what can be told within a second or two of an upload.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from .errors import BadInputError
from .retime import NAMES, cadence
from .scenes import Gap, SceneScanner, small_size
from .translation import gettext as _
from .video import read_frames
from .video_info import VideoInfo

PLACES = 5  # stretches of a longer film that are looked at, spread over it
STRETCH = Fraction(3, 2)  # seconds of each
FRAMES = 48  # of each, at most
SECONDS = 2.5  # all of it takes no longer, however slow the film is to decode
ENOUGH = 8  # frames of a stretch that say something


@dataclass(frozen=True, slots=True)
class _Look:
    """A stretch that was looked at. start: seconds. gaps: motion in source pixels."""

    start: float
    gaps: list[Gap]
    times: list[Fraction]

    @property
    def motion(self) -> float:
        """As fast as it is at its busiest, without the outlier."""
        moving = [gap.motion for gap in self.gaps if not gap.still]
        return float(np.percentile(moving, 90)) if moving else 0.0


def glance(path: Path, info: VideoInfo, seconds: float = SECONDS) -> dict[str, Any]:
    """JSON-ready: {"frames": looked at, "whole": whether that is all of them, "cuts": seen, "repeated": share of frames
    that repeat the one before, 0-1, "cadence": "on twos" or "" where there is no rhythm, "motion": pixels per frame
    where it is busiest, "busiest": that place, seconds}. Empty when there was no time to see anything.
    """
    until = time.monotonic() + seconds
    looks = [look for start in _places(info) if time.monotonic() < until and (look := _look(path, info, start, until))]
    gaps = [gap for look in looks for gap in look.gaps]
    if not gaps:
        return {}
    busiest = max(looks, key=lambda look: look.motion)
    frames = len(gaps) + len(looks)
    return {
        "frames": frames,
        "whole": frames >= info.frame_count,
        "cuts": sum(gap.cut for gap in gaps),
        "repeated": round(sum(gap.duplicate for gap in gaps) / len(gaps), 3),
        "cadence": _rhythm(looks, info),
        "motion": round(busiest.motion, 2),
        "busiest": round(busiest.start, 3),
    }


def _places(info: VideoInfo) -> list[Fraction]:
    """Where stretches begin; the middle comes first, for films of which there is time for one only."""
    if info.duration <= PLACES * STRETCH:
        return [STRETCH * place for place in range(int(info.duration / STRETCH) + 1) if STRETCH * place < info.duration]
    room = info.duration - STRETCH
    return [room * place / 8 for place in (4, 1, 7, 2, 6)]


def _look(path: Path, info: VideoInfo, start: Fraction, until: float) -> _Look | None:
    size = small_size(info.width, info.height)
    scanner, times = SceneScanner(), list[Fraction]()
    frames = read_frames(path, start=start or None, stop=start + STRETCH, resolution=size, info=info)
    with suppress(BadInputError):  # this stretch cannot be decoded; another may
        for frame in islice(_in_time(frames, until), FRAMES):
            scanner.push(frame.rgb)
            times.append(frame.pts)
    if len(times) < min(ENOUGH, info.frame_count):
        return None
    scale = max(info.width, info.height) / max(size)
    gaps = [Gap(gap.cut, gap.duplicate, gap.motion * scale, gap.flash) for gap in scanner.finish()]
    return _Look(float(start), gaps, times)


def _in_time(frames: Iterator[Any], until: float) -> Iterator[Any]:
    for frame in frames:
        yield frame
        if time.monotonic() > until:
            return


def _rhythm(looks: list[_Look], info: VideoInfo) -> str:
    """The rhythm that most of what was looked at is in; "" where every frame is new, or nothing moves."""
    found = Counter[str]()
    for look in looks:
        times = [moment - look.times[0] for moment in look.times]
        rhythm = cadence(look.gaps, times, times[-1] + 1 / (info.fps or Fraction(25)))
        if rhythm is not None:
            found[rhythm["label"]] += round(rhythm["share"] * len(times))
    label = max(found, key=lambda name: found[name], default="")
    return "" if label == _(NAMES[1]) else label
