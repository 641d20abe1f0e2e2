"""Videos in: what they are (`probe`), when their frames are shown (`frame_times`), the frames (`read_frames`).

All times are exact fractions of a second, counted from the first frame. Nothing holds more than a few frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.stream import VideoStream

from .colour import ColourTags, ToRgb, tags_of
from .damage import Damage, broken_inside, missing_bytes
from .decode import first_frame, frames_from
from .demux import codec_name, open_input, video_stream
from .errors import BadInputError
from .flipbook import flipbook_times, is_flipbook, probe_flipbook, read_flipbook
from .media_types import Limits, sniff
from .orientation import UPRIGHT, Orientation
from .timing import Timing, timing_of
from .video_info import VideoInfo

__all__ = ["VideoFrame", "VideoInfo", "frame_times", "probe", "read_frames"]


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One frame. pts: seconds from the first frame, exact. rgb: uint8 (H, W, 3), upright."""

    pts: Fraction
    rgb: np.ndarray


def probe(path: str | Path, limits: Limits | None = None) -> VideoInfo:
    """What the video at `path` is. Walks all packets and decodes one frame.

    Raises:
        BadInputError: not a video, no picture, a codec that cannot be decoded, damaged beyond reading, or larger than
        `limits`; the message says which and what to do.
    """
    path, limits, damage = Path(path), limits or Limits(), Damage()
    if is_flipbook(path):
        return probe_flipbook(path, limits)
    with open_input(path, limits) as container:
        stream = video_stream(container, limits)
        frame = first_frame(container, stream, limits)
        tags, side = tags_of(frame, stream.codec_context), Orientation.of(frame)
        timing = timing_of(path, limits, damage)
        upright = side.size(frame.width, frame.height)
        sar = Fraction(stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or 1) or Fraction(1)
        interlaced = frame.interlaced_frame or stream.codec_context.field_order > 1
        time_base = stream.time_base or Fraction(1, 90000)
        return VideoInfo(
            container=sniff(path).name,
            codec=codec_name(stream),
            width=upright[0],
            height=upright[1],
            rotation=side.degrees,
            mirrored=side.mirrored,
            sar=1 / sar if side.transposed else sar,
            frame_count=len(timing.times),
            duration=timing.duration,
            fps=timing.rate or len(timing.times) / timing.duration,
            is_vfr=timing.rate is None,
            time_base=time_base,
            start=timing.origin * time_base,
            pix_fmt=frame.format.name,
            bit_depth=max(part.bits for part in frame.format.components),
            color_primaries=tags.primaries,
            color_transfer=tags.transfer,
            color_matrix=tags.matrix,
            color_range=tags.range,
            interlaced=interlaced,
            size_bytes=path.stat().st_size,
            audio=[_audio(one, timing.origin * time_base) for one in container.streams.audio],
            subtitles=[_subtitle(one) for one in container.streams.subtitles],
            chapters=[_chapter(one) for one in container.chapters()],
            notes=_notes(path, stream, timing, damage, tags, frame, interlaced),
        )


def frame_times(path: str | Path, limits: Limits | None = None) -> list[Fraction]:
    """When each frame is shown, in seconds from the first; ascending, starts with 0.

    From the packets, without decoding, unless the container has no times of presentation (AVI with B-frames).
    """
    path, limits = Path(path), limits or Limits()
    return flipbook_times(path, limits) if is_flipbook(path) else timing_of(path, limits, Damage()).times


def read_frames(
    path: str | Path,
    *,
    start: Fraction | None = None,
    stop: Fraction | None = None,
    resolution: tuple[int, int] | None = None,
    info: VideoInfo | None = None,
    limits: Limits | None = None,
    on_notice: Callable[[str], None] | None = None,
) -> Iterator[VideoFrame]:
    """The frames shown at start <= time < stop, one by one, in order of time.

    Rotation and mirroring are applied. `sar` is not: it stays a tag. `resolution` = (width, height) as displayed
    scales to exactly that (bicubic). `info`, from `probe`, spares a walk through all packets: give it when reading in
    pieces. What cannot be decoded is left out and told to `on_notice` in words, at the end; so go by `pts`, not by
    counting.

    Raises:
        BadInputError: as `probe`, or nothing at all can be decoded.
    """
    path, limits, damage = Path(path), limits or Limits(), Damage()
    if is_flipbook(path):
        turned = read_flipbook(path, limits, start=start, stop=stop, resolution=resolution, on_notice=on_notice)
        yield from (VideoFrame(time, rgb) for time, rgb in turned)
        return
    origin, rate = _origin(path, limits, info)
    convert, last, found = _Converter(resolution), None, False
    with frames_from(path, limits, origin, rate, start, damage) as (stream, frames):
        for time, frame in frames:
            if stop is not None and time >= stop:
                break
            if (start is not None and time < start) or time < 0 or (last is not None and time <= last):
                damage.frames += time < 0 or (last is not None and time <= last)
                continue
            last, found = time, True
            yield VideoFrame(time, convert(frame, stream, damage))
    if not found and not start and damage.packets:
        raise BadInputError("No frame of this video can be decoded: its data is damaged. Send it again.")
    if on_notice is not None:
        for words in damage.words():
            on_notice(words)


