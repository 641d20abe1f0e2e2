"""Reading the outside of a damaged or odd file, to say in words what is wrong with it. Nothing here decodes."""

from __future__ import annotations

import re
import struct
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median

from . import matroska
from .errors import BadInputError
from .media_types import Limits, MediaType
from .translation import all_of, ngettext
from .translation import gettext as _

MOOV_BYTES = 64 << 20  # more than the index of a day of video
HEAD_BYTES = 1 << 16
PLACES = 4  # that are named; of more there is only the number
HOLE = 1.5  # times the usual distance of two frames: more, where packets are broken, and something is missing


@dataclass(frozen=True, slots=True)
class Box:
    """A top-level box of an MP4 or MOV. offset, size: bytes, as declared."""

    kind: str
    offset: int
    size: int


@dataclass(slots=True)
class Damage:
    """What could not be read. Counted while reading; `words` is for people. Times are seconds from the first frame."""

    packets: int = 0  # broken or cut short
    frames: int = 0  # decoded, but out of order or without a usable time
    gone: int = 0  # frames that the index of an AVI names, of which nobody knows when they were to be shown
    resized: int = 0  # frames of another size than the first
    ended_early: bool = False
    lost: list[Fraction] = field(default_factory=list)  # frames that are in the file and could not be decoded
    marred: list[Fraction] = field(default_factory=list)  # frames that could be decoded in part
    where: str = ""  # the places of `lost` in words, or the holes that broken packets left

    def locate(self, expected: Sequence[Fraction], found: Sequence[Fraction]) -> None:
        """What is missing of the frames that the packets announce, all `expected`, when these were `found`."""
        there = set(found)
        self.lost = [time for time in expected if time not in there]
        if self.lost:
            self.where = " " + _("(at {places})").format(places=_places(self.lost, expected))
        elif self.packets and len(found) > 2:
            usual = median(after - before for before, after in pairwise(found))
            between = _("{begin} and {end} s")
            holes = [between.format(begin=_s(a), end=_s(b)) for a, b in pairwise(found) if b - a > HOLE * usual]
            self.where = " " + _("(nothing between {places})").format(places=_some(holes)) if holes else ""

    def words(self) -> list[str]:
        found = [words for words in (self._lost(), self._marred()) if words]
        if self.frames:
            words = ngettext(
                "{count} frame had no usable time: left out.",
                "{count} frames had no usable time: left out.",
                self.frames,
            )
            found.append(words.format(count=self.frames))
        if self.gone:
            words = ngettext(
                "{count} frame is missing in the file: what comes after it is shown that much earlier.",
                "{count} frames are missing in the file: what comes after them is shown that much earlier.",
                self.gone,
            )
            found.append(words.format(count=self.gone))
        if self.resized:
            words = ngettext(
                "{count} frame had another size: scaled to that of the first.",
                "{count} frames had another size: scaled to that of the first.",
                self.resized,
            )
            found.append(words.format(count=self.resized))
        if self.ended_early:
            found.append(_("The file breaks off before its end; what comes before was read."))
        return found

    def _lost(self) -> str:
        words = ""
        if self.lost:
            words = ngettext(
                "{count} frame could not be decoded: left out{where}.",
                "{count} frames could not be decoded: left out{where}.",
                len(self.lost),
            )
        elif self.packets:
            words = ngettext(
                "{count} piece of the video could not be decoded: left out{where}.",
                "{count} pieces of the video could not be decoded: left out{where}.",
                self.packets,
            )
        return words.format(count=len(self.lost) or self.packets, where=self.where)

    def _marred(self) -> str:
        words = ngettext(
            "{count} frame could be decoded only in part: shown so (at {places}), and what is built on it too.",
            "{count} frames could be decoded only in part: shown so (at {places}), and what is built on them too.",
            len(self.marred),
        )
        places = _some([f"{_s(time)} s" for time in self.marred])
        return words.format(count=len(self.marred), places=places) if self.marred else ""


def _places(times: Sequence[Fraction], grid: Sequence[Fraction]) -> str:
    """ "0.8-0.92 s and 1.2 s": times that follow each other on `grid`, both ascending, are one place."""
    runs = list[list[int]]()
    for place in (bisect_left(grid, time) for time in times):
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return places_of([(grid[run[0]], grid[run[-1]]) for run in runs])


def places_of(spans: Sequence[tuple[Fraction, Fraction]]) -> str:
    """Spans of time in words, (first, last) in seconds."""
    return _some([f"{_s(first)} s" if first == last else f"{_s(first)}-{_s(last)} s" for first, last in spans])


