"""The first pass over a video: when its frames are shown, and what lies between them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from .config import DuplicatePolicy, RenderOptions
from .errors import BadInputError
from .files import atomically
from .retime import cadence, drawings, keys, merged, times_of
from .scenes import Gap, SceneScanner, small_size
from .timeline import film_duration
from .translation import gettext as _
from .video import VideoInfo, frame_times, read_frames

CHART_POINTS = 2000  # a chart shows no more; of a longer film the busiest gap of each stretch is kept
FORMAT = 3  # of the kept file; raised when what is found in the same source changes


@dataclass(frozen=True, slots=True)
class Analysis:
    """The frames that are used of a video, and what lies between them.

    pts: of every one that can be decoded, seconds, as the file has them; this finds a frame again. times: when each is
    shown, seconds from 0. gaps: one fewer; motion in source pixels. back: from the last frame to the first, for a loop.
    duration: of the film, seconds. origin: the second of the file that is 0 here. notes: what could not be read, in
    words. numbers: which frame each was before repeated ones were taken out.
    """

    pts: list[Fraction]
    times: list[Fraction]
    gaps: list[Gap]
    back: Gap
    duration: Fraction
    origin: Fraction
    notes: list[str]
    numbers: list[int]

    def edited(self, duplicates: DuplicatePolicy) -> Analysis:
        """With repeated frames kept, evened out ("retime") or taken out ("drop")."""
        if duplicates == "retime":
            found = keys(self.gaps, self.times, self.duration)
            return self._only([key.number for key in found], times_of(found, self.times, self.duration))
        if duplicates == "drop":
            numbers = drawings(self.gaps)
            return self._only(numbers, [self.times[number] for number in numbers])
        return self

    def _only(self, numbers: list[int], times: list[Fraction]) -> Analysis:
        gaps = [merged(self.gaps, left, right) for left, right in pairwise(numbers)]
        return replace(self, pts=[self.pts[number] for number in numbers], times=times, gaps=gaps, numbers=numbers)

    @property
    def cadence(self) -> dict[str, Any] | None:
        """The rhythm of repeated frames: see `retime.cadence`. Of an edited film there is none any more."""
        return cadence(self.gaps, self.times, self.duration)

    @property
    def cuts(self) -> list[int]:
        """Index of the first frame of every new shot."""
        return [index + 1 for index, gap in enumerate(self.gaps) if gap.cut]

    def cut_times(self, stretch: int = 1) -> list[float]:
        """When the new shots begin, in seconds of the result."""
        return [round(float(self.times[index] * stretch), 4) for index in self.cuts]

    def moving(self) -> list[int]:
        """The gaps in which something is to be drawn."""
        return [index for index, gap in enumerate(self.gaps) if not gap.still]

    def busy_gap(self) -> int | None:
        """A gap that shows what the film moves like at its busiest: more motion than in 19 of 20, not the outlier."""
        moving = sorted(self.moving(), key=lambda index: self.gaps[index].motion)
        return moving[(len(moving) - 1) * 19 // 20] if moving else None

    def spread_gaps(self, count: int) -> list[int]:
        """Up to `count` gaps over the whole film: the busiest of each stretch."""
        moving = self.moving()
        count = min(count, len(moving))
        stretches = [moving[len(moving) * n // count : len(moving) * (n + 1) // count] for n in range(count)]
        return [max(stretch, key=lambda index: self.gaps[index].motion) for stretch in stretches]

    def motion_chart(self, stretch: int = 1) -> list[dict[str, float]]:
        """[{"time": seconds in the result, "px": median speed in source pixels per frame}]; no cuts."""
        shown = [index for index, gap in enumerate(self.gaps) if not gap.cut]
        step = -(-len(shown) // CHART_POINTS) or 1
        busiest = (
            max(shown[start : start + step], key=lambda index: self.gaps[index].motion)
            for start in range(0, len(shown), step)
        )
        return [
            {"time": round(float(self.times[index] * stretch), 4), "px": round(self.gaps[index].motion, 3)}
            for index in busiest
        ]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, of a film that is not edited; `from_dict` gives it back."""
        return {
            "pts": [str(time) for time in self.pts],
            "gaps": [_packed(gap) for gap in self.gaps],
            "back": _packed(self.back),
            "duration": str(self.duration),
            "origin": str(self.origin),
            "notes": self.notes,
            "cadence": self.cadence,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Analysis:
        return _whole(
            [Fraction(time) for time in data["pts"]],
            [_unpacked(gap) for gap in data["gaps"]],
            _unpacked(data["back"]),
            Fraction(data["duration"]),
            Fraction(data["origin"]),
            list(data["notes"]),
        )


def _packed(gap: Gap) -> list[float]:
    return [int(gap.cut), int(gap.duplicate), round(gap.motion, 4), int(gap.flash)]


def _unpacked(values: list[float]) -> Gap:
    cut, duplicate, motion, flash = values
    return Gap(bool(cut), bool(duplicate), float(motion), bool(flash))


def _whole(
    pts: list[Fraction], gaps: list[Gap], back: Gap, duration: Fraction, origin: Fraction, notes: list[str]
) -> Analysis:
    """If the first frames of a damaged file are lost, the first that is left stands in for them from 0 on, so that the
    sound still fits."""
    times = [Fraction(0), *(time - origin for time in pts[1:])]
    return Analysis(pts, times, gaps, back, duration, origin, notes, list(range(len(pts))))


def analyse(
    source: Path,
    info: VideoInfo,
    on_frame: Callable[[int], None],
    *,
    start: Fraction | None = None,
    stop: Fraction | None = None,
) -> Analysis:
    """Decodes the video once, small. `on_frame` gets the number of frames so far (and may raise to stop).

    start, stop: seconds; only the frames shown at start <= time < stop are read. The film then begins with the first of
    them, at 0, and ends where the frame after the last one begins: it is cut at frames, exactly.

    Raises:
        BadInputError: no two frames of it can be decoded, or lie between start and stop.
    """
    size = small_size(info.width, info.height)
    scanner, pts, notes = SceneScanner(), list[Fraction](), list[str]()
    if start is not None and start >= info.duration:
        raise BadInputError(
            _("The part to use begins at {start}, but the video is {duration} long.").format(
                start=_s(start), duration=_s(info.duration)
            )
        )
    for frame in read_frames(source, start=start, stop=stop, resolution=size, info=info, on_notice=notes.append):
        scanner.push(frame.rgb)
        pts.append(frame.pts)
        on_frame(len(pts))
    if len(pts) < 2:
        raise BadInputError(_too_few(len(pts), start, stop, info.duration))
    scale = max(info.width, info.height) / max(size)
    gaps = [replace(gap, motion=gap.motion * scale) for gap in (*scanner.finish(), scanner.way_back())]
    origin = pts[0] if start else Fraction(0)
    following = next((time for time in frame_times(source) if time >= stop), None) if stop is not None else None
    end = following or film_duration(pts, info.duration)
    return _whole(pts, gaps[:-1], gaps[-1], end - origin, origin, notes)


def _too_few(count: int, start: Fraction | None, stop: Fraction | None, duration: Fraction) -> str:
    if start is None and stop is None:
        return _("The video has only one frame. There is nothing to draw between; at least two are needed.")
    end = min(stop, duration) if stop is not None else duration
    if count:
        words = _("Only one frame of the video lies between {start} and {end}. Choose a longer part to use.")
    else:
        words = _("No frame of the video lies between {start} and {end}. Choose a longer part to use.")
    return words.format(start=_s(start or Fraction(0)), end=_s(end))


def _s(seconds: Fraction) -> str:
    return f"{float(seconds):.6g} s"


def analyse_once(
    source: Path, info: VideoInfo, keep: Path, identity: str, options: RenderOptions, on_frame: Callable[[int], None]
) -> Analysis:
    """`analyse` of the part that `options` asks for, or what an earlier call kept in the file `keep` for the same part
    of the same source (`identity`)."""
    identity = f"{FORMAT} {identity} {options.trim_start} {options.trim_end}"
    try:
        data = json.loads(keep.read_text())
        if data["identity"] == identity:
            return Analysis.from_dict(data)
    except (OSError, ValueError, KeyError, TypeError):
        pass  # none, half of one, or of another version: made anew
    found = analyse(source, info, on_frame, start=options.trim_start, stop=options.trim_end).to_dict()
    with atomically(keep) as part:
        part.write_text(json.dumps({"identity": identity, **found}))
    return Analysis.from_dict(found)  # as a later call reads it: figures are rounded there, and choices hang on them
