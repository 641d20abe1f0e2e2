"""Putting files together without encoding a picture again: segments to one film, sound beside it; and previews."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from .carry import Beside, Carry
from .damage import Damage
from .decode import decoded
from .demux import open_input, packets, video_stream
from .errors import BadInputError
from .files import atomically
from .flipbook import is_flipbook
from .formats import FORMATS, Format
from .mp4_marks import mark_tracks, marks_of
from .part import Timed
from .reading import Reading
from .translation import gettext as _
from .video import VideoFrame, probe, read_frames
from .video_info import VideoInfo
from .writer import VideoWriter

INTERLEAVING = {"max_interleave_delta": "1000000"}  # microseconds; packets come in order, so waiting only takes memory
PREVIEW_CRF, PREVIEW_PRESET = 23, "veryfast"
PREVIEW_KEYFRAMES = Fraction(1, 2)  # seconds between places a player can jump to


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the packets of one segment go, in units of the segments' common time base.

    offset: added to its time stamps. stamps: of its frames, ascending, with the offset. delay: how many frames
    decoding runs ahead of showing. end: of its last frame.
    """

    offset: int
    stamps: list[int]
    delay: int
    end: int


def join_segments(
    segment_paths: Sequence[str | Path],
    output: str | Path,
    *,
    carry: Carry | None = None,
    starts: Sequence[Fraction] | None = None,
    entry: Format = FORMATS["mp4_h264"],
) -> list[str]:
    """One film of the format `entry` from segments that `VideoWriter` wrote with the same settings. No picture is
    encoded again.

    Each segment begins where the one before it ends, or at its time in `starts` (seconds). `carry` says from where
    sound, subtitles, chapters, title, date and the like come, as late against the first frame as they are there. Sound
    is copied, or encoded again where the format does not hold it.

    Returns: notes in words on what could not be carried over as it was.

    Raises:
        BadInputError: a segment cannot be read or does not match the first one. NoSpaceError: no room on the disk.
    """
    paths = [Path(path) for path in segment_paths]
    if not paths:
        raise ValueError("There are no segments to join")
    notes: list[str] = []
    with atomically(Path(output)) as part:
        if carry is None or is_flipbook(carry.source):  # pictures have nothing beside them
            _write(paths, part, starts, None, None, notes, entry)
            return notes
        with open_input(carry.source) as container:
            _write(paths, part, starts, carry, container, notes, entry)
    return notes


def _write(
    paths: list[Path],
    part: Path,
    starts: Sequence[Fraction] | None,
    carry: Carry | None,
    source: InputContainer | None,
    notes: list[str],
    entry: Format,
) -> None:
    time_base, extradata = _first(paths[0])
    layouts = list(_layouts(paths, time_base, extradata, starts))
    delay = max(layout.delay for layout in layouts)
    muxer, options = entry.container, {**_muxing(entry, time_base), **INTERLEAVING}
    with open_input(paths[0]) as first, av.open(str(part.absolute()), "w", muxer, container_options=options) as result:
        template = video_stream(first)
        stream = result.add_stream_from_template(template, opaque=not _has_encoder(template), time_base=time_base)
        if entry.tag:  # of H.265 in MP4 there are two, and Apple's players take the one that is not the muxer's choice
            stream.codec_context.codec_tag = template.codec_context.codec_tag
        sources: list[Iterator[Timed]] = [_video_packets(paths, layouts, delay, stream, time_base)]
        if carry is not None and source is not None:
            begin = probe(carry.source).start
            beside = Beside(carry, begin, source, result, entry, stream, notes)
            sources.append(beside.packets())
        for _, packet in heapq.merge(*sources, key=lambda timed: timed[0]):
            result.mux(packet)
        marks = marks_of(result)
    if entry.container != "webm":
        mark_tracks(part, marks)


def _has_encoder(stream: VideoStream) -> bool:
    """Whether the decoder's name is an encoder's too, which PyAV asks for: of AV1 it is not."""
    try:
        return bool(av.Codec(stream.codec_context.codec.name, "w"))
    except ValueError:
        return False


