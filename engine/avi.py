"""AVI counts its frames instead of dating them, so what comes after lost ones would be shown too early.

Its index, at the end of the file, says where every frame begins: those that are found there get their own times, and
those that are not are known to be lost.
"""

from __future__ import annotations

from typing import Any

import av
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
