"""Packets to frames, from the start of a video or from a place in it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from .damage import Damage
from .demux import Clock, decoder_of, is_undated, open_input, packets, video_stream
from .errors import BadInputError
from .media_types import Limits
from .splice import resets_of
from .translation import gettext as _

FIRST_FRAME_PACKETS = 300  # how far to look for a frame that can be decoded
Packets: TypeAlias = "Iterator[av.Packet[Any]]"


@contextmanager
def frames_from(
    path: Path, limits: Limits, origin: int, rate: Fraction | None, start: Fraction | None, damage: Damage
) -> Iterator[tuple[VideoStream, Iterator[tuple[Fraction, av.VideoFrame]]]]:
    """(stream, frames with their times in seconds), from a key frame at or before `start` on.

    origin: time stamp of the first frame. rate: if it is constant. Files that cannot be sought in, and recordings put
    together, are read from the beginning.
    """
    with ExitStack() as stack:
        container = stack.enter_context(open_input(path, limits))
        stream = video_stream(container, limits)
        clock = Clock(origin, stream.time_base or Fraction(1, 90000), rate)
        undated = is_undated(container, stream)
        source = packets(container, stream, damage)
        if start and not undated and not resets_of(container).after:
            found = _sought(container, stream, clock, start, damage)
            if found is None:
                stack.close()
                container = stack.enter_context(open_input(path, limits))
                stream = video_stream(container, limits)
                found = packets(container, stream, damage)
            source = found
        yield stream, _timed(decoded(source, stream, damage), clock, undated)


def _sought(
    container: InputContainer, stream: VideoStream, clock: Clock, start: Fraction, damage: Damage
) -> Packets | None:
    """Packets from a key frame shown at or before `start` on; None if seeking leads to no such place.

    Containers seek by time of decoding, or to where they think best, so each try is looked at and the next begins
    earlier.
    """
    target, back = clock.origin + int(start / clock.time_base), 0
    while True:
        aim = max(target - back, clock.origin)
        try:
            container.seek(aim, stream=stream, backward=True)
        except (av.FFmpegError, EOFError):
            return None
        source, head = packets(container, stream, damage), list[Any]()
        for packet in source:
            head.append(packet)
            if packet.size and packet.is_keyframe:
                landed = packet.pts if packet.pts is not None else packet.dts
                if landed is not None and clock.seconds(landed) <= start:
                    return chain(head, source)
                break
        if aim == clock.origin:
            return None
        back = max(back * 4, int(1 / clock.time_base))


def decoded(source: Packets, stream: VideoStream, damage: Damage) -> Iterator[av.VideoFrame]:
    """Frames in order of showing; packets that cannot be decoded are counted and left out."""
    context = decoder_of(stream)
    flushed = False
    for packet in source:
        flushed = not packet.size
        try:
            yield from context.decode(None if flushed else packet)
        except (av.FFmpegError, EOFError):
            damage.packets += 1
    if not flushed:
        try:
            yield from context.decode(None)
        except (av.FFmpegError, EOFError):
            damage.packets += 1


def _timed(frames: Iterator[av.VideoFrame], clock: Clock, undated: bool) -> Iterator[tuple[Fraction, av.VideoFrame]]:
    """Frames with their times; where the file has none, they follow each other at the constant rate."""
    step = 1 / clock.rate if clock.rate else clock.time_base
    following = Fraction(0)
    for frame in frames:
        time = following if undated or frame.pts is None else clock.seconds(frame.pts)
        following = time + step
        yield time, frame


def first_frame(container: InputContainer, stream: VideoStream, limits: Limits) -> av.VideoFrame:
    """The first frame that decodes, its real size checked."""
    damage = Damage()
    context = decoder_of(stream)
    for number, packet in enumerate(packets(container, stream, damage)):
        try:
            frames = context.decode(packet if packet.size else None)
        except (av.FFmpegError, EOFError):
            frames = []
        if frames:
            limits.check_size(frames[0].width, frames[0].height)
            return frames[0]
        size = jpeg_size(bytes(packet)) if context.name == "mjpeg" else None
        if size is not None:
            limits.check_size(*size)  # the decoder only says that it will not
        if number > FIRST_FRAME_PACKETS or not packet.size:
            break
    if context.width and context.height:
        limits.check_size(context.width, context.height)  # larger inside than declared: the decoder gave up on it
    raise BadInputError(
        _(
            "No frame of this video can be decoded: its data is damaged, or its frames are larger than "
            "it says. Send it again, or convert it first."
        )
    )


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) that a JPEG says in its frame header (SOF); None if there is none."""
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        kind, length, height, width = struct.unpack(">xBHxHH", data[place : place + 9])
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):  # those are tables
            return width, height
        place += 2 + length
    return None
