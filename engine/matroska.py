"""The outside of MKV and WebM files (EBML): where they say they end, and whether they are whole inside.

FFmpeg's demuxer steps over damage to the next cluster without a word, and in a file of one cluster to the end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

EBML, SEGMENT, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
ANYWHERE = frozenset({0xEC, 0xBF})  # void, checksum
IN_SEGMENT = ANYWHERE | {0x114D9B74, 0x1549A966, 0x1654AE6B, CLUSTER, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367}
IN_CLUSTER = ANYWHERE | {0xE7, 0xA7, 0xAB, 0xA3, 0xA0, 0xAF, 0x5854}
LONGEST_HEAD = 12  # bytes


@dataclass(frozen=True, slots=True)
class Element:
    """begin, end: bytes of what is in it. end is infinite if it does not say, as in live recordings."""

    kind: int
    begin: int
    end: float


def declared_end(path: Path) -> int:
    """Where the file says it ends, in bytes; 0 if it does not say."""
    with path.open("rb") as file:
        segment = _segment(file)
    return int(segment.end) if segment is not None and math.isfinite(segment.end) else 0


def first_damage(path: Path) -> int | None:
    """The byte at which the file stops making sense; None if it is whole, or whole as far as it goes.

    Walks from block to block without reading what is in them: damage there is for the decoder to find.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        segment = _segment(file)
        if segment is None:
            return None
        place, cluster = segment.begin, 0.0  # cluster: where the one being walked through ends
        while place < min(segment.end, size):
            element = _element(file, place)
            if element is None and place + LONGEST_HEAD > size:
                return None  # cut off within a head
            inside = place < cluster
            known = IN_CLUSTER if inside else IN_SEGMENT
            if inside and math.isinf(cluster):
                known = IN_CLUSTER | IN_SEGMENT  # ended by whatever comes next
            if element is None or element.kind not in known or _too_long(element, cluster if inside else segment.end):
                return place
            if element.kind in IN_SEGMENT - ANYWHERE:
                cluster = element.end if element.kind == CLUSTER else 0.0
            place = element.begin if element.kind == CLUSTER else int(element.end)
    return None


def _too_long(element: Element, end: float) -> bool:
    return element.end > end or (math.isinf(element.end) and element.kind != CLUSTER)


def _segment(file: BinaryIO) -> Element | None:
    head = _element(file, 0)
    if head is None or head.kind != EBML or math.isinf(head.end):
        return None
    segment = _element(file, int(head.end))
    return segment if segment is not None and segment.kind == SEGMENT else None


def _element(file: BinaryIO, place: int) -> Element | None:
    """The element whose head is at `place`; None if there is no such thing."""
    file.seek(place)
    head = file.read(LONGEST_HEAD)
    kind = _number(head, 0, 4)
    size = _number(head, kind[1], 8) if kind else None
    if kind is None or size is None:
        return None
    value, length = size[0], size[1]
    marker = 1 << 7 * length  # its length is told by the first 1 bit
    begin = place + kind[1] + length
    return Element(kind[0], begin, math.inf if value == 2 * marker - 1 else begin + value - marker)


def _number(head: bytes, at: int, longest: int) -> tuple[int, int] | None:
    """(value with its marker bit, length in bytes)."""
    if at >= len(head):
        return None
    length = 9 - head[at].bit_length()
    if length > longest or at + length > len(head):
        return None
    return int.from_bytes(head[at : at + length], "big"), length