def _some(places: list[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(places) - PLACES
    if more > 0:
        words = ngettext("{places} and {count} more place", "{places} and {count} more places", more)
        return words.format(places=", ".join(places[:PLACES]), count=more)
    return all_of(places) if places else ""


def _s(seconds: Fraction) -> str:
    return f"{round(float(seconds), 3):g}"


def mp4_boxes(path: Path) -> list[Box]:
    """The top-level boxes of an MP4 or MOV, as far as the file goes."""
    boxes, offset, end = list[Box](), 0, path.stat().st_size
    with path.open("rb") as file:
        while offset + 8 <= end and len(boxes) < 10_000:
            file.seek(offset)
            head = file.read(16)
            size, kind = struct.unpack(">I4s", head[:8])
            if size == 1 and len(head) == 16:
                size = struct.unpack(">Q", head[8:])[0]
            size = max(size or end - offset, 8)  # 0: up to the end of the file
            boxes.append(Box(kind.decode("latin-1"), offset, size))
            offset += size
    return boxes


def check_outside(path: Path, kind: MediaType, limits: Limits) -> None:
    """Refuses, before a library looks at it, an MP4 without its index, or one that declares too large a picture.

    Raises:
        BadInputError: in words.
    """
    if kind.demuxer != "mov":
        return
    end = path.stat().st_size
    moov = next((box for box in mp4_boxes(path) if box.kind == "moov"), None)
    if moov is None or moov.offset + moov.size > end:
        if moov is None:
            words = _(
                "This {kind} file is cut short: its index (moov), without which nothing in it can be found, is "
                "missing. Copy or upload it again; if it came so from the camera, repair it first."
            )
        else:
            words = _(
                "This {kind} file is cut short: its index (moov), without which nothing in it can be found, is not "
                "whole. Copy or upload it again; if it came so from the camera, repair it first."
            )
        raise BadInputError(words.format(kind=kind.name))
    declared = _declared(path)
    if declared is not None and declared[1] > 0 and declared[2] > 0:
        limits.check_size(*declared[1:])


def missing_bytes(path: Path, kind: MediaType) -> int:
    """How many bytes MP4, MOV, AVI, MKV and WebM files declare beyond their end; 0 for others and for whole files."""
    end = path.stat().st_size
    if kind.demuxer == "mov":
        declared = max((box.offset + box.size for box in mp4_boxes(path)), default=0)
    else:
        declared = {"avi": _riff_end, "matroska": matroska.declared_end}.get(kind.demuxer or "", lambda _: 0)(path)
    return max(0, declared - end)


def broken_inside(path: Path, kind: MediaType) -> str:
    """In words, where an MKV or WebM file stops making sense; "" for others and for whole files."""
    place = matroska.first_damage(path) if kind.demuxer == "matroska" else None
    if place is None:
        return ""
    words = _(
        # xgettext:no-python-format
        "The file is damaged after {percent} % of its length: frames are missing there. "
        "If there is a whole copy, send that."
    )
    return words.format(percent=100 * place // path.stat().st_size)


def _riff_end(path: Path) -> int:
    with path.open("rb") as file:
        size: int = struct.unpack("<4xI", file.read(8))[0]
    return size + 8 if size < 0xFFFFFFFF else 0


_CODEC_WORDS = {  # where containers write the name of their codec
    "matroska": rb"V_[A-Z0-9_/]+",
    "avi": rb"vids(....)",
    "asf": rb"[\x28-\xff].\0\0.{8}\x01\0\x18\0(....)",  # BITMAPINFOHEADER
    "ivf": rb"^DKIF....(....)",
    "flv": rb"\x09......\0\0\0\0(.)",  # of the first tag with a picture
}


def declared_codec(path: Path, kind: MediaType) -> str:
    """The name a file gives to its video codec, for codecs FFmpeg does not know."""
    if kind.demuxer == "mov":
        declared = _declared(path)
        return f'"{declared[0]}"' if declared else _("of this file")
    pattern = _CODEC_WORDS.get(kind.demuxer or "")
    with path.open("rb") as file:
        found = re.search(pattern, file.read(HEAD_BYTES), re.DOTALL) if pattern else None
    if found is None:
        return _("of this file")
    name = found[found.lastindex or 0]
    if kind.demuxer == "flv":
        return _("number {number} of Flash video").format(number=name[0] & 15)
    return f'"{name.decode("latin-1")}"'


def _declared(path: Path) -> tuple[str, int, int] | None:
    """(codec tag, width, height) from the first sample entry of the video track of an MP4."""
    moov = next((box for box in mp4_boxes(path) if box.kind == "moov"), None)
    if moov is None:
        return None
    with path.open("rb") as file:
        file.seek(moov.offset)
        data = file.read(min(moov.size, MOOV_BYTES))
    track = data.find(b"vide")
    entry = data.find(b"stsd", track) + 16  # past type, version, count and the size of the entry
    if track < 0 or entry < 16 or len(data) < entry + 32:
        return None
    width, height = struct.unpack(">HH", data[entry + 28 : entry + 32])
    return data[entry : entry + 4].decode("latin-1"), width, height
