"""A video through it all: read -> analyse -> interpolate -> write, in segments, with progress and stop.

Everything lies in one work folder. Called again with the same folder, source, options and model, finished segments are
used as they are; so a crash or a stop costs one segment.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from .analysis import Analysis, analyse_once
from .aside import Aside, OnStep
from .canvas import Canvas
from .carry import Carry
from .certificate import certify, encoder_row
from .config import RenderOptions
from .disk import Room, full_disk_in_words
from .draw import Frames, Painter, PairMaker, Picture, Window
from .errors import NoSpaceError
from .evidence import Motion, Worst, motion_file, motion_of, write_motion
from .files import file_sha256
from .formats import FORMATS, Encoding
from .heldout import held_out
from .masters import encoding_of, make_master, promise
from .media_types import Limits
from .picture_film import render_pictures
from .pictures import to_depth, write_picture
from .pipeline import WriteBehind, depth_for
from .progress import STAGES, Progress, Reporter
from .reading import Reading, reading_for, reading_notes
from .redraw import Redraw, read_redraw, require_kept
from .remux import join_segments, make_source_preview
from .result import (
    RenderResult,
    Stills,
    remove_halves,
    timing,
    write_farneback,
    write_json,
    write_model_flow,
    write_stills,
    write_zip,
)
from .segments import Manifest, Segment, SegmentStore, fingerprint, split
from .timeline import Timeline, plan
from .video import VideoInfo, probe
from .watch import PartMaker, Piece
from .writer import VideoWriter

__all__ = ["STAGES", "Progress", "RenderResult", "render_pictures", "render_video"]

MAX_PICTURES = 12  # in-between frames of a video kept as PNG
ASIDE_PIXELS = 3840 * 2160  # sources of more take so much memory that they are decoded once at a time


@dataclass(frozen=True, slots=True)
class _Film:
    """All that is known before the first frame is drawn."""

    source: Path
    info: VideoInfo
    options: RenderOptions
    model: PairMaker
    canvas: Canvas
    encoding: Encoding
    reading: Reading
    whole: Analysis  # all frames of the part that is used
    analysis: Analysis  # those that are drawn between
    timeline: Timeline
    even: bool  # every frame of the result is shown as long as any other
    segments: list[Segment]
    store: SegmentStore
    keep: dict[int, str]  # output frame -> name of the PNG to keep
    redraw: Redraw | None  # set when only a part is drawn anew

    @property
    def sar(self) -> Fraction:
        """Shape of the result's pixels: a chosen resolution and most formats have square ones. x264 keeps terms up to
        4096."""
        if self.options.resolution is not None or not self.encoding.format.pixel_shape:
            return Fraction(1)
        wide = self.info.sar > 1
        shape = (1 / self.info.sar if wide else self.info.sar).limit_denominator(4096)
        return 1 / shape if wide else shape

    @property
    def keeps_sound(self) -> bool:
        return self.options.sound == "stretch" or (self.options.sound == "keep" and self.timeline.stretch == 1)

    @property
    def carry(self) -> Carry:
        """What comes along besides the picture."""
        begin = self.analysis.origin
        end = begin + self.analysis.duration if self.options.trim_end is not None else None
        return Carry(self.source, begin, end, stretch=self.timeline.stretch, sound=self.keeps_sound)

    @property
    def frames(self) -> Frames:
        return Frames(self.source, self.info, self.analysis.pts, self.canvas.inner, self.reading)


def render_video(
    source: Path,
    work_dir: Path,
    options: RenderOptions,
    interpolator: PairMaker,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    limits: Limits | None = None,
    disk_patience: float = 0.0,
) -> RenderResult:
    """Renders `source` into `work_dir`, which is made if need be. Stages and their order: `STAGES`.

    What is finished can be watched meanwhile (`engine.watch`). In a folder prepared by `engine.redraw` only a part is
    drawn. disk_patience: seconds to wait where the disk has no room.

    Raises:
        BadInputError: not a video that can be rendered; the message says why.
        NoSpaceError: the disk is full. StoppedError: `should_stop` said so. Both keep the finished segments.
    """
    started, report = time.perf_counter(), Reporter(on_progress, should_stop)
    with full_disk_in_words():
        work_dir.mkdir(parents=True, exist_ok=True)
    remove_halves(work_dir)
    room = Room(work_dir, report.waiting, disk_patience)
    film = room.do(lambda: _prepare(source, work_dir, options, interpolator, limits, report))
    small = film.info.width * film.info.height <= ASIDE_PIXELS
    with (
        PartMaker(work_dir, film.timeline.fps, film.timeline.time_base, is_vfr=not film.even) as parts,
        Aside(lambda on_step: _of_the_source(film, work_dir, on_step), at_once=small) as aside,
    ):
        return _render(film, work_dir, report, room, parts, aside, started)


def evaluate_video(
    source: Path,
    work_dir: Path,
    options: RenderOptions,
    interpolator: PairMaker,
    *,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[dict[str, Any] | None, str]:
    """The held-out figures alone, as `render_video` measures them: (figures, "") or (None, why there are none).

    `work_dir` is for what is made on the way. Raises as `render_video` does.
    """
    report = Reporter(None, should_stop)
    return _evaluate(_prepare(source, work_dir, options, interpolator, None, report), report)


def _render(
    film: _Film,
    work_dir: Path,
    report: Reporter,
    room: Room,
    parts: PartMaker,
    aside: Aside[_OfTheSource],
    started: float,
) -> RenderResult:
    manifests, earlier = _render_segments(film, report, room, parts)
    worst = Worst()
    figures, note = _evaluate(film, report, worst)
    report("joining", 0, 1)
    master = work_dir / f"master{film.encoding.format.suffix}"
    paths, size = [film.store.path(segment) for segment in film.segments], sum(part.bytes for part in manifests)
    notes = room.do(lambda: make_master(paths, master, film.encoding, carry=film.carry, info=film.info), size)
    report("joining", 1, 1)
    entry = film.encoding.format
    fewer = entry.leaves_out(film.timeline.fps, even=film.even)
    certificate = certify(master, _expected(film), unit=entry.unit, fewer=fewer)
    certificate["checks"].append(encoder_row(film.options.encoder, film.encoding))
    files = room.do(lambda: _previews(film, work_dir, master, manifests, report, parts, aside))
    files["worst"] = room.do(lambda: worst.write(work_dir / "held_out"))
    read = reading_notes(film.info, film.reading, film.encoding)
    drawing = sum(manifest.seconds for manifest in manifests)
    metrics = {
        "held_out": figures,
        "held_out_note": note,
        "motion": film.analysis.motion_chart(film.timeline.stretch),
        "cuts": film.analysis.cut_times(film.timeline.stretch),
        "cadence": film.whole.cadence,
        "compared": _compared_times(film),
        "timing": timing(
            time.perf_counter() - started + earlier, drawing, [ms for manifest in manifests for ms in manifest.new_ms]
        ),
        "frames": {
            "source": len(film.whole.pts),
            "output": len(film.timeline),
            "new": sum(manifest.new for manifest in manifests),
            "held": sum(manifest.held for manifest in manifests),
        },
        "notes": list(dict.fromkeys([*film.info.notes, *read, *film.analysis.notes, *_shape_notes(film), *notes])),
    }
    if film.redraw is not None:
        metrics["redrawn"] = film.redraw.to_dict()
    room.do(lambda: write_json(work_dir / "metrics.json", metrics))
    room.do(lambda: write_json(work_dir / "certificate.json", certificate))
    return RenderResult(master=master, metrics=metrics, certificate=certificate, model=film.model.info, **files)


def _prepare(
    source: Path,
    work_dir: Path,
    options: RenderOptions,
    model: PairMaker,
    limits: Limits | None,
    report: Reporter,
) -> _Film:
    info = probe(source, limits or Limits())
    canvas = _canvas(info, options)
    encoding = encoding_of(options, canvas.outer, info.bit_depth, info)
    reading = reading_for(info, options, encoding, canvas)
    report("reading", 0, _expected_frames(info, options))
    identity = file_sha256(source)
    kept, expected = work_dir / "analysis.json", _expected_frames(info, options)
    whole = analyse_once(
        source, info, kept, identity, options, lambda done: report("reading", min(done, expected), expected)
    )
    report("reading", len(whole.pts), len(whole.pts))
    analysis = whole.edited(options.duplicates)
    timeline = plan(whole.times, whole.duration, options, analysis.times)
    redraw = read_redraw(work_dir)
    segments = redraw.segments(timeline) if redraw else split(analysis, timeline)
    name = fingerprint(identity, options, model.info.sha256, model.info.arch, encoding.identity())
    store = SegmentStore(work_dir, name, encoding.format.segment, redraw.fingerprints if redraw else None)
    keep = _pictures_to_keep(analysis, timeline)
    if redraw:  # beside the pictures of the parts that are kept
        keep = {index: f"{name[:8]}_{file}" for index, file in keep.items()}
    return _Film(
        source,
        info,
        options,
        model,
        canvas,
        encoding,
        reading,
        whole,
        analysis,
        timeline,
        timeline.is_even,
        segments,
        store,
        keep,
        redraw,
    )


def _expected_frames(info: VideoInfo, options: RenderOptions) -> int:
    """About how many frames the part to use has."""
    end = min(options.trim_end or info.duration, info.duration)
    return max(2, round(info.frame_count * (end - (options.trim_start or 0)) / info.duration))


def _canvas(info: VideoInfo, options: RenderOptions) -> Canvas:
    """As chosen, else that of the source; with square pixels where the format holds no others."""
    size = (info.width, info.height)
    if options.resolution is None and not FORMATS[options.format].pixel_shape:
        return Canvas.square(size, info.sar)
    return Canvas.fit(size, options.resolution, info.sar)


def _shape_notes(film: _Film) -> list[str]:
    if film.info.sar == film.sar or film.options.resolution is not None or film.encoding.format.pixel_shape:
        return []
    width, height = film.canvas.outer
    return [f"This format has square pixels only: the picture is written with {width}x{height} of them."]


def _pictures_to_keep(analysis: Analysis, timeline: Timeline) -> dict[int, str]:
    """Up to 12 frames near the middle of busy gaps over the whole film, as {output frame: file name}.

    One of them lies between the two frames that are kept for comparison.
    """
    chosen = list[int]()
    gaps = {_compared_gap(analysis), *analysis.spread_gaps(MAX_PICTURES - 1)} if analysis.moving() else set()
    for gap in sorted(gaps):
        between = [index for index in timeline.indices(gap, gap + 1) if timeline.frame(index).t]
        if between:
            chosen.append(min(between, key=lambda index: abs(timeline.frame(index).t - Fraction(1, 2))))
    return {index: f"frame_{number:04d}.png" for number, index in enumerate(chosen, 1)}


def _compared_gap(analysis: Analysis) -> int:
    """The gap whose two frames become frame0 and frame1."""
    return analysis.busy_gap() or 0


def _compared_times(film: _Film) -> dict[str, float]:
    """When frame0 and frame1 are shown, in seconds of the result."""
    gap, times = _compared_gap(film.analysis), film.analysis.times
    start, end = (round(float(times[index] * film.timeline.stretch), 4) for index in (gap, gap + 1))
    return {"start": start, "end": end}


def _render_segments(film: _Film, report: Reporter, room: Room, parts: PartMaker) -> tuple[list[Manifest], float]:
    """The manifests of all segments, and the seconds that those of an earlier call had taken."""
    manifests = {segment.number: film.store.finished(segment) for segment in film.segments}
    require_kept(film.store.kept, manifests)
    drawn = [manifest for number, manifest in manifests.items() if manifest and number not in film.store.kept]
    earlier = sum(manifest.seconds for manifest in drawn)
    film.store.remove_others(film.segments)
    parts.add_all(_pieces(film, manifests))
    report("interpolating", _frames_done(film, manifests), len(film.timeline))
    while left := [segment for segment in film.segments if not manifests[segment.number]]:
        run = _runs(left)[0]
        try:
            _render_run(film, run, manifests, report, room, parts)
        except NoSpaceError as error:
            room.after(error, film.store.expected_bytes(run[0], manifests, film.canvas.outer))
    return [manifest for segment in film.segments if (manifest := manifests[segment.number])], earlier


def _render_run(
    film: _Film,
    run: list[Segment],
    manifests: dict[int, Manifest | None],
    report: Reporter,
    room: Room,
    parts: PartMaker,
) -> None:
    """Segments that follow each other; their manifests are added to `manifests`."""
    with Window(film.frames, run[0].first, run[-1].last) as window:
        for segment in run:
            room.wait(film.store.expected_bytes(segment, manifests, film.canvas.outer))
            done = _frames_done(film, manifests)
            manifests[segment.number] = _render_segment(film, segment, window, report, done)
            room.succeeded()
            parts.add_all(_pieces(film, {segment.number: manifests[segment.number]}))


def _frames_done(film: _Film, manifests: dict[int, Manifest | None]) -> int:
    return sum(len(segment) for segment in film.segments if manifests[segment.number])


def _pieces(film: _Film, manifests: dict[int, Manifest | None]) -> list[Piece]:
    """What parts to watch are made of: the segments that are finished."""
    return [
        Piece(
            segment.number, film.store.path(segment), manifest.sha256, Fraction(manifest.begin), Fraction(manifest.end)
        )
        for segment in film.segments
        if (manifest := manifests.get(segment.number))
    ]


def _runs(segments: list[Segment]) -> list[list[Segment]]:
    """Segments that follow each other, together: they are read in one go."""
    runs = list[list[Segment]]()
    for segment in segments:
        if runs and runs[-1][-1].last == segment.first:
            runs[-1].append(segment)
        else:
            runs.append([segment])
    return runs


def _render_segment(film: _Film, segment: Segment, window: Window, report: Reporter, done: int) -> Manifest:
    started = time.perf_counter()
    manifest = film.store.new_manifest(segment, film.timeline)
    first = film.frames.some(range(1))[0] if film.timeline.loop and segment is film.segments[-1] else None
    painter = Painter(film.model, [*film.analysis.gaps, film.analysis.back], film.options.cut, first)
    with (
        WriteBehind(_writer(film, segment), depth_for(*film.canvas.outer)) as sink,
        ThreadPoolExecutor(1, "stills") as stills,
    ):
        kept = []
        for index in range(segment.start, segment.stop):
            frame = film.timeline.frame(index)
            drawn = painter.draw(frame, *window.at(frame.left))
            picture = film.canvas.place(drawn)
            if (native := window.native(drawn)) is not None:
                sink.write_native(native, frame.time)
            else:
                sink.write(picture, frame.time)
            if index in film.keep:
                motion = motion_of(painter.pair_at(frame.left))
                kept.append(stills.submit(_keep, film, index, picture, motion))
            report("interpolating", done + index - segment.start + 1, len(film.timeline))
    painter.finish()
    manifest.pictures = [one.result() for one in kept]
    manifest.new, manifest.held = painter.new, painter.held
    manifest.new_ms = [round(ms, 3) for ms in painter.new_ms]
    manifest.seconds = round(time.perf_counter() - started, 3)
    film.store.publish(segment, manifest)
    return manifest


def _keep(film: _Film, index: int, picture: Picture, motion: Motion | None) -> dict[str, Any]:
    """Writes a picture that is kept and the motion it was drawn by. Returns what the manifest says of them."""
    path = film.store.frames / film.keep[index]
    write_picture(path, to_depth(picture, deep=False))
    found = {"file": path.name, "time": round(float(film.timeline.frame(index).time), 4)}
    if motion is None:
        return found
    return found | {"motion": write_motion(path.with_name(motion_file(path.name)), motion, film.canvas).name}


def _writer(film: _Film, segment: Segment) -> VideoWriter:
    width, height = film.canvas.outer
    return VideoWriter(
        film.store.path(segment),
        width=width,
        height=height,
        fps=film.timeline.fps,
        time_base=film.timeline.time_base,
        start=film.timeline.frame(segment.start).time,
        end=film.timeline.end(segment.stop - 1),
        info=film.info,
        sar=film.sar,
        encoding=film.encoding,
        even=film.even,
    )


def _expected(film: _Film) -> dict[str, Any]:
    """What the finished file must turn out to be, for `certify`."""
    film_kind = film.encoding.format.kind == "film"
    return {
        **film.carry.promise(film.info, film.encoding.format),
        **promise(film.encoding, film.canvas.outer, alpha=film.info.alpha, info=film.info),
        "frame_count": len(film.timeline),
        "duration": film.timeline.duration,
        "fps": film.timeline.fps,
        "sar": film.sar if film_kind else None,
    }


def _evaluate(film: _Film, report: Reporter, worst: Worst | None = None) -> tuple[dict[str, Any] | None, str]:
    if not film.options.held_out:
        return None, "Held-out evaluation was switched off for this render."
    if film.options.duplicates == "drop":
        return None, "Repeated frames were taken out and nothing was drawn, so there is nothing to evaluate."
    return held_out(
        film.frames.plain,
        film.analysis,
        film.model,
        lambda done, total: report("evaluating", done, total),
        film.timeline.stretch,
        within=(film.redraw.begin, film.redraw.end) if film.redraw else None,
        worst=worst,
    )


@dataclass(frozen=True, slots=True)
class _OfTheSource:
    """What is to be seen of the source alone. pair: the two frames that are compared."""

    preview: Path
    stills: Stills
    farneback: Path
    pair: tuple[Picture, Picture]


def _of_the_source(film: _Film, work_dir: Path, on_step: OnStep) -> _OfTheSource:
    preview = work_dir / "source_preview.mp4"
    make_source_preview(film.source, preview, begin=film.whole.origin, end=film.carry.end, on_frame=on_step)
    gap = _compared_gap(film.analysis)
    img0, img1 = film.frames.plain.some(range(gap, gap + 2))
    stills, farneback = write_stills(work_dir, film.canvas, img0, img1), write_farneback(work_dir, img0, img1)
    return _OfTheSource(preview, stills, farneback, (img0, img1))


def _previews(
    film: _Film,
    work_dir: Path,
    master: Path,
    manifests: list[Manifest],
    report: Reporter,
    parts: PartMaker,
    aside: Aside[_OfTheSource],
) -> dict[str, Any]:
    """Everything to look at, by the names of RenderResult's fields."""
    shown, total = len(film.timeline), len(film.timeline) + len(film.whole.pts)
    preview = work_dir / "preview.mp4"
    report("previews", 0, total)
    pieces = _pieces(film, {manifest.segment["number"]: manifest for manifest in manifests})
    small = parts.finish(pieces, lambda done: report("previews", shown * done // len(pieces), total))
    heard = Carry(master, subtitles=False, browser_sound=True) if film.encoding.format.kind == "film" else None
    join_segments(small, preview, carry=heard)
    source = aside.finish(lambda done: report("previews", shown + done, total))
    poster, frame0, frame1 = source.stills
    own = write_model_flow(work_dir, film.model.pair(*source.pair))
    pictures = [
        (film.store.frames / str(picture["file"]), float(picture["time"]))
        for manifest in manifests
        for picture in manifest.pictures
    ]
    archive = write_zip(work_dir, [(path, f"{path.stem}_at_{at:.3f}s.png") for path, at in pictures])
    report("previews", total, total)
    return {
        "preview": preview,
        "source_preview": source.preview,
        "poster": poster,
        "frame0": frame0,
        "frame1": frame1,
        "frames": pictures,
        "motions": [
            (film.store.frames / str(picture["motion"]), float(picture["time"]))
            for manifest in manifests
            for picture in manifest.pictures
            if "motion" in picture
        ],
        "flow_farneback": source.farneback,
        "flow_model": own,
        "pictures_zip": archive,
    }
