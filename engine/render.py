"""A video through it all: read -> analyse -> interpolate -> write, in segments, with progress and stop.

Everything lies in one work folder. Called again with the same folder, source, options and model, finished segments are
used as they are; so a crash or a stop costs one segment.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from .analysis import Analysis, analyse_once
from .canvas import Canvas
from .carry import Carry
from .certificate import certify, encoder_row
from .config import RenderOptions
from .disk import check_room, full_disk_in_words
from .draw import Frames, Painter, PairMaker, Window
from .files import file_sha256
from .formats import Encoding
from .heldout import held_out
from .masters import encoding_of, make_master, make_picture_preview, promise
from .media_types import Limits
from .picture_film import render_pictures
from .pictures import write_picture
from .pipeline import WriteBehind
from .progress import STAGES, Progress, Reporter
from .remux import make_preview, make_source_preview
from .result import RenderResult, remove_halves, timing, write_flows, write_json, write_stills, write_zip
from .segments import Manifest, Segment, SegmentStore, fingerprint, split
from .subtitles import subtitles_that_fit
from .timeline import Timeline, plan
from .video import VideoInfo, probe
from .writer import VideoWriter

__all__ = ["STAGES", "Progress", "RenderResult", "render_pictures", "render_video"]

MAX_PICTURES = 12  # in-between frames of a video kept as PNG


@dataclass(frozen=True, slots=True)
class _Film:
    """All that is known before the first frame is drawn."""

    source: Path
    info: VideoInfo
    options: RenderOptions
    model: PairMaker
    canvas: Canvas
    encoding: Encoding
    whole: Analysis  # all frames of the part that is used
    analysis: Analysis  # those that are drawn between
    timeline: Timeline
    segments: list[Segment]
    store: SegmentStore
    keep: dict[int, str]  # output frame -> name of the PNG to keep

    @property
    def sar(self) -> Fraction:
        """Shape of the result's pixels: a chosen resolution has square ones. x264 keeps it with terms up to 4096."""
        if self.options.resolution is not None:
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
        return Frames(self.source, self.info, self.analysis.pts, self.canvas.inner)


def render_video(
    source: Path,
    work_dir: Path,
    options: RenderOptions,
    interpolator: PairMaker,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    limits: Limits | None = None,
) -> RenderResult:
    """Renders `source` into `work_dir`, which is made if need be. Stages and their order: `STAGES`.

    Raises:
        BadInputError: not a video that can be rendered; the message says why.
        NoSpaceError: the disk is full. StoppedError: `should_stop` said so. Both keep the finished segments.
    """
    started, report = time.perf_counter(), Reporter(on_progress, should_stop)
    with full_disk_in_words():
        work_dir.mkdir(parents=True, exist_ok=True)
    remove_halves(work_dir)
    check_room(work_dir)
    film = _prepare(source, work_dir, options, interpolator, limits, report)
    manifests, earlier = _render_segments(film, report)
    figures, note = _evaluate(film, report)
    report("joining", 0, 1)
    master = work_dir / f"master{film.encoding.format.suffix}"
    parts = [film.store.path(segment) for segment in film.segments]
    notes = make_master(parts, master, film.encoding, carry=film.carry, info=film.info)
    report("joining", 1, 1)
    certificate = certify(master, _expected(film), unit=film.encoding.format.unit)
    certificate["checks"].append(encoder_row(options.encoder, film.encoding))
    files = _previews(film, work_dir, master, manifests, report)
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
        "notes": list(dict.fromkeys([*film.info.notes, *film.analysis.notes, *notes])),
    }
    write_json(work_dir / "metrics.json", metrics)
    write_json(work_dir / "certificate.json", certificate)
    return RenderResult(master=master, metrics=metrics, certificate=certificate, model=interpolator.info, **files)


def _prepare(
    source: Path,
    work_dir: Path,
    options: RenderOptions,
    model: PairMaker,
    limits: Limits | None,
    report: Reporter,
) -> _Film:
    info = probe(source, limits or Limits())
    canvas = Canvas.fit((info.width, info.height), options.resolution, info.sar)
    encoding = encoding_of(options, canvas.outer, info.bit_depth, info)
    report("reading", 0, _expected_frames(info, options))
    identity = file_sha256(source)
    kept, expected = work_dir / "analysis.json", _expected_frames(info, options)
    whole = analyse_once(
        source, info, kept, identity, options, lambda done: report("reading", min(done, expected), expected)
    )
    report("reading", len(whole.pts), len(whole.pts))
    analysis = whole.edited(options.duplicates)
    timeline = plan(whole.times, whole.duration, options, analysis.times)
    segments = split(analysis, timeline)
    name = fingerprint(identity, options, model.info.sha256, model.info.arch, encoding.identity())
    store = SegmentStore(work_dir, name, encoding.format.segment)
    keep = _pictures_to_keep(analysis, timeline)
    return _Film(source, info, options, model, canvas, encoding, whole, analysis, timeline, segments, store, keep)


def _expected_frames(info: VideoInfo, options: RenderOptions) -> int:
    """About how many frames the part to use has."""
    end = min(options.trim_end or info.duration, info.duration)
    return max(2, round(info.frame_count * (end - (options.trim_start or 0)) / info.duration))


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


