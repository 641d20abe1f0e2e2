"""Which output frame lies where: exact rational time (seconds from the first source frame), no picture work.

N source frames at multiplier M give N*M output frames. Every gap between two source frames is cut into M equal parts,
so a variable frame rate keeps its timing; the last frame has no right neighbour and is held for its own duration, or,
in a loop, what lies between it and the first frame is drawn there.

What is shown at an output time lies between two **keys**: the source frames that are drawn between, at the times they
stand for. Usually these are all source frames at their own times; retimed animation has fewer (engine/retime.py).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from .config import RenderOptions
from .errors import BadInputError
from .translation import gettext as _

MAX_TIMESCALE = 2**31 - 1  # ticks per second that fit an mp4 header
FALLBACK_TIMESCALE = 1_000_000


@dataclass(frozen=True, slots=True)
class OutputFrame:
    """Output frame `index` at `time` seconds lies at `t` in [0, 1) between keys `left` and `left + 1`.

    In a loop the key after the last is the first.
    """

    index: int
    time: Fraction
    left: int
    t: Fraction  # 0: key `left` itself, untouched


@dataclass(frozen=True, slots=True)
class Timeline:
    """A plan that is computed frame by frame; it stores the source times and nothing per output frame.

    `rate` is set in exact-rate mode only; else every gap holds `multiplier` frames and time is stretched by `stretch`.
    `keys`: when the frames that are drawn between stand, seconds of the source, from 0, rising.
    """

    source_times: tuple[Fraction, ...]
    source_duration: Fraction
    multiplier: int
    stretch: int
    rate: Fraction | None
    keys: tuple[Fraction, ...]
    loop: bool = False

    def __len__(self) -> int:
        if self.rate is None:
            return len(self.source_times) * self.multiplier
        return max(1, math.floor(self.source_duration * self.rate + Fraction(1, 2)))

    def __iter__(self) -> Iterator[OutputFrame]:
        return (self.frame(index) for index in range(len(self)))

    @property
    def duration(self) -> Fraction:
        """Seconds of the result, the last frame included."""
        return self.source_duration * self.stretch if self.rate is None else len(self) / self.rate

    @property
    def fps(self) -> Fraction:
        """Output frames per second: exact, and the average when the timing is variable."""
        return len(self) / self.duration

    @property
    def most_fps(self) -> Fraction:
        """Output frames per second where they follow each other fastest. Looks at all source times."""
        if self.rate is not None:
            return self.rate
        ends = (*self.source_times[1:], self.source_duration)
        shortest = min(end - start for start, end in zip(self.source_times, ends, strict=True))
        return self.multiplier / (shortest * self.stretch)

    @property
    def is_even(self) -> bool:
        """Whether every output frame is shown as long as any other. Looks at all source times."""
        step = self.source_duration / len(self.source_times)
        return self.rate is not None or all(time == place * step for place, time in enumerate(self.source_times))

    @property
    def time_base(self) -> Fraction:
        """A tick of which every output time is a whole multiple (or a microsecond, where no header could hold it)."""
        if self.rate is not None:
            return Fraction(1, self.rate.numerator)
        ticks = math.lcm(self.source_duration.denominator, *(time.denominator for time in self.source_times))
        ticks *= self.multiplier // math.gcd(self.multiplier, self.stretch)
        return Fraction(1, ticks if ticks <= MAX_TIMESCALE else FALLBACK_TIMESCALE)

    def frame(self, index: int) -> OutputFrame:
        """Where output frame `index` lies."""
        time = self._source_time(index)
        left = bisect_right(self.keys, time) - 1
        return OutputFrame(index, time * self.stretch, left, self._between(left, time))

    def end(self, index: int) -> Fraction:
        """When output frame `index` stops being shown."""
        return self._source_time(index + 1) * self.stretch if index + 1 < len(self) else self.duration

    def indices(self, first: int, last: int) -> range:
        """Output frames whose left key is in [first, last)."""
        return range(self._first_index(first), self._first_index(last))

    def _source_time(self, index: int) -> Fraction:
        if self.rate is not None:
            return index / self.rate
        place, step = divmod(index, self.multiplier)
        start = self.source_times[place]
        return start + Fraction(step, self.multiplier) * (self._end(place) - start) if step else start

    def _first_index(self, left: int) -> int:
        """The first output frame that is not before key `left`."""
        if left >= len(self.keys):
            return len(self)
        time = self.keys[left]
        if self.rate is not None:
            return min(len(self), math.ceil(time * self.rate))
        place = bisect_right(self.source_times, time) - 1
        start = self.source_times[place]
        part = (time - start) / (self._end(place) - start)
        return place * self.multiplier + math.ceil(part * self.multiplier)

    def _end(self, place: int) -> Fraction:
        """When source frame `place` stops being shown."""
        return self.source_times[place + 1] if place + 1 < len(self.source_times) else self.source_duration

    def _between(self, left: int, time: Fraction) -> Fraction:
        start = self.keys[left]
        if left + 1 < len(self.keys):
            return (time - start) / (self.keys[left + 1] - start)
        return (time - start) / (self.source_duration - start) if self.loop else Fraction(0)


def plan(
    times: Sequence[Fraction],
    duration: Fraction,
    options: RenderOptions,
    keys: Sequence[Fraction] | None = None,
) -> Timeline:
    """The output frames for source frames shown at `times` (seconds, from 0, rising) of a film `duration` seconds long.

    smooth: N*M frames, same duration. slow: N*M frames at the source's rate, duration x M. fps: frame k at k/fps, and
    as many as come nearest to the duration (half a frame at most is missing or over). With duplicates "drop" nothing is
    drawn: the frames at `keys`, as they are. `keys` (None: `times`): when the frames that are drawn between stand.

    Raises:
        BadInputError: fewer than two frames: there is nothing between them.
    """
    if len(times) < 2:
        raise BadInputError(
            _("The video has only one frame. There is nothing to draw between; at least two are needed.")
        )
    keys = times if keys is None else keys
    for rising in (times, keys):
        if rising[0] != 0 or any(after <= before for before, after in pairwise(rising)):
            raise ValueError("source times must start at 0 and rise")
    if duration <= max(times[-1], keys[-1]):
        raise ValueError("the duration must reach beyond the last frame")
    if options.duplicates == "drop":
        return Timeline(tuple(keys), duration, 1, 1, None, tuple(keys))
    multiplier = options.inbetween + 1
    stretch = multiplier if options.mode == "slow" else 1
    rate = options.target_fps if options.mode == "fps" else None
    return Timeline(tuple(times), duration, multiplier, stretch, rate, tuple(keys), options.loop)


def picture_times(inbetween: int, fps: Fraction | None, loop: bool = False) -> tuple[list[Fraction], Fraction]:
    """Times of the `inbetween + 2` frames of the little film made of two pictures, and its duration, in seconds.

    A loop also goes back, through the same pictures: 2 * (`inbetween` + 1) frames. At `fps` when one is given. Without,
    nobody knows how far apart the pictures were taken: one second passes from the first to the second.
    """
    rate = fps or Fraction(inbetween + 1)
    count = 2 * (inbetween + 1) if loop else inbetween + 2
    return [index / rate for index in range(count)], count / rate


def film_duration(times: Sequence[Fraction], declared: Fraction) -> Fraction:
    """How long a film with frames at `times` lasts: as declared, or, when that ends before the last frame is shown (a
    damaged or cut file), until that has been shown as long as the one before it.
    """
    return declared if declared > times[-1] or len(times) < 2 else times[-1] + (times[-1] - times[-2])
