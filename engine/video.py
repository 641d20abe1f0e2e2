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
from av.video.stream import VideoStream
from numpy.typing import NDArray

from .colour import ColourTags, chroma_site, tags_of
from .damage import Damage, broken_inside, missing_bytes
from .decode import first_frame, frames_from
from .demux import codec_name, open_input, video_stream
from .errors import BadInputError
from .flipbook import flipbook_times, is_flipbook, probe_flipbook, read_flipbook
from .hdr import content_light, mastering_display
from .interlace import SETTLE, Fields, declared_order, find_fields
from .media_types import GIF, MOV, MP4, Limits, sniff
from .orientation import Orientation
from .reading import Converter, Reading, has_alpha, is_opaque
from .splice import resets_of
from .timing import Timing, timing_of
from .translation import gettext as _
from .video_info import VideoInfo

__all__ = ["Reading", "VideoFrame", "VideoInfo", "frame_times", "probe", "read_frames"]


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One frame. pts: seconds from the first frame, exact. rgb: (H, W, 3), uint8 and upright, or as `Reading` says.

    native: the same as the decoder gave it, for an encoder; None where it was not asked for, or is not the same.
    """

    pts: Fraction
    rgb: NDArray[Any]
    native: av.VideoFrame | None = None


def probe(path: str | Path, limits: Limits | None = None) -> VideoInfo:
    """What the video at `path` is. Walks all packets and decodes a few frames.

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
        fields = _fields(path, limits, timing, frame, stream)
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
            interlaced=fields.order != "progressive",
            size_bytes=path.stat().st_size,
            field_order=fields.order,
            alpha=has_alpha(frame.format) and not (sniff(path) == GIF and is_opaque(frame)),
            chroma_site=chroma_site(frame),
            codec_tag=stream.codec_context.codec_tag if sniff(path) in (MP4, MOV) else "",
            mastering_display=mastering_display(frame),
            content_light=content_light(frame),
            audio=[_audio(one, timing.origin * time_base) for one in container.streams.audio],
            subtitles=[_subtitle(one) for one in container.streams.subtitles],
            chapters=[_chapter(one) for one in container.chapters()],
            notes=_notes(path, stream, timing, damage, tags, fields, 1 + len(resets_of(container).after)),
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
    reading: Reading | None = None,
) -> Iterator[VideoFrame]:
    """The frames shown at start <= time < stop, one by one, in order of time.

    Rotation and mirroring are applied. `sar` is not: it stays a tag. `resolution` = (width, height) as displayed
    scales to exactly that (bicubic). `info`, from `probe`, spares a walk through all packets, and says what size the
    video has, should it change on the way: give it when reading in pieces. What cannot be decoded is left out and told
    to `on_notice` in words, at the end; so go by `pts`, not by counting. `reading`: how deep, with alpha,
    de-interlaced; without it uint8 RGB of the frames as they are.

    Raises:
        BadInputError: as `probe`, or nothing at all can be decoded.
    """
    path, limits, damage, reading = Path(path), limits or Limits(), Damage(), reading or Reading()
    if is_flipbook(path):
        deep, alpha = reading.deep, reading.alpha
        turned = read_flipbook(
            path, limits, start=start, stop=stop, resolution=resolution, deep=deep, alpha=alpha, on_notice=on_notice
        )
        yield from (VideoFrame(time, rgb) for time, rgb in turned)
        return
    origin, rate = _origin(path, limits, info)
    convert, found = Converter(resolution, reading, info), list[Fraction]()
    before = SETTLE if reading.fields != "progressive" else 0
    with frames_from(path, limits, origin, rate, start and max(start - before, Fraction(0)), damage) as (
        stream,
        frames,
    ):
        for time, frame in convert.prepared(frames):
            if stop is not None and time >= stop:
                break
            back = time < 0 or bool(found and time <= found[-1])
            if back or (start is not None and time < start):
                damage.frames += back
                continue
            found.append(time)
            if frame.is_corrupt:
                damage.marred.append(time)
            yield VideoFrame(time, *convert(frame, stream.codec_context, damage))
    if not found and not start and damage.packets:
        raise BadInputError(_("No frame of this video can be decoded: its data is damaged. Send it again."))
    if on_notice is not None:
        _tell(damage, on_notice, path, limits, found, start, stop, info.frame_count if info is not None else None)


def _tell(
    damage: Damage,
    on_notice: Callable[[str], None],
    path: Path,
    limits: Limits,
    found: list[Fraction],
    start: Fraction | None,
    stop: Fraction | None,
    count: int | None,
) -> None:
    """Says what is missing, and where, of the frames between start and stop; `count` is the whole film's."""
    whole = start is None and stop is None
    if damage.packets or not whole or (count is not None and len(found) < count):
        times = frame_times(path, limits)
        expected = [time for time in times if (start or 0) <= time and (stop is None or time < stop)]
        if damage.packets or len(found) < len(expected):
            damage.locate(expected, found)
        if not whole and not damage.where:
            damage.packets = 0  # what is broken lies before or behind this part
    for words in damage.words():
        on_notice(words)


def _fields(path: Path, limits: Limits, timing: Timing, frame: av.VideoFrame, stream: VideoStream) -> Fields:
    """Whether the video is interlaced, from its own words and a look at some of its frames."""

    def look(start: Fraction | None) -> Iterator[tuple[Fraction, av.VideoFrame]]:
        with frames_from(path, limits, timing.origin, timing.rate, start, Damage()) as (_, frames):
            yield from frames

    return find_fields(look, declared_order(frame, stream.codec_context), frame.height, timing.duration)


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
    fields: Fields,
    recordings: int,
) -> list[str]:
    """What a person should know before using this video."""
    notes = damage.words()
    missing = missing_bytes(path, sniff(path))
    if missing > 0:
        if stream.frames > len(timing.times):
            words = _("The file is cut short by {missing} bytes: {count} of {all} frames can be read.")
        else:
            words = _("The file is cut short by {missing} bytes: {count} frames can be read.")
        notes.insert(0, words.format(missing=missing, count=len(timing.times), all=stream.frames))
    if broken := broken_inside(path, sniff(path)):
        notes.insert(0, broken)
    if len(timing.times) == 1:
        notes.append(_("The video has a single frame: there is nothing to interpolate between."))
    if tags.hdr:
        kind = "HDR10 (PQ)" if tags.transfer == "smpte2084" else "HLG"
        notes.append(
            _("This is {kind} high dynamic range video. It keeps its HDR tags; still pictures of it look pale.").format(
                kind=kind
            )
        )
    if fields.note:
        notes.append(fields.note)
    if recordings > 1:
        notes.append(
            _("{recordings} recordings were put together in this file: each is shown after the one before.").format(
                recordings=recordings
            )
        )
    if timing.rate is None:
        notes.append(_("The frame rate varies; the timing of every frame is kept."))
    return notes
