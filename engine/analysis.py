"""The first pass over a video: when its frames are shown, and what lies between them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from .errors import BadInputError
from .files import atomically
from .scenes import Gap, SceneScanner, small_size
from .timeline import film_duration
from .video import VideoInfo, read_frames

CHART_POINTS = 2000  # a chart shows no more; of a longer film the busiest gap of each stretch is kept


@dataclass(frozen=True, slots=True)
class Analysis:
    """pts: of every frame that can be decoded, seconds, as the file has them; this finds a frame again.

    gaps: one fewer; motion in source pixels. duration: of the film, seconds. notes: what could not be read, in words.
    """

    pts: list[Fraction]
    gaps: list[Gap]
    duration: Fraction
    notes: list[str]

    @property
    def times(self) -> list[Fraction]:
        """When each frame is shown, from 0. If the first frames of a damaged file are lost, the first that is left
        stands in for them, so that the sound still fits."""
        return [Fraction(0), *self.pts[1:]]

    @property
    def cuts(self) -> list[int]:
        """Index of the first frame of every new shot."""
        return [index + 1 for index, gap in enumerate(self.gaps) if gap.cut]

    def cut_times(self, stretch: int = 1) -> list[float]:
        """When the new shots begin, in seconds of the result."""
        times = self.times
        return [round(float(times[index] * stretch), 4) for index in self.cuts]

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
        times = self.times
        shown = [index for index, gap in enumerate(self.gaps) if not gap.cut]
        step = -(-len(shown) // CHART_POINTS) or 1
        busiest = (
            max(shown[start : start + step], key=lambda index: self.gaps[index].motion)
            for start in range(0, len(shown), step)
        )
        return [
            {"time": round(float(times[index] * stretch), 4), "px": round(self.gaps[index].motion, 3)}
            for index in busiest
        ]

    def to_dict(self) -> dict[str, Any]:
        return {
            "pts": [str(time) for time in self.pts],
            "gaps": [[int(gap.cut), int(gap.duplicate), round(gap.motion, 4)] for gap in self.gaps],
            "duration": str(self.duration),
            "notes": self.notes,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Analysis:
        gaps = [Gap(bool(cut), bool(duplicate), float(motion)) for cut, duplicate, motion in data["gaps"]]
        return cls([Fraction(time) for time in data["pts"]], gaps, Fraction(data["duration"]), list(data["notes"]))


def analyse(source: Path, info: VideoInfo, on_frame: Callable[[int], None]) -> Analysis:
    """Decodes the whole video once, small. `on_frame` gets the number of frames so far (and may raise to stop).

    Raises:
        BadInputError: no two frames of it can be decoded.
    """
    size = small_size(info.width, info.height)
    scanner, pts, notes = SceneScanner(), list[Fraction](), list[str]()
    for frame in read_frames(source, resolution=size, info=info, on_notice=notes.append):
        scanner.push(frame.rgb)
        pts.append(frame.pts)
        on_frame(len(pts))
    if len(pts) < 2:
        raise BadInputError("The video has only one frame. There is nothing to draw between; at least two are needed.")
    scale = max(info.width, info.height) / max(size)
    gaps = [Gap(gap.cut, gap.duplicate, gap.motion * scale) for gap in scanner.finish()]
    return Analysis(pts, gaps, film_duration(pts, info.duration), notes)


def analyse_once(source: Path, info: VideoInfo, keep: Path, identity: str, on_frame: Callable[[int], None]) -> Analysis:
    """`analyse`, or what an earlier call kept in the file `keep` for the same source (`identity`)."""
    try:
        data = json.loads(keep.read_text())
        if data["identity"] == identity:
            return Analysis.from_dict(data)
    except (OSError, ValueError, KeyError, TypeError):
        pass  # none, half of one, or of another version: made anew
    analysis = analyse(source, info, on_frame)
    with atomically(keep) as part:
        part.write_text(json.dumps({"identity": identity, **analysis.to_dict()}))
    return analysis