def _muxing(entry: Format, time_base: Fraction) -> dict[str, str]:
    """What lets a file be played while it is still being loaded, and its length be exact."""
    if entry.container == "webm":
        return {"cues_to_front": "1"}
    return {"movflags": "+faststart", "movie_timescale": str(time_base.denominator)}


def _first(path: Path) -> tuple[Fraction, bytes]:
    with open_input(path) as container:
        stream = video_stream(container)
        return stream.time_base or Fraction(1, 90000), stream.codec_context.extradata or b""


def _layouts(
    paths: list[Path], time_base: Fraction, extradata: bytes, starts: Sequence[Fraction] | None
) -> Iterator[_Layout]:
    end = 0
    for number, path in enumerate(paths):
        if _first(path) != (time_base, extradata):
            raise BadInputError(
                _("Segment {path} was made with other settings than {name}. Render again.").format(
                    path=path.name, name=paths[0].name
                )
            )
        offset = round(starts[number] / time_base) if starts is not None else end
        if offset < end:
            raise BadInputError(
                _("Segment {path} begins before the one in front of it ends. Render again.").format(path=path.name)
            )
        layout = _layout(path, offset)
        end = layout.end
        yield layout


def _layout(path: Path, offset: int) -> _Layout:
    damage = Damage()
    with open_input(path) as container:
        found = [
            (packet.pts + offset, packet.duration or 0)
            for packet in packets(container, video_stream(container), damage)
            if packet.size and packet.pts is not None
        ]
        length = video_stream(container).duration or 0  # of VP9 the demuxer tells no other
    if not found or damage.words():
        raise BadInputError(_("Segment {path} is damaged. Render it again.").format(path=path.name))
    order = sorted(stamp for stamp, _ in found)
    rank = {stamp: place for place, stamp in enumerate(order)}
    delay = max(place - rank[stamp] for place, (stamp, _) in enumerate(found))
    last, lasts = max(found)
    end = max(stamp + duration for stamp, duration in found) if lasts else max(offset + length, last + 1)
    return _Layout(offset, order, delay, end)


def _video_packets(
    paths: list[Path], layouts: list[_Layout], delay: int, stream: VideoStream, time_base: Fraction
) -> Iterator[Timed]:
    """All packets in decoding order. The n-th is decoded when the (n - delay)-th frame is shown."""
    stamps = layouts[0].stamps
    step = stamps[1] - stamps[0] if len(stamps) > 1 else layouts[0].end - stamps[0]
    recent = [stamps[0] - step * (delay - number) for number in range(delay)]  # times of decoding still to give out
    for number, (path, layout) in enumerate(zip(paths, layouts, strict=True)):
        following = layouts[number + 1].stamps[0] if number + 1 < len(layouts) else layout.end
        lasts = {shown: after - shown for shown, after in pairwise([*layout.stamps, following])}
        decoding = iter([*recent, *layout.stamps])
        with open_input(path) as container:
            for packet in packets(container, video_stream(container), Damage()):
                if not packet.size or packet.pts is None:
                    continue
                packet.pts, packet.dts = packet.pts + layout.offset, next(decoding)
                packet.duration = lasts[packet.pts]
                packet.stream = stream
                yield packet.dts * time_base, packet
        recent = list(decoding)


def joined_packets(segment_paths: Sequence[Path]) -> Iterator[av.Packet[Any]]:
    """The packets of segments in which each is a picture of its own."""
    for path in segment_paths:
        with open_input(path) as container:
            yield from (packet for packet in packets(container, video_stream(container), Damage()) if packet.size)


