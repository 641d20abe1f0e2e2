"""Recordings that were put one behind the other in one file: every one counts time anew, and here it runs on.

Recorders, and people with `cat`, do so with MPEG-TS and MPEG-PS; streams kept as FLV have it after a break. FFmpeg
hands out the time stamps as they are: they fall back in the middle, and all that comes then would seem to be shown at
times that have been already.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import av
from av.container import InputContainer

Packet: TypeAlias = "av.Packet[Any]"
SPLICED = ("mpegts", "mpeg", "flv")  # what can be put together byte by byte
BACK = Fraction(1, 10)  # seconds that time must fall back by, and stay there
AT_THE_END = 3  # packets of a stream whose being broken may only be that of the numbers
ALIKE = Fraction(5)  # seconds that the sound of a recording may end earlier or later than its picture


@dataclass(frozen=True, slots=True)
class Resets:
    """after: of every recording but the first, how many seconds later it is to be shown than it says: where the picture
    of the one before ends. whole: (stream, decoding time stamp) of the packets at the ends of recordings that FFmpeg
    takes for broken, as the pieces of MPEG-TS are numbered anew after them.
    """

    after: tuple[Fraction, ...] = ()
    whole: frozenset[tuple[int, int]] = frozenset()


NONE = Resets()


class Running:
    """Gives the packets of one walk through a file times that run on."""

    def __init__(self, resets: Resets) -> None:
        self._resets = resets
        self._last: dict[int, Fraction] = {}  # decoding time of the last packet of each stream, by its own clock
        self._number: dict[int, int] = {}  # of the recording each stream is in

    def is_broken(self, packet: Packet) -> bool:
        """Asked before `run_on`."""
        return packet.is_corrupt and (packet.stream_index, _stamp(packet)) not in self._resets.whole

    def run_on(self, packet: Packet) -> None:
        """Moves its time stamps."""
        after, stamp, index = self._resets.after, _stamp(packet), packet.stream_index
        if stamp is None or not after:
            return
        now, number = stamp * packet.time_base, self._number.get(index, 0)
        last = self._last.get(index, now)
        if number < len(after) and last - now > BACK:
            number += abs(last - now - (after[number] - (after[number - 1] if number else 0))) < ALIKE
        self._last[index], self._number[index] = now, number
        if number:
            shift = round(after[number - 1] / packet.time_base)
            packet.pts = packet.pts + shift if packet.pts is not None else None
            packet.dts = packet.dts + shift if packet.dts is not None else None


def resets_of(container: InputContainer) -> Resets:
    """Where time falls back in a file: nowhere in nearly all. One walk through its packets, once for each file."""
    if container.format.name not in SPLICED:
        return NONE
    path = Path(container.name.removeprefix("file:"))
    state = path.stat()
    return _resets(path, container.format.name, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=32)
def _resets(path: Path, demuxer: str, size: int, changed: int) -> Resets:
    """`size` and `changed` are of the file, for the cache."""
    walk = _Walk()
    with (
        suppress(av.FFmpegError, EOFError, IndexError),  # what comes before the damage counts
        av.open(f"file:{path}", format=demuxer, options={"protocol_whitelist": "file"}) as container,
    ):
        picture = container.streams.video[0].index
        for packet in container.demux():
            if packet.size and _stamp(packet) is not None:
                walk.see(packet, is_picture=packet.stream_index == picture)
    return Resets(tuple(walk.after), frozenset(walk.whole)) if walk.after else NONE


class _Walk:
    """Looks for places where time falls back and stays so."""

    def __init__(self) -> None:
        self.after, self.whole = list[Fraction](), set[tuple[int, int]]()
        self._end = self._length = Fraction(0)  # decoding time of the last packet of the picture, and how long it lasts
        self._fallen: Fraction | None = None  # that of the packet before, if time fell back there
        self._started = False
        self._recent: dict[int, list[tuple[int, bool]]] = {}  # stream: (time stamp, is_corrupt) of the last packets

    def see(self, packet: Packet, *, is_picture: bool) -> None:
        stamp, index = _stamp(packet) or 0, packet.stream_index
        recent = self._recent.setdefault(index, [])
        if recent and (recent[-1][0] - stamp) * packet.time_base > BACK:
            self.whole |= {(index, before) for before, corrupt in recent if corrupt}
        self._recent[index] = [*recent, (stamp, packet.is_corrupt)][-AT_THE_END:]
        if is_picture:
            self._see_picture(stamp * packet.time_base, (packet.duration or 0) * packet.time_base)

    def _see_picture(self, time: Fraction, length: Fraction) -> None:
        if self._fallen is not None:
            if self._fallen <= time < self._end:
                before = self.after[-1] if self.after else 0
                self.after.append(before + self._end + self._length - self._fallen)
                self._end = self._fallen
            self._fallen = None
        if self._started and self._end - time > BACK:
            self._fallen = time
        else:
            step = max(time - self._end, Fraction(0))  # FLV does not say how long a packet lasts
            self._end, self._length, self._started = time, length or step, True


def _stamp(packet: Packet) -> int | None:
    return packet.dts if packet.dts is not None else packet.pts
