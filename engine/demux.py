"""Opening videos safely and walking their packets. Nothing here decodes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from .errors import BadInputError
from .media_types import READABLE, Limits, MediaType, mp4_boxes, sniff


@dataclass(slots=True)
class Damage:
    """What could not be read. Counted while reading; `words` is for people."""

    packets: int = 0  # broken or cut short
    frames: int = 0  # decoded, but out of order or without a usable time
    resized: int = 0  # frames of another size than the first
    ended_early: bool = False
    seen: list[str] = field(default_factory=list)

    def words(self) -> list[str]:
        found = []
        if self.packets:
            found.append(f"{_count(self.packets, 'piece')} of the video could not be decoded and were left out.")
        if self.frames:
            found.append(f"{_count(self.frames, 'frame')} had no usable time and were left out.")
        if self.resized:
            found.append(f"{_count(self.resized, 'frame')} had another size and were scaled to that of the first.")
        if self.ended_early:
            found.append("The file breaks off before its end; what comes before was read.")
        return found


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


@contextmanager
def open_input(path: str | Path, limits: Limits | None = None) -> Iterator[InputContainer]:
    """A container opened with the demuxer its first bytes call for, never with one that opens other files.

    Raises:
        BadInputError: not a video, larger than `limits`, or damaged beyond reading.
    """
    path, limits = Path(path), limits or Limits()
    kind = sniff(path)
    if kind.demuxer is None:
        raise BadInputError(f"This is a {kind.name} picture, not a video. Send {READABLE}, or two pictures.")
    limits.check_bytes(path.stat().st_size)
    try:
        container = av.open(
            f"file:{path.resolve()}",
            format=kind.demuxer,
            options={"protocol_whitelist": "file", "max_pixels": str(limits.max_pixels)},
            metadata_errors="replace",
        )
    except (av.FFmpegError, EOFError, ValueError) as error:
        raise BadInputError(_why_unreadable(path, kind)) from error
    with container:
        yield container


def _why_unreadable(path: Path, kind: MediaType) -> str:
    """Words for a file whose head is right and whose rest is not."""
    if kind.demuxer == "mov" and "moov" not in {box for box, _, _ in mp4_boxes(path)}:
        return (
            f"This {kind.name} file is cut short: its index (moov), which is written last, is missing, so nothing in "
            "it can be found. Copy or upload it again; if it came so from the camera, repair it first."
        )
    return f"This {kind.name} file is damaged and cannot be opened. Copy or upload it again."


def missing_bytes(path: Path, kind: MediaType) -> int:
    """How many bytes an MP4 or MOV declares beyond its end; 0 for other files."""
    if kind.demuxer != "mov":
        return 0
    return max((offset + size for _, offset, size in mp4_boxes(path)), default=0) - path.stat().st_size


def video_stream(container: InputContainer, limits: Limits | None = None) -> VideoStream:
    """The first moving picture of a container, its declared size checked. Cover art does not count.

    Raises:
        BadInputError: no picture, a codec without decoder, or larger than `limits`.
    """
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        what = "only sound" if container.streams.audio else "no picture"
        raise BadInputError(f"There is {what} in this file. Send a video or two pictures.")
    stream = streams[0]
    if stream.codec_context is None:
        raise BadInputError(f"The video codec {codec_name(stream)} cannot be decoded here. Convert it to H.264 first.")
    limits = limits or Limits()
    context = stream.codec_context
    if context.width or context.height:
        limits.check_size(context.width, context.height)
    if not context.is_open:
        context.options = {"max_pixels": str(limits.max_pixels)}  # the data may hold larger frames than declared
        stream.thread_type = "AUTO"
    return stream


def codec_name(stream: Any) -> str:
    """A name for a stream's codec, even when there is no decoder for it."""
    if stream.codec_context is not None:
        return str(stream.codec_context.codec.canonical_name)
    tag = "".join(sign for sign in str(stream.codec_tag or "") if sign.isprintable()).strip()
    return f'"{tag}"' if tag.strip("\\x0") else "of this file"


def packets(container: InputContainer, stream: Any, damage: Damage) -> Iterator[av.Packet]:
    """The packets of one stream, without those marked corrupt; a read error ends them."""
    source = container.demux(stream)
    while True:
        try:
            packet = next(source)
        except StopIteration:
            return
        except (av.FFmpegError, EOFError):
            damage.ended_early = True
            return
        if packet.is_corrupt and packet.size:
            damage.packets += 1
            continue
        yield packet


def shown(container: InputContainer, stream: VideoStream, damage: Damage) -> Iterator[tuple[int | None, int]]:
    """(time stamp, duration) of every packet that will be a frame on the screen, in file order.

    Left out: packets cut away by an edit list, hidden VP8 reference frames, and what comes before the first key
    frame, in the file or in time, since it cannot be decoded. Time stamps are None where the container has none.
    """
    codec = codec_name(stream)
    first_key: int | None = None
    started = False
    reorders = bool(stream.codec_context.reorder_depth)
    for packet in packets(container, stream, damage):
        if not packet.size:
            continue
        stamp = packet.pts if packet.pts is not None or reorders else packet.dts
        if not started:
            if not packet.is_keyframe:
                continue
            started, first_key = True, stamp
        if packet.is_discard or (codec == "vp8" and not bytes(memoryview(packet)[:1])[0] & 0x10):
            continue
        if stamp is not None and first_key is not None and stamp < first_key:
            continue
        yield stamp, packet.duration or 0


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
