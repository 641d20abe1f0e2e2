"""The engine in one call: two pictures, or a video, in; pictures, a film, a preview and figures out.

frames, video_path, preview_video_path, metrics = interpolate_frames(
    frame1_path="a.png", frame2_path="b.png", num_interpolations=5, resolution=(1920, 1080), fps=60
)
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .config import (
    BitDepth,
    CutPolicy,
    DuplicatePolicy,
    Encoder,
    Mode,
    OutputFormat,
    RenderOptions,
    SoundPolicy,
    parse_fps,
    parse_resolution,
    parse_seconds,
)
from .draw import PairMaker
from .interpolator import Interpolator
from .pictures import read_picture
from .progress import Progress
from .render import RenderResult, render_pictures, render_video
from .sequence import as_film

DEFAULT_FOLDER = "inbetween_output"


class Interpolation(NamedTuple):
    """frames: in-between pictures, RGB uint8 (H, W, 3), in order. metrics: as in metrics.json, see docs/video.md."""

    frames: list[NDArray[np.uint8]]
    video_path: Path
    preview_video_path: Path
    metrics: dict[str, Any]


def interpolate_frames(
    frame1_path: str | Path,
    frame2_path: str | Path,
    num_interpolations: int = 5,
    resolution: tuple[int, int] | str | None = (1920, 1080),
    fps: int | float | str | Fraction = 60,
    *,
    output_dir: str | Path | None = None,
    truth_path: str | Path | None = None,
    resize_second: bool = False,
    model: str = "default",
    device: str = "auto",
    format: OutputFormat = "mp4_h264",
    quality: int = 80,
    crf: int | None = None,
    bit_depth: BitDepth = "auto",
    encoder: Encoder = "auto",
    interpolator: PairMaker | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Interpolation:
    """Draws 1 to 10 pictures between two.

    resolution: (width, height) of everything made, in pixels, or None for the pictures' own. Pictures of another shape
        are fitted in, with black beside them.
    fps: of the film, which has num_interpolations + 2 frames. The preview is slowed down so that it lasts a second.
    output_dir: where the files go; files of an earlier call there are replaced. Default: `inbetween_output/` in the
        current folder, and in it a folder named after the two pictures.
    truth_path: the real picture in the middle, if there is one; only then do the metrics hold PSNR and SSIM.
    resize_second: scale the second picture to the first if their sizes differ; otherwise that is an error.
    model, device: as `Interpolator.load` takes them. interpolator: one that is loaded already, instead of both.
    format, quality, crf, bit_depth, encoder: of the film, as `RenderOptions` has them.

    Raises:
        EngineError: with a message for people; see engine.errors for the kinds.
    """
    options = RenderOptions(
        mode="fps",
        inbetween=num_interpolations,
        target_fps=parse_fps(fps),
        resolution=parse_resolution(resolution) if resolution is not None else None,
        model=model,
        format=format,
        quality=quality,
        crf=crf,
        bit_depth=bit_depth,
        encoder=encoder,
    )
    first, second = Path(frame1_path), Path(frame2_path)
    result = render_pictures(
        first,
        second,
        _folder(output_dir, f"{first.stem}-{second.stem}"),
        options,
        interpolator or Interpolator.load(model, device),
        truth=Path(truth_path) if truth_path is not None else None,
        resize_second=resize_second,
        on_progress=on_progress,
        should_stop=should_stop,
    )
    return _answer(result)


def interpolate_video(
    video_path: str | Path,
    num_interpolations: int = 1,
    resolution: tuple[int, int] | str | None = None,
    fps: int | float | str | Fraction | None = None,
    *,
    mode: Mode | None = None,
    cut: CutPolicy = "hold",
    format: OutputFormat = "mp4_h264",
    quality: int = 80,
    crf: int | None = None,
    bit_depth: BitDepth = "auto",
    encoder: Encoder = "auto",
    held_out: bool = True,
    sound: SoundPolicy = "keep",
    trim_start: int | float | str | Fraction | None = None,
    trim_end: int | float | str | Fraction | None = None,
    loop: bool = False,
    duplicates: DuplicatePolicy = "keep",
    deinterlace: Literal["auto", "off"] = "auto",
    input_fps: int | float | str | Fraction | None = None,
    output_dir: str | Path | None = None,
    model: str = "default",
    device: str = "auto",
    interpolator: PairMaker | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Interpolation:
    """Draws frames between those of a video; its sound is kept (in slow motion it is dropped, or stretched if asked).

    mode: "smooth" (default): num_interpolations new frames in every gap, same duration. "slow": as many, at the
        source's rate, so it lasts longer. "fps" (default when `fps` is given): exactly that rate, same duration.
    resolution: (width, height) in pixels; None keeps the source's.
    cut: across a cut the nearest source frame is held, or "crossfade".
    format, quality, crf, bit_depth, encoder: of the result, as `RenderOptions` has them.
    held_out: also hide some real frames, draw them again and compare: PSNR and SSIM in the metrics.
    sound, trim_start, trim_end, loop, duplicates, deinterlace: as `RenderOptions` has them; times in seconds or as
        "1:02.5".
    input_fps: of a folder or a zip of numbered pictures, given instead of a video; default 24.
    output_dir: as for `interpolate_frames`; a call that was interrupted goes on from its finished parts.

    The frames of the answer are up to 12 in-between pictures from all over the film, not all of them.

    Raises:
        EngineError: with a message for people; see engine.errors for the kinds.
    """
    options = RenderOptions(
        mode=mode or ("fps" if fps is not None else "smooth"),
        inbetween=num_interpolations,
        target_fps=parse_fps(fps) if fps is not None else None,
        resolution=parse_resolution(resolution) if resolution is not None else None,
        model=model,
        cut=cut,
        format=format,
        quality=quality,
        crf=crf,
        bit_depth=bit_depth,
        encoder=encoder,
        held_out=held_out,
        sound=sound,
        trim_start=parse_seconds(trim_start) if trim_start is not None else None,
        trim_end=parse_seconds(trim_end) if trim_end is not None else None,
        loop=loop,
        duplicates=duplicates,
        deinterlace=deinterlace,
    )
    source = Path(video_path)
    folder = _folder(output_dir, source.stem)
    result = render_video(
        as_film(source, folder, parse_fps(input_fps) if input_fps is not None else None),
        folder,
        options,
        interpolator or Interpolator.load(model, device),
        on_progress=on_progress,
        should_stop=should_stop,
    )
    return _answer(result)


def _folder(output_dir: str | Path | None, name: str) -> Path:
    return Path(output_dir) if output_dir is not None else Path.cwd() / DEFAULT_FOLDER / name


def _answer(result: RenderResult) -> Interpolation:
    frames = [read_picture(path) for path, _ in result.frames]
    return Interpolation(frames, result.master, result.preview, result.metrics)
