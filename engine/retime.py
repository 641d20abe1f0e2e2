"""Repeated frames: found again as a rhythm (animation on twos, telecine), evened out, or left out.

A **drawing** is a frame that shows something new, with the frames that repeat it; its **hold** is how many frames that
is. Evened out, only the drawings are left, at the places an even rhythm would give them, and all new frames are drawn
between drawings. Nothing moves by a source frame or more, so sound stays in sync, and nothing adds up.

What is no rhythm is not changed: holds longer than four frames and a sixth of a second are pauses and stay pauses, and
drawings on ones, then twos, stay where they were drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median_low
from typing import Any

from .scenes import Gap
from .translation import gettext as _
from .translation import gettext_noop, ngettext

PAUSE_FRAMES, PAUSE_SECONDS = 4, Fraction(1, 6)  # a hold longer than both is a pause
MAX_PERIOD = 30  # drawings after which a rhythm has to come again: 24 of 25 frames, 29 of 30
NAMES = {
    1: gettext_noop("on ones"),
    2: gettext_noop("on twos"),
    3: gettext_noop("on threes"),
    4: gettext_noop("on fours"),
}


@dataclass(frozen=True, slots=True)
class Key:
    """Source frame `number` stands at `place`, counted in source frames: 2.5 is half-way from frame 2 to frame 3."""

    number: int
    place: Fraction


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Drawings [first, last) of a shot in one rhythm: `drawings` of them in `frames` frames."""

    first: int
    last: int
    drawings: int
    frames: int


@dataclass(frozen=True, slots=True)
class _Shot:
    """starts: the first frame of every drawing, holds: how many frames it is shown. end: of the shot.
    pause: the longest hold that is none, in frames."""

    starts: list[int]
    holds: list[int]
    end: int
    pause: int

    def stretches(self) -> Iterator[_Stretch]:
        """All drawings that are no pauses, in rhythms, each as long as can be."""
        first = 0
        while first < len(self.holds):
            if self.holds[first] > self.pause:
                first += 1
                continue
            period, length = _rhythm(self.holds, first, self.pause)
            yield _Stretch(first, first + length, period, sum(self.holds[first : first + period]))
            first += length


def keys(gaps: Sequence[Gap], times: Sequence[Fraction], duration: Fraction) -> list[Key]:
    """The frames that are left when repeated ones are evened out, and where they stand. times, duration: seconds."""
    found = list[Key]()
    for shot in _shots(gaps, times, duration):
        places = [Fraction(start) for start in shot.starts]
        for stretch in shot.stretches():
            for index in range(stretch.first, stretch.last):
                step = Fraction((index - stretch.first) * stretch.frames, stretch.drawings)
                places[index] = shot.starts[stretch.first] + step
        for drawing, (start, place) in enumerate(zip(shot.starts, places, strict=True)):
            found.append(Key(start, place))
            found += [Key(number, Fraction(number)) for number in _held(shot, drawing, last=shot.end > len(gaps))]
    return found


def drawings(gaps: Sequence[Gap]) -> list[int]:
    """The frames that do not repeat the one before."""
    return [0, *(index + 1 for index, gap in enumerate(gaps) if not gap.duplicate)]


def times_of(found: Sequence[Key], times: Sequence[Fraction], duration: Fraction) -> list[Fraction]:
    """When the keys stand, in seconds."""
    moments = [*times, duration]
    whole = [int(key.place) for key in found]
    return [
        moments[place] + (key.place - place) * (moments[place + 1] - moments[place])
        for key, place in zip(found, whole, strict=True)
    ]