def _render_segments(film: _Film, report: Reporter) -> tuple[list[Manifest], float]:
    """The manifests of all segments, and the seconds that those of an earlier call had taken."""
    manifests = {segment.number: film.store.finished(segment) for segment in film.segments}
    earlier = sum(manifest.seconds for manifest in manifests.values() if manifest)
    film.store.remove_others(film.segments)
    done = sum(len(segment) for segment in film.segments if manifests[segment.number])
    report("interpolating", done, len(film.timeline))
    for run in _runs([segment for segment in film.segments if not manifests[segment.number]]):
        with Window(film.frames, run[0].first, run[-1].last) as window:
            for segment in run:
                check_room(film.store.folder)
                manifests[segment.number] = _render_segment(film, segment, window, report, done)
                done += len(segment)
    return [manifest for segment in film.segments if (manifest := manifests[segment.number])], earlier


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
    manifest = film.store.new_manifest(segment)
    first = film.frames.some(range(1))[0] if film.timeline.loop and segment is film.segments[-1] else None
    painter = Painter(film.model, [*film.analysis.gaps, film.analysis.back], film.options.cut, first)
    with WriteBehind(_writer(film, segment)) as sink:
        for index in range(segment.start, segment.stop):
            frame = film.timeline.frame(index)
            picture = film.canvas.place(painter.draw(frame, *window.at(frame.left)))
            sink.write(picture, frame.time)
            if index in film.keep:
                write_picture(film.store.frames / film.keep[index], picture)
                manifest.pictures.append({"file": film.keep[index], "time": round(float(frame.time), 4)})
            report("interpolating", done + index - segment.start + 1, len(film.timeline))
    painter.finish()
    manifest.new, manifest.held = painter.new, painter.held
    manifest.new_ms = [round(ms, 3) for ms in painter.new_ms]
    manifest.seconds = round(time.perf_counter() - started, 3)
    film.store.publish(segment, manifest)
    return manifest


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
    )


def _expected(film: _Film) -> dict[str, Any]:
    """What the finished file must turn out to be, for `certify`."""
    film_kind = film.encoding.format.kind == "film"
    sound = film.info.audio if film.keeps_sound and film_kind else []
    return {
        **promise(film.encoding, film.canvas.outer, alpha=film.info.alpha, info=film.info),
        "frame_count": len(film.timeline),
        "duration": film.timeline.duration,
        "fps": film.timeline.fps,
        "sar": film.sar if film_kind else None,
        "audio_streams": len(sound) if film_kind else None,
        "subtitle_streams": subtitles_that_fit(film.info, film.encoding.format) if film_kind else None,
        "av_offset": film.carry.sound_begins(sound[0]["start"]) if sound else None,
        "chapters": sum(
            film.carry.part(Fraction(0)).span(*_span(chapter)) is not None for chapter in film.info.chapters
        )
        if film_kind
        else None,
    }


def _span(chapter: dict[str, Any]) -> tuple[Fraction, Fraction]:
    return Fraction(chapter["start"]), Fraction(chapter["end"])


def _evaluate(film: _Film, report: Reporter) -> tuple[dict[str, Any] | None, str]:
    if not film.options.held_out:
        return None, "Held-out evaluation was switched off for this render."
    if film.options.duplicates == "drop":
        return None, "Repeated frames were taken out and nothing was drawn, so there is nothing to evaluate."
    return held_out(
        film.frames,
        film.analysis,
        film.model,
        lambda done, total: report("evaluating", done, total),
        film.timeline.stretch,
    )


def _previews(film: _Film, work_dir: Path, master: Path, manifests: list[Manifest], report: Reporter) -> dict[str, Any]:
    """Everything to look at, by the names of RenderResult's fields."""
    shown, total = len(film.timeline), len(film.timeline) + len(film.whole.pts)
    preview, source_preview = work_dir / "preview.mp4", work_dir / "source_preview.mp4"
    report("previews", 0, total)
    if film.encoding.format.kind == "film":
        make_preview(master, preview, on_frame=lambda done: report("previews", done, total))
    else:
        make_picture_preview(
            [film.store.path(segment) for segment in film.segments],
            preview,
            fps=film.timeline.fps,
            time_base=film.timeline.time_base,
            end=film.timeline.duration,
            on_frame=lambda done: report("previews", done, total),
        )
    make_source_preview(
        film.source,
        source_preview,
        begin=film.whole.origin,
        end=film.carry.end,
        on_frame=lambda done: report("previews", shown + done, total),
    )
    gap = _compared_gap(film.analysis)
    img0, img1 = film.frames.some(range(gap, gap + 2))
    poster, frame0, frame1 = write_stills(work_dir, film.canvas, img0, img1)
    farneback, own = write_flows(work_dir, img0, img1, film.model.pair(img0, img1))
    pictures = [
        (film.store.frames / str(picture["file"]), float(picture["time"]))
        for manifest in manifests
        for picture in manifest.pictures
    ]
    archive = write_zip(work_dir, [(path, f"{path.stem}_at_{at:.3f}s.png") for path, at in pictures])
    report("previews", total, total)
    return {
        "preview": preview,
        "source_preview": source_preview,
        "poster": poster,
        "frame0": frame0,
        "frame1": frame1,
        "frames": pictures,
        "flow_farneback": farneback,
        "flow_model": own,
        "pictures_zip": archive,
    }
