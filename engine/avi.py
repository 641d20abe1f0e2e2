"""AVI counts its frames instead of dating them, so what comes after lost ones would be shown too early.

Its index, at the end of the file, says where every frame begins: those that are found there get their own times, and
those that are not are known to be lost. So it is with pieces of sound.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

HEAD = 8  # bytes before the data of a frame, where the index says that it begins; FFmpeg tells where the data begins


def index_of(container: InputContainer) -> dict[int, int]:
    """Where the data of every frame begins, and its time stamp; empty for other files and without an index.

    To be asked before packets are read: FFmpeg adds those it finds behind the index, with times it only counted.
    """
    if container.format.name != "avi":
        return {}
    return {entry.pos + HEAD: entry.timestamp for one in container.streams.video for entry in one.index_entries}


def date(packet: av.Packet[Any], index: dict[int, int]) -> None:
    """Moves the time stamps of a packet to where the index has them, if it knows the packet."""
    if packet.dts is None or packet.pos not in index:
        return
    ahead = index[packet.pos] - packet.dts
    packet.dts += ahead
    if packet.pts is not None:
        packet.pts += ahead


def lost_frames(index: dict[int, int], found: set[int]) -> list[int]:
    """Time stamps of the frames of which no packet was `found` where they begin. An index that does not know most of
    the packets is wrong, and says nothing."""
    if 2 * len(found & index.keys()) <= len(found):
        return []
    return [stamp for place, stamp in index.items() if place not in found]


class SoundTimes:
    """Moves sound behind lost pieces to where the index has it. Of one walk through the packets, made before it."""

    def __init__(self, container: InputContainer) -> None:
        sounds = container.streams.audio if container.format.name == "avi" else ()
        self._index = {stream.index: dict(_pieces(stream)) for stream in sounds}
        self._late = dict.fromkeys(self._index, 0)

    def date(self, packet: av.Packet[Any]) -> None:
        number = packet.stream_index
        if packet.dts is None or number not in self._index:
            return
        late = self._index[number].get(packet.pos or 0, packet.dts) - packet.dts
        if late - self._late[number] >= max(packet.duration or 0, 1):  # less: a packet that begins within a piece
            self._late[number] = late
        packet.dts += self._late[number]
        if packet.pts is not None:
            packet.pts += self._late[number]


def _pieces(stream: AudioStream) -> Iterator[tuple[int, int]]:
    """Where the data of every piece of sound begins, and its time stamp, as far as the index makes sense."""
    entries = list(stream.index_entries)
    in_bytes = all(after.timestamp - before.timestamp == before.size for before, after in pairwise(entries))
    bytes_a_second = (stream.codec_context.bit_rate or 0) / 8 if stream.codec_context is not None else 0
    unit = max(round(bytes_a_second * (stream.time_base or 0)), 1) if in_bytes else 1
    for before, after in pairwise(entries):
        yield before.pos + HEAD, before.timestamp // unit
        if before.pos + HEAD + before.size > after.pos:
            return
    if entries:
        yield entries[-1].pos + HEAD, entries[-1].timestamp // unit
