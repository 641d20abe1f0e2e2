"""Marks on the tracks of a finished MP4 or MOV that FFmpeg's muxer does not set as it is told.

It switches the first subtitle track on, asked for or not, has no forced subtitles in MOV, and knows there only the
languages of the first Macintosh. The marks have fixed places, so they are set in the file as it lies on disk.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from av.container import OutputContainer
from av.stream import Disposition

ENABLED = 1  # a flag of tkhd
ALL_FORCED = 0xC0000000  # display flags of a text track: every one of its samples is to be shown
TO_DISPLAY_FLAGS = 24  # bytes in stsd: version and count, then size, name and reference of its one description


@dataclass(frozen=True, slots=True)
class TrackMark:
    """enabled: a text is shown unless it is switched off. forced: it is shown even then. language: three letters of
    ISO 639-2; "": as the muxer wrote it."""

    text: bool
    enabled: bool
    forced: bool
    language: str


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    begin: int  # of what is in it
    end: int


def marks_of(result: OutputContainer) -> list[TrackMark]:
    """What the tracks of a file that is being written are meant to be."""
    return [
        TrackMark(
            text=stream.type == "subtitle",
            enabled=bool(stream.disposition & Disposition.default),
            forced=bool(stream.disposition & Disposition.forced),
            language=stream.metadata.get("language", ""),
        )
        for stream in result.streams
    ]


def mark_tracks(path: Path, marks: Sequence[TrackMark]) -> None:
    """Sets the marks of the tracks of a finished file. The muxer leaves out empty ones, but numbers all from 1."""
    with path.open("r+b") as file:
        whole = _Box(b"", 0, path.stat().st_size)
        for track in _find(file, whole, b"moov", b"trak"):
            number = _number(file, track)
            if number <= len(marks):  # those behind them are the muxer's own, such as chapters
                _mark(file, track, marks[number - 1])


def _number(file: BinaryIO, track: _Box) -> int:
    header = next(_find(file, track, b"tkhd"))
    return _read(file, header.begin + (20 if _read(file, header.begin, ">B") else 12), ">I")


def _mark(file: BinaryIO, track: _Box, mark: TrackMark) -> None:
    for header in _find(file, track, b"mdia", b"mdhd"):
        if re.fullmatch("[a-z]{3}", mark.language):
            letters = [ord(letter) - 0x60 for letter in mark.language]
            place = header.begin + (32 if _read(file, header.begin, ">B") else 20)
            _write(file, place, ">H", letters[0] << 10 | letters[1] << 5 | letters[2])
    if not mark.text:
        return
    for header in _find(file, track, b"tkhd"):
        flags = _read(file, header.begin, ">I")
        _write(file, header.begin, ">I", flags | ENABLED if mark.enabled else flags & ~ENABLED)
    for header in _find(file, track, b"mdia", b"minf", b"stbl", b"stsd"):
        if mark.forced and file.seek(header.begin + 12) and file.read(4) == b"tx3g":
            _write(file, header.begin + TO_DISPLAY_FLAGS, ">I", ALL_FORCED)


def _find(file: BinaryIO, box: _Box, kind: bytes, *deeper: bytes) -> Iterator[_Box]:
    """The boxes of a kind right inside `box`; or what `deeper` leads to inside them."""
    place = box.begin
    while place + 8 <= box.end:
        size, found = _read(file, place, ">I"), file.read(4)
        head = 8
        if size == 1:
            size, head = _read(file, place + 8, ">Q"), 16
        inside = _Box(found, place + head, place + size if size else box.end)
        if found == kind:
            yield from _find(file, inside, *deeper) if deeper else [inside]
        place = max(inside.end, place + 8)


def _read(file: BinaryIO, place: int, form: str) -> int:
    file.seek(place)
    return int(struct.unpack(form, file.read(struct.calcsize(form)))[0])


def _write(file: BinaryIO, place: int, form: str, value: int) -> None:
    file.seek(place)
    file.write(struct.pack(form, value))