class _Converter:
    """Decoded frames to upright RGB of one size, that of the first frame or the one asked for."""

    def __init__(self, resolution: tuple[int, int] | None) -> None:
        self._resolution = resolution
        self._to_rgb = ToRgb()
        self._side = UPRIGHT
        self._size: tuple[int, int] | None = None  # as stored
        self._first: tuple[int, int] | None = None

    def __call__(self, frame: av.VideoFrame, stream: VideoStream, damage: Damage) -> np.ndarray:
        if self._size is None:
            self._side = Orientation.of(frame)
            self._first = (frame.width, frame.height)
            self._size = self._side.size(*self._resolution) if self._resolution else self._first
        damage.resized += (frame.width, frame.height) != self._first
        rgb = self._to_rgb(frame, tags_of(frame, stream.codec_context), self._size)
        return self._side.apply(rgb)


def _origin(path: Path, limits: Limits, info: VideoInfo | None) -> tuple[int, Fraction | None]:
    """(time stamp of the first frame, constant rate if known)."""
    if info is not None:
        return int(info.start / info.time_base), None if info.is_vfr else info.fps
    timing = timing_of(path, limits, Damage())
    return timing.origin, timing.rate


def _audio(stream: Any, start: Fraction) -> dict[str, Any]:
    context, time_base = stream.codec_context, stream.time_base or Fraction(1)
    duration = stream.duration * time_base if stream.duration else None
    return {
        "codec": codec_name(stream),
        "channels": context.channels if context is not None else None,
        "sample_rate": context.sample_rate if context is not None else None,
        "duration": float(duration) if duration is not None else None,
        "start": float((stream.start_time or 0) * time_base - start),
        "language": stream.language or "",
    }


def _subtitle(stream: Any) -> dict[str, Any]:
    return {"codec": codec_name(stream), "language": stream.language or ""}


def _chapter(chapter: Any) -> dict[str, Any]:
    unit = chapter["time_base"] or Fraction(1)
    title = chapter["metadata"].get("title", "")
    return {"start": float(chapter["start"] * unit), "end": float(chapter["end"] * unit), "title": title}


def _notes(
    path: Path,
    stream: VideoStream,
    timing: Timing,
    damage: Damage,
    tags: ColourTags,
    frame: av.VideoFrame,
    interlaced: bool,
) -> list[str]:
    """What a person should know before using this video."""
    notes = damage.words()
    missing = missing_bytes(path, sniff(path))
    if missing > 0:
        of = f" of {stream.frames}" if stream.frames > len(timing.times) else ""
        notes.insert(0, f"The file is cut short by {missing} bytes: {len(timing.times)}{of} frames can be read.")
    if broken := broken_inside(path, sniff(path)):
        notes.insert(0, broken)
    if len(timing.times) == 1:
        notes.append("The video has a single frame: there is nothing to interpolate between.")
    if tags.hdr:
        kind = "HDR10 (PQ)" if tags.transfer == "smpte2084" else "HLG"
        notes.append(
            f"This is {kind} high dynamic range video. It is processed with 8 bits a channel and keeps its HDR tags; "
            "smooth skies may show bands, and still pictures look pale."
        )
    elif any(part.bits > 8 for part in frame.format.components):
        notes.append("The source has more than 8 bits a channel; it is processed with 8.")
    if interlaced:
        notes.append("The video is interlaced. It is not de-interlaced: comb edges may show on motion.")
    if timing.rate is None:
        notes.append("The frame rate varies; the timing of every frame is kept.")
    return notes
