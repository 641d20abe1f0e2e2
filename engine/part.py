"""Which part of a source a result shows, and how many times slower: where its sound, subtitles and chapters go."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import av

Timed: TypeAlias = "tuple[Fraction, av.Packet[Any]]"  # seconds at which it is decoded, packet


@dataclass(frozen=True, slots=True)
class Part:
    """origin: the moment, in seconds of the source's own clock, that becomes 0. length: seconds of the source that are
    taken; None: all there is. stretch: how many times as long the result is.
    """

    origin: Fraction = Fraction(0)
    length: Fraction | None = None
    stretch: int = 1

    def seconds(self, stamp: int, unit: Fraction) -> Fraction:
        """A time stamp of the source in seconds from the beginning of the part, not stretched."""
        return stamp * unit - self.origin

    def span(self, start: Fraction, end: Fraction) -> tuple[Fraction, Fraction] | None:
        """(start, end) in seconds of the result of what the source has there; None if the part shows nothing of it."""
        start, end = max(start - self.origin, Fraction(0)), end - self.origin
        if self.length is not None:
            end = min(end, self.length)
        return (start * self.stretch, end * self.stretch) if end > start else None
