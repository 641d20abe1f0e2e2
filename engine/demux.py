"""Opening videos safely and walking their packets. Nothing here decodes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from .avi import SoundTimes, date, index_of, lost_frames
from .damage import Damage, check_outside, declared_codec
from .errors import BadInputError
from .media_types import READABLE, Limits, sniff
from .splice import Running, resets_of
from .translation import gettext as _


@contextmanager
def open_input(path: str | Path, limits: Limits | None = None) -> Iterator[InputContainer]:
    """A container opened with the demuxer its first bytes call for, never with one that opens other files.

    Raises:
        BadInputError: not a video, larger than `limits`, or damaged beyond reading.
    """
    path, limits = Path(path), limits or Limits()
    kind = sniff(path)
    if kind.demuxer is None:
        raise BadInputError(
            _("This is a {kind} picture, not a video. Send {readable}, or two pictures.").format(
                kind=kind.name, readable=_(READABLE)
            )
        )
    limits.check_bytes(path.stat().st_size)
    check_outside(path, kind, limits)
    try:
        container = av.open(
            f"file:{path.resolve()}",
            format=kind.demuxer,
            options={"protocol_whitelist": "file", "max_pixels": str(limits.max_pixels)},
            metadata_errors="replace",
        )
    except (av.FFmpegError, EOFError, ValueError) as error:
        raise BadInputError(
            _("This {kind} file is damaged and cannot be opened. Copy or upload it again.").format(kind=kind.name)
        ) from error
    with container:
        yield container


def video_stream(container: InputContainer, limits: Limits | None = None) -> VideoStream:
    """The first moving picture of a container, its declared size checked. Cover art does not count.

    Raises:
        BadInputError: no picture, a codec without decoder, or larger than `limits`.
    """
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        if container.streams.audio:
            raise BadInputError(_("There is only sound in this file. Send a video or two pictures."))
        raise BadInputError(_("There is no picture in this file. Send a video or two pictures."))
    stream = streams[0]
    if stream.codec_context is None:
        path = Path(container.name.removeprefix("file:"))
        name = declared_codec(path, sniff(path))
        raise BadInputError(
            _("The video codec {name} cannot be decoded here. Convert the video to H.264 first.").format(name=name)
        )
    limits = limits or Limits()
    context = stream.codec_context
    if context.width or context.height:
        limits.check_size(context.width, context.height)
    if not context.is_open:
        context.options = {"max_pixels": str(limits.max_pixels)}  # the data may hold larger frames than declared
        stream.thread_type = "AUTO"
    return stream


def is_undated(container: InputContainer, stream: VideoStream) -> bool:
    """Whether packets carry no time of presentation: AVI with B-frames. Its frames follow each other evenly."""
    return container.format.name == "avi" and stream.codec_context.reorder_depth > 0


def decoder_of(stream: VideoStream) -> av.VideoCodecContext:
    """What decodes a stream: its own decoder, but for VP8 and VP9 with alpha, which only libvpx's see."""
    library = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(codec_name(stream))
    if library is None or stream.metadata.get("alpha_mode") != "1":
        return stream.codec_context
    decoder = av.CodecContext.create(library, "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.options = dict(stream.codec_context.options)
    return decoder


def codec_name(stream: Any) -> str:
    """The codec of a stream that has a decoder, else "unknown"."""
    return str(stream.codec_context.codec.canonical_name) if stream.codec_context is not None else "unknown"


def packets(container: InputContainer, stream: Any, damage: Damage) -> Iterator[av.Packet[Any]]:
    """The packets of one stream, or several, without those marked corrupt; a read error ends them."""
    clock, index, sounds = Running(resets_of(container)), index_of(container), SoundTimes(container)
    try:
        for packet in container.demux(stream):
            broken = clock.is_broken(packet)
            clock.run_on(packet)
            date(packet, index)
            sounds.date(packet)
            if broken and packet.size:
                damage.packets += 1
            else:
                yield packet
    except (av.FFmpegError, EOFError):
        damage.ended_early = True


def shown(container: InputContainer, stream: VideoStream, damage: Damage) -> Iterator[tuple[int | None, int]]:
    """(time stamp, duration) of every packet that will be a frame on the screen, in file order.

    Left out: packets cut away by an edit list, hidden VP8 reference frames, and what comes before the first key
    frame, in the file or in time, since it cannot be decoded. A time stamp is None where the container has none.
    Lost frames that the index of an AVI names come last.
    """
    codec, index, found = codec_name(stream), index_of(container), set[int]()
    first_key: int | None = None
    started = False
    for packet in packets(container, stream, damage):
        if not packet.size:
            continue
        found.add(packet.pos or 0)
        stamp = packet.pts if packet.pts is not None else packet.dts
        if not started:
            if not packet.is_keyframe:
                continue
            started, first_key = True, stamp
        if packet.is_discard or (codec == "vp8" and not bytes(memoryview(packet)[:1])[0] & 0x10):
            continue
        if stamp is not None and first_key is not None and stamp < first_key:
            continue
        yield stamp, packet.duration or 0
    for stamp in lost_frames(index, found):
        if first_key is not None and stamp > first_key:
            yield stamp, 1


@dataclass(frozen=True, slots=True)
class Clock:
    """Time stamps to seconds from the first frame.

    rate: of a file with a constant rate. A container that counts in milliseconds cannot say 1/24 s, so times that miss
    the grid k / rate by no more than the file's own unit are put on it.
    """

    origin: int
    time_base: Fraction
    rate: Fraction | None

    def seconds(self, stamp: int) -> Fraction:
        time = (stamp - self.origin) * self.time_base
        if self.rate is None:
            return time
        on_grid = Fraction(round(time * self.rate)) / self.rate
        return on_grid if abs(on_grid - time) <= tolerance(self.time_base, self.rate) else time


def tolerance(time_base: Fraction, rate: Fraction) -> Fraction:
    """How far a time stamp may lie off the grid k / rate by mere rounding, in seconds."""
    return time_base if time_base * 4 <= 1 / rate else Fraction(0)