def cadence(gaps: Sequence[Gap], times: Sequence[Fraction], duration: Fraction) -> dict[str, Any] | None:
    """The rhythm most frames are in, leaving out pauses; None if nothing moves.

    {"label": "on twos", "share": of the frames 0-1, "drawings": 1, "frames": 2, "repeated": repeated frames in all}.
    """
    frames = Counter[tuple[int, int]]()
    for shot in _shots(gaps, times, duration):
        if len(shot.starts) > 1:
            for stretch in shot.stretches():
                frames[stretch.drawings, stretch.frames] += sum(shot.holds[stretch.first : stretch.last])
    if not frames:
        return None
    (count, of), most = max(frames.items(), key=lambda item: item[1])
    words = ngettext("{count} drawing in {frames} frames", "{count} drawings in {frames} frames", count)
    label = _(NAMES[of]) if count == 1 and of in NAMES else words.format(count=count, frames=of)
    share = round(most / frames.total(), 3)
    return {"label": label, "share": share, "drawings": count, "frames": of, "repeated": sum(g.duplicate for g in gaps)}


def merged(gaps: Sequence[Gap], left: int, right: int) -> Gap:
    """What lies between frames `left` and `right` of which the ones between only repeat `left`."""
    between = gaps[left:right]
    return Gap(
        cut=between[-1].cut,
        duplicate=all(gap.duplicate for gap in between),
        motion=between[-1].motion,
        flash=any(gap.flash for gap in between),
    )


def _shots(gaps: Sequence[Gap], times: Sequence[Fraction], duration: Fraction) -> Iterator[_Shot]:
    count, moments = len(gaps) + 1, [*times, duration]
    ends = [*(index + 1 for index, gap in enumerate(gaps) if gap.cut), count]
    for first, end in zip([0, *ends[:-1]], ends, strict=True):
        frame = (moments[end] - moments[first]) / (end - first)
        starts = [first, *(index + 1 for index in range(first, end - 1) if not gaps[index].duplicate)]
        holds = [after - start for start, after in pairwise([*starts, end])]
        yield _Shot(starts, holds, end, max(PAUSE_FRAMES, int(PAUSE_SECONDS / frame)))


def _held(shot: _Shot, drawing: int, last: bool) -> range:
    """The repetitions of a drawing that have to stay. last: the film ends with this shot.

    A pause ends as long before the next drawing as drawings are held around it. Before a cut the last frame stays, so
    that the new shot begins when it did.
    """
    start, hold = shot.starts[drawing], shot.holds[drawing]
    ends = drawing + 1 == len(shot.starts)
    if hold > shot.pause:
        return range(start + 1, shot.end if ends else start + hold - _typical(shot, drawing) + 1)
    return range(max(start + 1, shot.end - 1), shot.end) if ends and not last else range(0)


def _typical(shot: _Shot, drawing: int) -> int:
    """How long drawings are held after this one; if none are, before it."""
    after = [hold for hold in shot.holds[drawing + 1 : drawing + 5] if hold <= shot.pause]
    before = [hold for hold in shot.holds[max(0, drawing - 4) : drawing] if hold <= shot.pause]
    return median_low(after or before or [1])


def _rhythm(holds: Sequence[int], first: int, pause: int) -> tuple[int, int]:
    """(period, length): `length` holds from `first` on come again after `period` of them, as evenly as frames allow."""
    best = 1, _repeating(holds, first, 1, pause)
    for period in range(2, MAX_PERIOD + 1):
        if max(holds[first : first + period]) > pause:
            break
        length = _repeating(holds, first, period, pause)
        if length >= 2 * period and length > best[1] and _is_even(holds[first : first + period]):
            best = period, length
    return best


def _repeating(holds: Sequence[int], first: int, period: int, pause: int) -> int:
    """For how many holds from `first` on each is the same as the one `period` before it."""
    stop = first + period
    while stop < len(holds) and holds[stop] == holds[stop - period] <= pause:
        stop += 1
    return min(stop, len(holds)) - first


def _is_even(holds: Sequence[int]) -> bool:
    """Whether the drawings lie within one frame of equal steps."""
    step, places = Fraction(sum(holds), len(holds)), [sum(holds[:index]) for index in range(len(holds))]
    off = [place - index * step for index, place in enumerate(places)]
    return max(off) - min(off) < 1