def joined_frames(segment_paths: Sequence[Path]) -> Iterator[tuple[Fraction, Fraction, av.VideoFrame]]:
    """(start, end, frame), seconds of the result, of segments in which no frame is reordered.

    Raises: as `join_segments`.
    """
    paths = list(segment_paths)
    time_base, extradata = _first(paths[0])
    layouts = list(_layouts(paths, time_base, extradata, None))
    for path, layout in zip(paths, layouts, strict=True):
        times = iter(pairwise([*layout.stamps, layout.end]))
        with open_input(path) as container:
            stream = video_stream(container)
            for frame in decoded(packets(container, stream, Damage()), stream, Damage()):
                start, end = next(times)
                yield start * time_base, end * time_base, frame


def make_preview(
    master: str | Path,
    output: str | Path,
    max_height: int = 720,
    *,
    begin: Fraction = Fraction(0),
    end: Fraction | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> list[str]:
    """A small copy that every browser plays and seeks in quickly: H.264 yuv420p, AAC, square pixels, upright.

    At most `max_height` lines (portrait: columns) and 16:9 of that the other way; never enlarged. Timing and colour
    tags are the master's. begin, end: the part of it to show, in seconds; begin is a frame's time. `on_frame` gets the
    number of frames written so far; what it raises ends the work.

    Returns: notes in words on what could not be carried over. Raises as `read_frames` and `join_segments` do.
    """
    master, output = Path(master), Path(output)
    info = probe(master)
    size = preview_size(info, max_height)
    picture = output.with_name(f".{output.stem}.picture.mp4")
    notes: list[str] = []
    try:
        with preview_writer(
            picture,
            size,
            info,
            info.time_base if info.is_vfr else None,
            (info.duration if end is None else end) - begin,
        ) as writer:
            frames = read_frames(
                master,
                start=begin or None,
                stop=end,
                resolution=size,
                info=info,
                on_notice=notes.append,
                reading=Reading(direct=True),
            )
            for number, frame in enumerate(frames, 1):
                write_direct(writer, frame, frame.pts - begin)
                if on_frame is not None:
                    on_frame(number)
        return notes + join_segments(
            [picture], output, carry=Carry(master, begin, end, subtitles=False, browser_sound=True)
        )
    finally:
        picture.unlink(missing_ok=True)


def write_direct(writer: VideoWriter, frame: VideoFrame, pts: Fraction) -> None:
    """A frame of `Reading(direct=True)`, shown from second `pts` on."""
    if frame.native is not None:
        writer.write_native(frame.native, pts)
    else:
        writer.write(frame.rgb, pts)


def preview_writer(
    path: Path, size: tuple[int, int], info: VideoInfo, time_base: Fraction | None, end: Fraction
) -> VideoWriter:
    """The writer of the pictures of a preview; `size` is (width, height) in pixels, `end` in seconds."""
    return VideoWriter(
        path,
        width=size[0],
        height=size[1],
        fps=info.fps,
        time_base=time_base,
        end=end,
        info=info,
        sar=Fraction(1),
        crf=PREVIEW_CRF,
        preset=PREVIEW_PRESET,
        keyframe_seconds=PREVIEW_KEYFRAMES,
    )


def make_source_preview(
    source: str | Path,
    output: str | Path,
    max_height: int = 720,
    *,
    begin: Fraction = Fraction(0),
    end: Fraction | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> list[str]:
    """As `make_preview`, of an uploaded file: any codec, rotation, pixel shape and kind of sound."""
    return make_preview(source, output, max_height, begin=begin, end=end, on_frame=on_frame)


def preview_size(info: VideoInfo, max_height: int = 720) -> tuple[int, int]:
    """(width, height) in pixels, even, with square pixels, in the box `make_preview` describes."""
    return box(info.width * max(info.sar, Fraction(1)), info.height / min(info.sar, Fraction(1)), max_height)


def box(width: Fraction, height: Fraction, max_height: int = 720) -> tuple[int, int]:
    """As `preview_size`, of a picture that is shown so large, in square pixels."""
    long, short = max(width, height), min(width, height)
    scale = min(Fraction(1), max_height / short, Fraction(max_height * 16, 9) / long)
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))
