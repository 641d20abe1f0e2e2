"""What of a sound track is missing or cannot be decoded: found while its packets go by, and told with places."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av

from .damage import places_of
from .part import Part
from .translation import gettext as _

UNEVEN = Fraction(19, 1000)  # seconds that whole sound may be off its time stamps; a frame of AAC lasts 21 ms


class Hearing:
    """Decodes a track and remembers its holes. Times are seconds from the beginning of the part, not stretched."""

    def __init__(self, number: int, part: Part, begin: Fraction) -> None:
        """number: of the track, from 1. begin: seconds from the first frame of the source to the part."""
        self._number, self._part, self._begin = number, part, begin
        self._holes = list[tuple[Fraction, Fraction]]()
        self._end: Fraction | None = None  # of what was decoded last
        self._failed: Fraction | None = None  # the end of the last packet that could not be, if none could since
        self.any = False  # whether anything could be decoded

    def frames(self, packet: av.Packet[Any]) -> list[av.AudioFrame] | None:
        """The sound in a packet; None where it is damaged."""
        try:
            frames: list[Any] = packet.decode()
        except (av.FFmpegError, EOFError):
            self.miss(packet)
            return None
        for frame in frames:
            if frame.pts is not None and frame.time_base is not None:
                self._hear(frame, self._part.seconds(frame.pts, frame.time_base))
        return frames

    def miss(self, packet: av.Packet[Any]) -> None:
        """Its sound is lost."""
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is not None:
            start = self._part.seconds(stamp, packet.time_base)
            self._failed = start + (packet.duration or 0) * packet.time_base
            self._end = start if self._end is None else self._end

    def _hear(self, frame: av.AudioFrame, start: Fraction) -> None:
        length = Fraction(frame.samples, frame.sample_rate)
        hole = start - self._end if self._end is not None else Fraction(0)
        if self._end is not None and hole > (length / 2 if self._failed is not None else max(length / 2, UNEVEN)):
            self._lose(self._end, start)
        if frame.is_corrupt:
            self._lose(start, start + length)
        self._end, self._failed, self.any = start + length, None, True

    def _lose(self, start: Fraction, end: Fraction) -> None:
        start = max(start, Fraction(0))
        end = end if self._part.length is None else min(end, self._part.length)
        if end <= start:
            return
        if self._holes and start - self._holes[-1][1] < UNEVEN:
            start = self._holes.pop()[0]
        self._holes.append((start, end))

    def words(self) -> list[str]:
        """To be asked when all has gone by."""
        if self._failed is not None and not self.any:
            return [_("Nothing of sound track {number} could be decoded.").format(number=self._number)]
        if self._failed is not None and self._end is not None:
            self._lose(self._end, self._failed)
        if not self._holes:
            return []
        places = places_of([(start + self._begin, end + self._begin) for start, end in self._holes])
        words = _("Part of sound track {number} is missing or could not be decoded (at {places}).")
        return [words.format(number=self._number, places=places)]
