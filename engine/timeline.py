"""Which output frame lies where: exact rational time (seconds from the first source frame), no picture work.

N source frames at multiplier M give N*M output frames. Every gap between two source frames is cut into M equal parts, so a
variable frame rate keeps its timing; the last frame has no right neighbour and is held for its own duration.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from .config import RenderOptions
from .errors import BadInputError

JITTER = Fraction(1, 1000)  # seconds: containers that count milliseconds cannot say 1/24
MAX_TIMESCALE = 2**31 - 1  # ticks per second that fit an mp4 header
FALLBACK_TIMESCALE = 1_000_000


@dataclass(frozen=True, slots=True)
class OutputFrame:
    """Output frame `index` at `time` seconds lies at `t` in [0, 1) between source frames `left` and `left + 1`."""

    index: int
    time: Fraction
    left: int
    t: Fraction  # 0: source frame `left` itself, untouched


@dataclass(frozen=True, slots=True)
class Timeline:
    """A plan that is computed frame by frame; it stores the source times and nothing per output frame.

    `rate` is set in exact-rate mode only; else every gap holds `multiplier` frames and time is stretched by `stretch`.
    """

    source_times: tuple[Fraction, ...]
    source_duration: Fraction
    multiplier: int
    stretch: int
    rate: Fraction | None

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
    def time_base(self) -> Fraction:
        """A tick of which every output time is a whole multiple (or a microsecond, where no header could hold it)."""
        if self.rate is not None:
            return Fraction(1, self.rate.numerator)
        ticks = math.lcm(self.source_duration.denominator, *(time.denominator for time in self.source_times))
        ticks *= self.multiplier // math.gcd(self.multiplier, self.stretch)
        return Fraction(1, ticks if ticks <= MAX_TIMESCALE else FALLBACK_TIMESCALE)

    def frame(self, index: int) -> OutputFrame:
        """Where output frame `index` lies."""
        if self.rate is not None:
            time = index / self.rate
            left = bisect_right(self.source_times, time) - 1
            return OutputFrame(index, time, left, self._between(left, time))
        left, step = divmod(index, self.multiplier)
        t = Fraction(step, self.multiplier)
        start, end = self.source_times[left], self._end(left)
        return OutputFrame(index, (start + t * (end - start)) * self.stretch, left, t if self._has_right(left) else Fraction(0))

    def end(self, index: int) -> Fraction:
        """When output frame `index` stops being shown."""
        return self.frame(index + 1).time if index + 1 < len(self) else self.duration

    def indices(self, first: int, last: int) -> range:
        """Output frames whose left source frame is in [first, last)."""
        if self.rate is None:
            return range(first * self.multiplier, last * self.multiplier)
        return range(self._first_index(first), self._first_index(last))

    def _first_index(self, left: int) -> int:
        if left >= len(self.source_times):
            return len(self)
        assert self.rate is not None
        return min(len(self), math.ceil(self.source_times[left] * self.rate))

    def _has_right(self, left: int) -> bool:
        return left + 1 < len(self.source_times)

    def _end(self, left: int) -> Fraction:
        return self.source_times[left + 1] if self._has_right(left) else self.source_duration

    def _between(self, left: int, time: Fraction) -> Fraction:
        if not self._has_right(left):
            return Fraction(0)
        start = self.source_times[left]
        return (time - start) / (self.source_times[left + 1] - start)


def plan(times: Sequence[Fraction], duration: Fraction, options: RenderOptions) -> Timeline:
    """The output frames for source frames shown at `times` (seconds, from 0, rising) of a film `duration` seconds long.

    smooth: N*M frames, same duration. slow: N*M frames at the source's rate, duration x M. fps: frame k at k/fps, and
    as many as come nearest to the duration (half a frame at most is missing or over).

    Raises:
        BadInputError: fewer than two frames: there is nothing between them.
    """
    if len(times) < 2:
        raise BadInputError("The video has only one frame. There is nothing to draw between; at least two are needed.")
    if times[0] != 0 or any(after <= before for before, after in zip(times, times[1:], strict=False)):
        raise ValueError("source times must start at 0 and rise")
    if duration <= times[-1]:
        raise ValueError("the duration must reach beyond the last frame")
    multiplier = options.inbetween + 1
    stretch = multiplier if options.mode == "slow" else 1
    rate = options.target_fps if options.mode == "fps" else None
    return Timeline(tuple(times), duration, multiplier, stretch, rate)


def picture_times(inbetween: int, fps: Fraction | None) -> tuple[list[Fraction], Fraction]:
    """Times of the `inbetween + 2` frames of the little film made of two pictures, and its duration, in seconds.

    At `fps` when one is given. Without, nobody knows how far apart the pictures were taken: one second passes from the
    first to the second.
    """
    rate = fps or Fraction(inbetween + 1)
    return [index / rate for index in range(inbetween + 2)], (inbetween + 2) / rate


def steady_times(times: Sequence[Fraction], fps: Fraction | None = None) -> list[Fraction]:
    """The same times with a container's rounding taken out, when they are a constant rate to within a millisecond.

    WebM and Matroska store 24 fps as 0, 0.042, 0.083...; those become 0, 1/24, 2/24. `fps` is the rate the file declares,
    tried first. A really variable rate comes back unchanged.
    """
    found = list(times)
    if len(found) < 2:
        return found
    for rate in _likely_rates((len(found) - 1) / (found[-1] - found[0]), fps):
        if all(abs(time - index / rate) <= JITTER for index, time in enumerate(found)):
            return [index / rate for index in range(len(found))]
    return found


def film_duration(times: Sequence[Fraction], declared: Fraction | None) -> Fraction:
    """How long a film with frames at `times` lasts: as declared, unless that contradicts the frames.

    With a constant rate the last frame lasts as long as the others. Else it lasts to the declared end, or, when that lies
    before the frame itself, as long as the frame before it.
    """
    gap = times[-1] - times[-2] if len(times) > 1 else Fraction(1, 25)
    if declared is None or declared <= times[-1] or _is_steady(times):
        return times[-1] + gap
    return declared


def nearest_index(times: Sequence[Fraction], time: Fraction) -> int:
    """The index of the entry of rising `times` nearest to `time`."""
    right = min(bisect_left(times, time), len(times) - 1)
    left = max(0, right - 1)
    return left if abs(times[left] - time) <= abs(times[right] - time) else right


def _is_steady(times: Sequence[Fraction]) -> bool:
    return len(times) > 1 and all(time == index * times[1] for index, time in enumerate(times))


def _likely_rates(average: Fraction, declared: Fraction | None) -> Iterator[Fraction]:
    if declared:
        yield declared
    yield Fraction(max(1, round(average)))
    yield Fraction(max(1, round(average * 1001 / 1000)) * 1000, 1001)
    yield Fraction(max(1, round(average * 2)), 2)
    yield average
