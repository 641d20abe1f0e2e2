"""Two pictures and what lies between them, as pictures and as a little film."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .canvas import Canvas, scaled
from .certificate import arithmetic_row, certify, encoder_row, left_out_row
from .config import MIN_SIDE, RenderOptions
from .disk import Room, full_disk_in_words
from .draw import Pair, PairMaker, Picture
from .errors import BadInputError, PictureSizesDifferError
from .evidence import motion_of, write_motion
from .files import link
from .formats import Encoding
from .heldout import compare, summary
from .masters import encoding_of, make_master, promise
from .media_types import Limits
from .motion import dis_flow
from .pictures import read_picture, write_picture
from .progress import Progress, Reporter
from .remux import PREVIEW_CRF, PREVIEW_KEYFRAMES, PREVIEW_PRESET, box
from .result import (
    RenderResult,
    fresh_folder,
    remove_halves,
    timing,
    write_flows,
    write_json,
    write_stills,
    write_zip,
)
from .timeline import picture_times
from .translation import gettext as _
from .translation import gettext_noop
from .watch import declare_part, part_path
from .writer import VideoWriter

NO_TRUTH = gettext_noop(
    "Nobody knows what really lies between two pictures, so there is nothing to compare with: no PSNR or SSIM. "
    "Give the true middle picture as well to get them."
)


@dataclass(frozen=True, slots=True)
class _Drawn:
    pair: Pair
    pictures: list[Picture]  # between the two, in order
    seconds: float
    new_ms: list[float]


def render_pictures(
    frame1: Path,
    frame2: Path,
    work_dir: Path,
    options: RenderOptions,
    interpolator: PairMaker,
    *,
    truth: Path | None = None,
    resize_second: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    limits: Limits | None = None,
    disk_patience: float = 0.0,
) -> RenderResult:
    """Draws `options.inbetween` pictures between two and makes a film of all of them, at `options.target_fps`.

    With `options.loop` the film goes back again through the same pictures: 2 * (inbetween + 1) frames. Without a rate
    one second passes from the first picture to the second. The preview is never faster than that, so that there is
    something to see, and it is the first file to be there (`engine.watch`). `truth`: the real picture in the middle,
    if there is one, to measure against. disk_patience: seconds to wait where the disk has no room.

    Raises:
        BadInputError: not pictures, or of different sizes and `resize_second` is not set.
        NoSpaceError: the disk is full. StoppedError: `should_stop` said so.
    """
    started, report, limits = time.perf_counter(), Reporter(on_progress, should_stop), limits or Limits()
    with full_disk_in_words():
        work_dir.mkdir(parents=True, exist_ok=True)
    remove_halves(work_dir)
    room = Room(work_dir, report.waiting, disk_patience)
    room.wait()
    report("reading", 0, 2)
    canvas, img0, img1 = _read_two(frame1, frame2, options, resize_second, limits)
    report("reading", 2, 2)
    drawn = _draw(interpolator, img0, img1, options.inbetween, report)
    times = picture_times(options.inbetween, options.target_fps, options.loop)[0]
    figures, note = None, _(NO_TRUTH)
    if truth is not None:
        middle = round(float(times[options.inbetween + 1] / 2), 4)
        figures, note = _against(canvas.scale(read_picture(truth, limits)), drawn.pair, img0, img1, middle, report), ""
    pictures = [img0, *drawn.pictures, img1]
    files, certificate, notes = room.do(lambda: _write(work_dir, options, canvas, pictures, drawn.pair, report))
    certificate["checks"] += arithmetic_row([interpolator.arithmetic])
    new = len(drawn.pictures)
    metrics = {
        "held_out": figures,
        "held_out_note": note,
        "motion": [{"time": 0.0, "px": round(_speed(img0, img1), 3)}],
        "cuts": [],
        "timing": timing(time.perf_counter() - started, drawn.seconds, drawn.new_ms),
        "frames": {"source": 2, "output": len(times), "new": new, "held": len(times) - new - 2},
        "notes": notes,
    }
    room.do(lambda: write_json(work_dir / "metrics.json", metrics))
    room.do(lambda: write_json(work_dir / "certificate.json", certificate))
    return RenderResult(metrics=metrics, certificate=certificate, model=interpolator.info, **files)


def _read_two(
    frame1: Path, frame2: Path, options: RenderOptions, resize_second: bool, limits: Limits
) -> tuple[Canvas, Picture, Picture]:
    img0, img1 = read_picture(frame1, limits), read_picture(frame2, limits)
    (h0, w0), (h1, w1) = img0.shape[:2], img1.shape[:2]
    if img0.shape != img1.shape and not resize_second:
        raise PictureSizesDifferError(
            _(
                "The two pictures differ in size: {w0}x{h0} and {w1}x{h1}. Send two of the same size, or "
                "have the second resized to the first."
            ).format(w0=w0, h0=h0, w1=w1, h1=h1)
        )
    canvas = Canvas.fit((w0, h0), options.resolution)
    if min(canvas.inner) < MIN_SIDE:
        raise BadInputError(
            _("The pictures are {w0}x{h0}; each side must be at least {min_side} pixels.").format(
                w0=w0, h0=h0, min_side=MIN_SIDE
            )
        )
    return canvas, canvas.scale(img0), canvas.scale(img1)


def _draw(model: PairMaker, img0: Picture, img1: Picture, count: int, report: Reporter) -> _Drawn:
    report("interpolating", 0, count)
    started = time.perf_counter()
    pair, pictures = model.pair(img0, img1), list[Picture]()
    for step in range(1, count + 1):
        pictures.append(pair.at(Fraction(step, count + 1)))
        report("interpolating", step, count)
    seconds = time.perf_counter() - started
    return _Drawn(pair, pictures, seconds, [1000 * seconds / count] * count)


def _against(
    truth: Picture, pair: Pair, img0: Picture, img1: Picture, middle: float, report: Reporter
) -> dict[str, Any]:
    """The figures of the picture half-way, shown at `middle` seconds, against the true one."""
    report("evaluating", 0, 1)
    figures = compare(pair.at(Fraction(1, 2)), truth, img0, img1, 0.5)
    report("evaluating", 1, 1)
    return summary("true middle picture", [{"time": middle, "frame": 0, **figures}])


def _write(
    work_dir: Path, options: RenderOptions, canvas: Canvas, pictures: list[Picture], pair: Pair, report: Reporter
) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """All files, by the names of RenderResult's fields, the certificate of the film, and what it could not hold.

    The preview comes first, as somebody waits for it; then everything else, side by side.
    """
    whole = [canvas.place(picture) for picture in pictures]
    report("joining", 0, 1)
    times, duration = picture_times(options.inbetween, options.target_fps, options.loop)
    rate, shown = len(times) / duration, [*whole, *whole[-2:0:-1]] if options.loop else whole
    height, width = whole[0].shape[:2]
    encoding = encoding_of(options, (width, height), 8 * whole[0].dtype.itemsize)
    preview = _preview(work_dir, shown, min(rate, Fraction(options.inbetween + 1)))
    folder = fresh_folder(work_dir / "frames")
    with ThreadPoolExecutor(max(2, cv2.getNumThreads()), "files") as pool:
        stills = pool.submit(write_stills, work_dir, canvas, pictures[0], pictures[-1])
        flows = pool.submit(_motion, work_dir, pictures[0], pictures[-1], pair, canvas)
        drawn = [
            pool.submit(write_picture, folder / f"frame_{number:04d}.png", whole[number])
            for number in range(1, len(whole) - 1)
        ]
        master, notes = _master(work_dir, shown, rate, encoding)
        report("joining", 1, 1)
        report("previews", 0, 1)
        frames = [(picture.result(), float(times[number])) for number, picture in enumerate(drawn, 1)]
        (poster, frame0, frame1), (farneback, own, field) = stills.result(), flows.result()
    expected = promise(encoding, (width, height), alpha=whole[0].shape[2] == 4)
    expected |= {"frame_count": len(shown), "duration": duration, "fps": rate, "sar": Fraction(1)}
    entry = encoding.format
    fewer = entry.leaves_out(rate, even=True)
    certificate = certify(master, expected, unit=entry.unit, fewer=fewer)
    certificate["checks"] += left_out_row(entry, rate, certificate) if fewer else []
    certificate["checks"].append(encoder_row(options.encoder, encoding))
    names = [(frame0, "frame_0000_first.png"), *((path, path.name) for path, _ in frames)]
    archive = write_zip(work_dir, [*names, (frame1, f"frame_{len(whole) - 1:04d}_second.png")])
    report("previews", 1, 1)
    files = {
        "master": master,
        "preview": preview,
        "source_preview": None,
        "poster": poster,
        "frame0": frame0,
        "frame1": frame1,
        "frames": frames,
        "motions": [(field, 0.0)] if field else [],
        "flow_farneback": farneback,
        "flow_model": own,
        "pictures_zip": archive,
    }
    return files, certificate, notes


def _motion(
    work_dir: Path, img0: Picture, img1: Picture, pair: Pair, canvas: Canvas
) -> tuple[Path, Path | None, Path | None]:
    """The two pictures of motion, and the field: one after the other, as a pair is not for several threads."""
    motion = motion_of(pair)
    field = write_motion(work_dir / "motion.npy.gz", motion, canvas) if motion is not None else None
    return *write_flows(work_dir, img0, img1, pair), field


def _preview(work_dir: Path, pictures: list[Picture], rate: Fraction) -> Path:
    """preview.mp4, which is also the one part to watch while the rest is written."""
    height, width = pictures[0].shape[:2]
    size, preview = box(Fraction(width), Fraction(height)), work_dir / "preview.mp4"
    with VideoWriter(
        preview,
        width=size[0],
        height=size[1],
        fps=rate,
        crf=PREVIEW_CRF,
        preset=PREVIEW_PRESET,
        keyframe_seconds=PREVIEW_KEYFRAMES,
    ) as writer:
        for index, picture in enumerate(pictures):
            writer.write(scaled(picture, size), index / rate)
    part = part_path(work_dir, 1)
    part.unlink(missing_ok=True)
    link(preview, part)
    declare_part(work_dir, 1, "", Fraction(0), len(pictures) / rate)
    return preview


def _master(work_dir: Path, pictures: list[Picture], rate: Fraction, encoding: Encoding) -> tuple[Path, list[str]]:
    """The finished file, and notes in words on what it could not hold."""
    master = work_dir / f"master{encoding.format.suffix}"
    part = _film(work_dir / f"only{encoding.format.segment}", pictures, rate, encoding)
    notes = make_master([part], master, encoding, info=None)
    part.unlink()
    return master, notes


def _film(path: Path, pictures: list[Picture], rate: Fraction, encoding: Encoding) -> Path:
    height, width = pictures[0].shape[:2]
    with VideoWriter(path, width=width, height=height, fps=rate, encoding=encoding) as writer:
        for index, picture in enumerate(pictures):
            writer.write(picture, index / rate)
    return path


def _speed(img0: Picture, img1: Picture) -> float:
    """Median speed in pixels."""
    flow = dis_flow(img0, img1, "fast")
    return float(np.median(np.hypot(flow[..., 0], flow[..., 1])))
