"""Which frames only repeat the one before: by how little they differ, and by the rhythm of the shot they are in.

Compressed twice, a repeated frame is not the same any more: it differs from the one before by specks, and at key
frames all over. Two things give it away: next to nothing changes against what changes around it, and in a rhythm
(animation on twos, 24 frames a second shown at 30) it comes where repeated frames came before and come again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SAME_MAX = 2  # grey levels: no point of the small copy differs by more
NOISE_MAX = 20  # grey levels that compression may change a point by: a small thing that moves changes it by more
NOISE_PART = 0.4  # mean and largest difference against those around, added up
REACH = 5  # gaps on either side that are "around": up to sixes, something moves on both sides of every gap
RHYTHM_PERIODS = (2, 3, 4, 5)  # gaps: twos, threes, fours, telecine (1 of 5, 3 of 5)
RHYTHM_SHARE = 0.5  # of the gaps one and two periods away repeat
RHYTHM_MAX = 40  # the same in a rhythm
RHYTHM_MEAN, RHYTHM_MEAN_PART = 0.7, 0.2  # and the mean difference, in grey levels or of those that move
RHYTHM_PART = 1.1  # against the gaps around that move: 2 would be one of them


@dataclass(frozen=True, slots=True)
class Difference:
    """Between a frame and the next, on small copies, in grey levels. cut: a new shot begins, or a flash is between."""

    mean: float
    largest: int
    cut: bool


def find_duplicates(gaps: Sequence[Difference]) -> list[bool]:
    """For each gap whether its two frames show the same."""
    sure = [_is_sure(gaps, index) for index in range(len(gaps))]
    return [sure[index] or (any(sure) and _is_in_rhythm(gaps, sure, index)) for index in range(len(gaps))]


def _side(gaps: Sequence[Difference], index: int, step: int) -> list[int]:
    """The gaps before (step -1) or after (1) this one in the same shot, the nearest first."""
    found = list[int]()
    for place in range(index + step, index + step * (REACH + 1), step):
        if not 0 <= place < len(gaps) or gaps[place].cut:
            break
        found.append(place)
    return found


def _is_sure(gaps: Sequence[Difference], index: int) -> bool:
    gap = gaps[index]
    if gap.largest <= SAME_MAX:
        return True
    if gap.cut or gap.largest > NOISE_MAX:
        return False
    sides = [[gaps[place] for place in _side(gaps, index, step)] for step in (-1, 1)]
    whole = [side for side in sides if len(side) == REACH] or [side for side in sides if side]
    if not whole:
        return False
    # motion on both sides: where it only dies down, the last of it is no repetition
    mean = min(max(other.mean for other in side) for side in whole)
    largest = min(max(other.largest for other in side) for side in whole)
    return _part(gap, mean, largest) < NOISE_PART


def _is_in_rhythm(gaps: Sequence[Difference], sure: Sequence[bool], index: int) -> bool:
    """Whether a gap that is not sure repeats where the rhythm wants it, and changes little against those that move."""
    gap = gaps[index]
    if gap.cut or gap.largest > RHYTHM_MAX:
        return False
    moving = [gaps[place] for step in (-1, 1) for place in _side(gaps, index, step) if not sure[place]]
    if len(moving) < 2:
        return False
    mean = float(np.median([gap.mean for gap in moving]))
    largest = float(np.median([gap.largest for gap in moving]))
    if _part(gap, mean, largest) > RHYTHM_PART or gap.mean > max(RHYTHM_MEAN, RHYTHM_MEAN_PART * mean):
        return False
    return any(_repeats(gaps, sure, index, period) for period in RHYTHM_PERIODS)


def _part(gap: Difference, mean: float, largest: float) -> float:
    return gap.mean / max(mean, 1e-6) + gap.largest / max(largest, 1e-6)


def _repeats(gaps: Sequence[Difference], sure: Sequence[bool], index: int, period: int) -> bool:
    votes = [
        sure[place]
        for place in (index - 2 * period, index - period, index + period, index + 2 * period)
        if 0 <= place < len(gaps) and not any(gap.cut for gap in gaps[min(place, index) : max(place, index) + 1])
    ]
    return sum(votes) >= max(2, RHYTHM_SHARE * len(votes))
