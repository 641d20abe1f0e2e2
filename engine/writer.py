"""Video out: a film in one of the codecs of `formats`, written frame by frame, with exact times.

H.264 and H.265 cannot say an odd size in yuv420p (their cropping counts in pairs of pixels), so a picture with an odd
side is written as yuv444p: exactly its size, played by VLC, mpv, ffmpeg and Chromium, but not by Safari and not by
hardware players. The preview beside it is always H.264 in yuv420p.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
from av.codec.context import Flags
from av.video.stream import VideoStream
from numpy.typing import NDArray

from .colour import ColourTags, output_tags
from .disk import full_disk_in_words
from .formats import Encoding, plain_h264
from .timeline import MAX_TIMESCALE
from .video_info import VideoInfo
from .yuv import ToFrame

KEYFRAME_SECONDS = Fraction(2)
MAX_REORDERED = 64  # frames: more than any encoder decodes ahead of showing


class VideoWriter:
    """Writes one video. Use in `with`: the file appears under its name only when everything is in it.

    width, height: pixels. fps: exact rate, also of a VFR video (its average). time_base: unit of the time stamps in
    seconds; default 1 / fps.numerator, which is exact for a constant rate. For a VFR video give one that divides all
    times. start: time of the first moment of the file; times given to `write` count from the same zero, those in the
    file from `start`. end: time at which the last frame ends; default one frame after it.
    info: of the source, for its colour tags and, at unchanged size, pixel shape. sar: pixel shape, if another.
    encoding: what to write; without one H.264 of 8 bits with crf, 0 lossless - 51 worst, and x264's preset. threads: of
    the encoder; None leaves it to that. even: whether all frames are shown equally long; None takes fps and info to say
    it. The first frame decides whether the file has alpha, if its format holds it.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        width: int,
        height: int,
        fps: Fraction,
        time_base: Fraction | None = None,
        start: Fraction = Fraction(0),
        end: Fraction | None = None,
        info: VideoInfo | None = None,
        sar: Fraction | None = None,
        crf: int = 18,
        preset: str = "fast",
        keyframe_seconds: Fraction = KEYFRAME_SECONDS,
        threads: int | None = None,
        encoding: Encoding | None = None,
        even: bool | None = None,
    ) -> None:
        self.path = Path(path)
        self.width, self.height, self.fps = width, height, Fraction(fps)
        self.time_base = time_base or Fraction(1, self.fps.numerator)
        self.start, self.end = start, end
        if self.time_base.denominator > MAX_TIMESCALE:
            raise ValueError(f"A time base of {self.time_base} s does not fit into MP4")
        same_size = info is not None and (info.width, info.height) == (width, height)
        self.sar = sar or (info.sar if info is not None and same_size else Fraction(1))
        self.encoding = encoding or plain_h264(crf, preset)
        self._info = info
        self.tags = _tags(self.encoding, info, width, height)
        self._settings = dict(self.encoding.options)
        if even is None:
            even = (1 / self.fps / self.time_base).denominator == 1 and not (info is not None and info.is_vfr)
        if not even:  # MP4 stores decoding times; reordered frames of uneven length would blur where the last one ends
            self._settings["bf"] = "0"
        self._to_frame: ToFrame | None = None
        self._lasts: dict[int, int] = {}  # of frames in the encoder: how long each is shown, by its time, in time_base
        self._keyint = max(1, round(self.fps * keyframe_seconds))
        self._threads = threads or 0
        self._part = self.path.with_name(f".{self.path.stem}.{os.getpid()}.part{self.path.suffix}")
        self._container: av.container.OutputContainer | None = None
        self._waiting: tuple[av.VideoFrame, int] | None = None  # a frame lasts until the next one, so one is kept back
        self.frames_written = 0

    def write(self, rgb: NDArray[Any], pts: Fraction) -> None:
        """One frame, RGB (H, W, 3) or RGBA (H, W, 4), uint8 or uint16 over its whole range, shown from second `pts` on.

        Times must ascend.

        Raises:
            NoSpaceError: no room on the disk.
            ValueError: another size than declared, or a time not after the last one (mistakes of the caller).
        """
        sizes = [(self.height, self.width, channels) for channels in (3, 4)]
        if rgb.shape not in sizes or rgb.dtype not in (np.uint8, np.uint16):
            raise ValueError(f"Expected uint8 or uint16 {sizes[0]} or {sizes[1]}, got {rgb.dtype} {rgb.shape}")
        self._take(pts, lambda: self._converter(rgb.shape[2] == 4)(rgb))

    def write_native(self, frame: av.VideoFrame, pts: Fraction) -> None:
        """One frame as the source's decoder gave it, upright and of the size declared, shown from `pts` seconds on.

        It goes to the encoder as it is, or, where that takes another pixel format, with that one change: so its colours
        are those of a plain re-encode. The same frame may be given again. Nobody else may convert it meanwhile.

        Raises: as `write`.
        """
        if (frame.width, frame.height) != (self.width, self.height):
            raise ValueError(f"Expected {self.width}x{self.height}, got {frame.width}x{frame.height}")
        alpha = any(part.is_alpha for part in frame.format.components)
        self._take(pts, lambda: self._converter(alpha).native(frame))

    def _converter(self, alpha: bool) -> ToFrame:
        if self._to_frame is None:
            self._to_frame = ToFrame(
                self.tags,
                self.width,
                self.height,
                self.encoding.pix_fmt(self.width, self.height, alpha=alpha),
                source=self._info.colour if self._info is not None else None,
                site=self._info.chroma_site if self._info is not None else "left",
            )
        return self._to_frame

    def _take(self, pts: Fraction, prepare: Callable[[], av.VideoFrame]) -> None:
        tick = self._tick(pts)
        if tick < 0 or (self._waiting is not None and tick <= self._waiting[1]):
            raise ValueError(f"Frame at {pts} s is not after the one before it (time base {self.time_base} s)")
        self._flush_waiting(tick)
        self._waiting = (prepare(), tick)

    def close(self) -> None:
        """Writes what is left and gives the file its name. Without a single frame there is no file: ValueError."""
        if self._waiting is None:
            raise ValueError("A video needs at least one frame")
        last = self._waiting[1]
        end = self._tick(self.end) if self.end is not None else last + max(1, round(1 / self.fps / self.time_base))
        self._flush_waiting(max(end, last + 1))
        self._waiting = None
        container = self._opened()
        with full_disk_in_words():
            container.mux([self._dated(packet) for packet in self._stream.encode(None)])
            container.close()
            self._part.replace(self.path)
        self._container = None

    def abort(self) -> None:
        """Gives up; nothing stays on the disk."""
        self._waiting = None
        container, self._container = self._container, None
        if container is not None:
            with suppress(OSError):  # a full disk: the part is removed anyway
                container.close()
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.abort()
            return
        try:
            self.close()
        except BaseException:
            self.abort()
            raise

    def _tick(self, time: Fraction) -> int:
        return round((time - self.start) / self.time_base)

    def _flush_waiting(self, until: int) -> None:
        """Encode the frame kept back, now that it is known to last until `until`."""
        if self._waiting is None:
            return
        frame, tick = self._waiting
        frame.pts, frame.duration, frame.time_base = tick, until - tick, self.time_base
        self._lasts[tick] = until - tick
        frame.pict_type = 0  # a decoded frame says what it was; the encoder would take that for an order
        with full_disk_in_words():
            container = self._opened()
            container.mux([self._dated(packet) for packet in self._stream.encode(frame)])
        self.frames_written += 1

    def _dated(self, packet: av.Packet[Any]) -> av.Packet[Any]:
        """With the length its frame was given, which not all encoders pass on. x265 gives films of one or two frames
        times of decoding from anywhere."""
        packet.duration = self._lasts.pop(packet.pts or 0, packet.duration)
        most = MAX_REORDERED / self.fps / self.time_base
        if packet.pts is not None and (packet.dts is None or not 0 <= packet.pts - packet.dts <= most):
            packet.dts = packet.pts
        return packet

    def _opened(self) -> av.container.OutputContainer:
        if self._container is not None:
            return self._container
        assert self._to_frame is not None  # a frame is there
        entry, encoding = self.encoding.format, self.encoding
        options = {"movflags": "+faststart", "movie_timescale": str(self.time_base.denominator)}
        muxer = entry.segment.removeprefix(".")
        self._container = av.open(str(self._part.absolute()), "w", format=muxer, container_options=options)
        stream = self._container.add_stream(
            encoding.encoder, rate=self.fps, options=self._settings, width=self.width, height=self.height
        )
        assert isinstance(stream, VideoStream)
        context = stream.codec_context
        stream.pix_fmt, stream.time_base = self._to_frame.pix_fmt, self.time_base
        context.time_base, context.framerate = self.time_base, encoding.told_fps(self.fps)
        context.gop_size, context.thread_count = self._keyint, self._threads
        context.flags |= Flags.frame_duration
        context.sample_aspect_ratio = self.sar.limit_denominator(65535)
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = self.tags.numbers()
        if encoding.tag:
            context.codec_tag = encoding.tag
        self._stream = stream
        return self._container


def _tags(encoding: Encoding, info: VideoInfo | None, width: int, height: int) -> ColourTags:
    if info is None:  # pictures: sRGB numbers, written as what every player takes HD video for
        tags = ColourTags("bt709", "bt709", "bt709", "tv")
    else:
        tags = output_tags(info.colour, (info.width, info.height), (width, height))
    return encoding.format.tags(tags)
