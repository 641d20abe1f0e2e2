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

from .aside import Aside, OnStep
from .carry import Carry
from .certificate import arithmetic_row, certify, encoder_row, left_out_row, lost_row
from .config import RenderOptions
from .disk import Room, full_disk_in_words
from .draw import Painter, PairMaker, Picture, Window
from .errors import NoSpaceError
from .evidence import Motion, Worst, motion_file, motion_of, write_motion
from .film import Film, compared_gap, compared_times, prepare, shape_notes
from .heldout import held_out
from .masters import make_master, promise
from .media_types import Limits
from .memory import give_memory_back
from .picture_film import render_pictures
from .pictures import to_depth, write_picture
from .pipeline import WriteBehind, depth_for
from .progress import STAGES, Progress, Reporter
from .reading import reading_notes
from .redraw import require_kept
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
from .segments import Manifest, Segment
from .translation import gettext as _
from .watch import PartMaker, Piece
from .writer import VideoWriter

__all__ = ["STAGES", "Progress", "RenderResult", "render_pictures", "render_video"]

ASIDE_PIXELS = 3840 * 2160  # sources of more take so much memory that they are decoded once at a time


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
    film = room.do(lambda: prepare(source, work_dir, options, interpolator, limits, report))
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
    return _evaluate(prepare(source, work_dir, options, interpolator, None, report), report)


def _render(
    film: Film,
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
    certificate["checks"] += left_out_row(entry, film.timeline.fps, certificate) if fewer else []
    certificate["checks"] += lost_row(film.info.frame_count, len(film.whole.pts)) if film.is_whole else []
    certificate["checks"] += arithmetic_row(part.arithmetic for part in manifests)
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
        "compared": compared_times(film),
        "timing": timing(
            time.perf_counter() - started + earlier, drawing, [ms for manifest in manifests for ms in manifest.new_ms]
        ),
        "frames": {
            "source": len(film.whole.pts),
            "output": len(film.timeline),
            "new": sum(manifest.new for manifest in manifests),
            "held": sum(manifest.held for manifest in manifests),
        },
        "notes": list(dict.fromkeys([*film.info.notes, *read, *film.analysis.notes, *shape_notes(film), *notes])),
    }
    if film.redraw is not None:
        metrics["redrawn"] = film.redraw.to_dict()
    room.do(lambda: write_json(work_dir / "metrics.json", metrics))
    room.do(lambda: write_json(work_dir / "certificate.json", certificate))
    return RenderResult(master=master, metrics=metrics, certificate=certificate, model=film.model.info, **files)


def _render_segments(film: Film, report: Reporter, room: Room, parts: PartMaker) -> tuple[list[Manifest], float]:
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
    film: Film,
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


def _frames_done(film: Film, manifests: dict[int, Manifest | None]) -> int:
    return sum(len(segment) for segment in film.segments if manifests[segment.number])


def _pieces(film: Film, manifests: dict[int, Manifest | None]) -> list[Piece]:
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


def _render_segment(film: Film, segment: Segment, window: Window, report: Reporter, done: int) -> Manifest:
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
    manifest.arithmetic = film.model.arithmetic
    manifest.seconds = round(time.perf_counter() - started, 3)
    film.store.publish(segment, manifest)
    give_memory_back()  # or what lies in pieces between the freed pictures adds up over a long film
    return manifest


def _keep(film: Film, index: int, picture: Picture, motion: Motion | None) -> dict[str, Any]:
    """Writes a picture that is kept and the motion it was drawn by. Returns what the manifest says of them."""
    path = film.store.frames / film.keep[index]
    write_picture(path, to_depth(picture, deep=False))
    found = {"file": path.name, "time": round(float(film.timeline.frame(index).time), 4)}
    if motion is None:
        return found
    return found | {"motion": write_motion(path.with_name(motion_file(path.name)), motion, film.canvas).name}


def _writer(film: Film, segment: Segment) -> VideoWriter:
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


def _expected(film: Film) -> dict[str, Any]:
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


def _evaluate(film: Film, report: Reporter, worst: Worst | None = None) -> tuple[dict[str, Any] | None, str]:
    if not film.options.held_out:
        return None, _("Held-out evaluation was switched off for this render.")
    if film.options.duplicates == "drop":
        return None, _("Repeated frames were taken out and nothing was drawn, so there is nothing to evaluate.")
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


def _of_the_source(film: Film, work_dir: Path, on_step: OnStep) -> _OfTheSource:
    preview = work_dir / "source_preview.mp4"
    make_source_preview(film.source, preview, begin=film.whole.origin, end=film.carry.end, on_frame=on_step)
    gap = compared_gap(film.analysis)
    img0, img1 = film.frames.plain.some(range(gap, gap + 2))
    stills, farneback = write_stills(work_dir, film.canvas, img0, img1), write_farneback(work_dir, img0, img1)
    return _OfTheSource(preview, stills, farneback, (img0, img1))


def _previews(
    film: Film,
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
