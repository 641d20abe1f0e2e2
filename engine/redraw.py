"""A part of a finished film is drawn anew with other settings; everything else is taken from its segments as it is.

`redraw.json` in the new work folder says which segments are kept. They lie there already, as hard links to those of the
earlier render, with their manifests, so that their frames come out the same to the last bit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from .disk import full_disk_in_words
from .errors import BadOptionsError, EngineError
from .files import atomically, link
from .segments import Manifest, Segment, names_of
from .timeline import Timeline
from .translation import gettext as _
from .translation import gettext_noop
from .watch import FOLDER as WATCH

PLAN = "redraw.json"
GONE = gettext_noop("The parts of this film are not kept any more. Run the whole job with the new settings.")


@dataclass(frozen=True, slots=True)
class Piece:
    """One segment of the film: when it is shown, in seconds, and the fingerprint it was made with; "": drawn anew."""

    segment: Segment
    begin: Fraction
    end: Fraction
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Redraw:
    """The segments of the film in order. begin, end: of what is drawn anew, in seconds of the result."""

    pieces: tuple[Piece, ...]

    @property
    def anew(self) -> list[Piece]:
        return [piece for piece in self.pieces if not piece.fingerprint]

    @property
    def begin(self) -> Fraction:
        return self.anew[0].begin

    @property
    def end(self) -> Fraction:
        return self.anew[-1].end

    @property
    def fingerprints(self) -> dict[int, str]:
        """Of the kept segments, by number."""
        return {piece.segment.number: piece.fingerprint for piece in self.pieces if piece.fingerprint}

    def to_dict(self) -> dict[str, Any]:
        """For metrics.json: what was drawn anew, in seconds, and how many of the segments."""
        return {
            "start": round(float(self.begin), 4),
            "end": round(float(self.end), 4),
            "segments": len(self.anew),
            "of": len(self.pieces),
        }

    def segments(self, timeline: Timeline) -> list[Segment]:
        """All segments as the new settings see them.

        Raises:
            BadOptionsError: with the new settings frames would be shown at other times, so the parts do not fit.
        """
        last = self.pieces[-1]
        fits = len(timeline) == last.segment.stop and timeline.duration == last.end
        if not fits or any(timeline.frame(piece.segment.start).time != piece.begin for piece in self.pieces):
            raise BadOptionsError(
                _(
                    "With these settings frames are shown at other times than in the rest of the film, so a part "
                    "of it cannot be drawn alone. Run the whole job with them."
                )
            )
        return [piece.segment if piece.fingerprint else _seen_by(timeline, piece.segment) for piece in self.pieces]


def plan_redraw(base: Path, begin: Fraction, end: Fraction) -> Redraw:
    """Which segments of the render in the folder `base` to draw anew: those shown between `begin` and `end` seconds.

    Raises:
        EngineError: its segments are not kept any more.
        BadOptionsError: there is nothing between the two times.
    """
    manifests = _manifests(base)
    length = Fraction(manifests[-1].end)
    if not 0 <= begin < min(end, length):
        raise BadOptionsError(
            _(
                "From {begin} to {end} there is nothing to draw. Choose a part of the film, which lasts {length}."
            ).format(begin=_clock(begin), end=_clock(end), length=_clock(length))
        )
    pieces = []
    for manifest in manifests:
        first, last = Fraction(manifest.begin), Fraction(manifest.end)
        touched = first < end and begin < last
        pieces.append(Piece(Segment(**manifest.segment), first, last, "" if touched else manifest.fingerprint))
    return Redraw(tuple(pieces))


def begin_redraw(redraw: Redraw, base: Path, work_dir: Path) -> None:
    """Puts everything that is kept of `base` into the new folder `work_dir`.

    Raises:
        EngineError: a file of it is gone. NoSpaceError: where links are not possible, no room for copies.
    """
    with full_disk_in_words():
        for folder in ("segments", "frames", WATCH):
            (work_dir / folder).mkdir(parents=True, exist_ok=True)
        for path in base.glob("analysis.json"):
            _link(path, work_dir / path.name)
        for number in redraw.fingerprints:
            _take_over(base, work_dir, number)
    plan = [
        {**asdict(piece.segment), "begin": str(piece.begin), "end": str(piece.end), "fingerprint": piece.fingerprint}
        for piece in redraw.pieces
    ]
    with atomically(work_dir / PLAN) as part:
        part.write_text(json.dumps(plan))


def read_redraw(work_dir: Path) -> Redraw | None:
    """What `begin_redraw` wrote; None for a render of a whole film."""
    path = work_dir / PLAN
    if not path.is_file():
        return None
    return Redraw(tuple(_piece(dict(entry)) for entry in json.loads(path.read_text())))


def require_kept(kept: Mapping[int, str], manifests: Mapping[int, Manifest | None]) -> None:
    """Raises EngineError when a segment that was to be kept is not whole: drawn now it would be another."""
    damaged = [number for number in kept if manifests.get(number) is None]
    if damaged:
        raise EngineError(
            _(
                "Part {number} of the film, which was to be kept, is damaged or gone. Run the whole job with "
                "the new settings."
            ).format(number=damaged[0])
        )


def _piece(entry: dict[str, Any]) -> Piece:
    begin, end, name = Fraction(entry.pop("begin")), Fraction(entry.pop("end")), str(entry.pop("fingerprint"))
    return Piece(Segment(**entry), begin, end, name)


def _manifests(base: Path) -> list[Manifest]:
    """Of all segments in order; raises EngineError when one is missing."""
    found = []
    try:
        for path in sorted((base / "segments").glob("seg_*.json")):
            found.append(Manifest(**json.loads(path.read_text())))
    except (OSError, ValueError, TypeError) as error:
        raise EngineError(_(GONE)) from error
    starts = [0, *(manifest.segment["stop"] for manifest in found)]
    if not found or any(manifest.segment["start"] != at for manifest, at in zip(found, starts, strict=False)):
        raise EngineError(_(GONE))
    if not all(manifest.end for manifest in found):  # made by an older version, which did not write times
        raise EngineError(_(GONE))
    return found


def _take_over(base: Path, work_dir: Path, number: int) -> None:
    stem = f"seg_{number:05d}"
    files = list((base / "segments").glob(f"{stem}.*"))
    manifest = base / "segments" / f"{stem}.json"
    if manifest not in files or len(files) < 2:
        raise EngineError(_(GONE))
    pictures = [base / "frames" / name for name in names_of(json.loads(manifest.read_text())["pictures"])]
    for path in (*files, *pictures, *(base / WATCH).glob(f"{number:05d}.*")):
        _link(path, work_dir / path.relative_to(base))


def _link(path: Path, to: Path) -> None:
    """No file of a render is ever changed in place: what is kept needs no room of its own."""
    try:
        link(path, to)
    except FileNotFoundError as error:
        raise EngineError(_(GONE)) from error


def _seen_by(timeline: Timeline, segment: Segment) -> Segment:
    """The same output frames; the source frames they lie between may be others (repeated ones left out)."""
    first, last = timeline.frame(segment.start).left, timeline.frame(segment.stop - 1).left + 1
    return Segment(segment.number, first, last, segment.start, segment.stop)


def _clock(seconds: Fraction) -> str:
    hundredths = round(seconds * 100)
    return f"{hundredths // 6000}:{hundredths % 6000 // 100:02d}.{hundredths % 100:02d}"
