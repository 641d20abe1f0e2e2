"""A render is cut into segments: files that are finished one by one, each with a manifest that says what it is.

A segment counts as finished when its manifest is there, names the same fingerprint (source, options, model) and fits
the file. Both appear by an atomic rename, the manifest last.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from .analysis import Analysis
from .config import RenderOptions
from .disk import full_disk_in_words
from .files import atomically, file_sha256
from .timeline import Timeline

FORMAT = 3  # of the segments; raised when the same options would be written otherwise
# Code that decides what a new frame looks like, besides options and weights: how motion is prepared, how a network is
# used. Segments that another version of it drew are drawn again, or pictures of two kinds would stand side by side.
DRAWN_BY = ("alpha_fade", "draw", "fusion", "interpolator", "light", "matching", "motion", "pixels", "tiles", "nets/*")
SEGMENT_SECONDS = 4  # of the result
SEGMENT_FRAMES = 240  # of the result: a crash costs no more


@dataclass(frozen=True, slots=True)
class Segment:
    """Source frames [first, last) and the output frames [start, stop) whose left source frame is one of them."""

    number: int
    first: int
    last: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(slots=True)
class Manifest:
    """What a finished segment is: its place, its file, and what making it took. begin, end: seconds of the result."""

    fingerprint: str
    segment: dict[str, int]
    begin: str = ""
    end: str = ""
    bytes: int = 0
    sha256: str = ""
    new: int = 0  # frames that are in no source
    held: int = 0  # source frames shown again
    new_ms: list[float] = field(default_factory=list)  # milliseconds of the model for every frame it drew
    seconds: float = 0.0
    arithmetic: str = ""  # what the model computed in, as `Interpolator` says it
    pictures: list[dict[str, Any]] = field(
        default_factory=list
    )  # [{"file", "motion": names in frames/, "time": seconds}]


def names_of(pictures: list[dict[str, Any]]) -> list[str]:
    """The files in frames/ that a manifest's `pictures` tell of."""
    return [str(picture[kind]) for picture in pictures for kind in ("file", "motion") if kind in picture]


class SegmentStore:
    """The folder of segments of one render."""

    def __init__(
        self, work_dir: Path, fingerprint: str, suffix: str = ".mp4", kept: Mapping[int, str] | None = None
    ) -> None:
        self.suffix = suffix
        self.folder = work_dir / "segments"
        self.frames = work_dir / "frames"
        self.fingerprint = fingerprint
        self.kept = dict(kept or {})  # segments taken over from an earlier render, by number: their fingerprints
        with full_disk_in_words():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.frames.mkdir(exist_ok=True)

    def path(self, segment: Segment) -> Path:
        return self.folder / f"seg_{segment.number:05d}{self.suffix}"

    def finished(self, segment: Segment) -> Manifest | None:
        """The manifest, if the segment is whole and is what is wanted now."""
        path = self.path(segment)
        try:
            manifest = Manifest(**json.loads(path.with_suffix(".json").read_text()))
        except (OSError, ValueError, TypeError):
            return None
        wanted = self.kept.get(segment.number, self.fingerprint)
        same = manifest.fingerprint == wanted and manifest.segment == asdict(segment)
        pictures = all((self.frames / name).is_file() for name in names_of(manifest.pictures))
        whole = same and pictures and path.is_file() and path.stat().st_size == manifest.bytes
        return manifest if whole and file_sha256(path) == manifest.sha256 else None

    def publish(self, segment: Segment, manifest: Manifest) -> None:
        """Declares the file of a segment finished."""
        path = self.path(segment)
        manifest.bytes, manifest.sha256 = path.stat().st_size, file_sha256(path)
        with atomically(path.with_suffix(".json")) as part:
            part.write_text(json.dumps(asdict(manifest)))

    def new_manifest(self, segment: Segment, timeline: Timeline) -> Manifest:
        """Empty, for a segment about to be made. What an earlier render left in its place is removed."""
        path = self.path(segment)
        path.with_suffix(".json").unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        begin, end = timeline.frame(segment.start).time, timeline.end(segment.stop - 1)
        return Manifest(self.fingerprint, asdict(segment), str(begin), str(end))

    def expected_bytes(self, segment: Segment, made: Mapping[int, Manifest | None], size: tuple[int, int]) -> int:
        """About how much making the segment writes, with what goes beside it; `size` is (width, height) in pixels.

        As the segments `made` so far tell, or, without one, a quarter of a byte for each pixel.
        """
        done = [manifest for manifest in made.values() if manifest is not None]
        frames = sum(manifest.segment["stop"] - manifest.segment["start"] for manifest in done)
        each = sum(manifest.bytes for manifest in done) / frames if frames else size[0] * size[1] / 4
        return int(2 * each * len(segment))

    def remove_others(self, segments: list[Segment]) -> None:
        """Deletes files that belong to an earlier render with other options."""
        files = [self.path(segment) for segment in segments]
        wanted = {name for file in files for name in (file.name, file.with_suffix(".json").name)}
        for path in self.folder.iterdir():
            if path.name not in wanted:
                path.unlink(missing_ok=True)


def split(analysis: Analysis, timeline: Timeline) -> list[Segment]:
    """Segments that together hold every output frame once. They end at cuts, and after four seconds of the result."""
    cuts, segments, first = set(analysis.cuts), list[Segment](), 0
    count = len(analysis.pts)
    for last in range(1, count + 1):
        outputs = timeline.indices(first, last)
        if not outputs:
            continue
        following = timeline.indices(last, min(last + 1, count))
        full = len(outputs) + len(following) > SEGMENT_FRAMES or _seconds(timeline, outputs) >= SEGMENT_SECONDS
        if last == count or last in cuts or full:
            segments.append(Segment(len(segments) + 1, first, last, outputs.start, outputs.stop))
            first = last
    return segments


def _seconds(timeline: Timeline, outputs: range) -> float:
    return float(timeline.end(outputs[-1]) - timeline.frame(outputs[0]).time)


def fingerprint(
    source_sha256: str, options: RenderOptions, model_sha256: str, arch: str, encoding: list[object]
) -> str:
    """Changes with everything that changes the pictures, and with nothing else."""
    settings = options.to_dict()
    for name in ("held_out", "model"):  # figures only; the weights themselves count, not their name
        settings.pop(name)
    text = json.dumps([FORMAT, drawing_code(), source_sha256, settings, model_sha256, arch, encoding], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def drawing_code(folder: Path = Path(__file__).parent) -> str:
    """The SHA-256 of the code of `DRAWN_BY`."""
    found = hashlib.sha256()
    for path in sorted(path for name in DRAWN_BY for path in folder.glob(f"{name}.py")):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()
