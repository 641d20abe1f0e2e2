"""Animated GIF and WebP from a stream of pictures."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av.filter import Graph
from av.video.stream import VideoStream

from .files import atomically
from .translation import gettext as _

GIF_UNIT, WEBP_UNIT = Fraction(1, 100), Fraction(1, 1000)  # seconds: what they count in
# units: what is shorter, browsers show for 100 ms. Chromium: 40 pictures of 10 ms took 4 s, of 11 ms half a second
GIF_SHORTEST, WEBP_SHORTEST = 2, 11
FEWEST_COLOURS, MOST_COLOURS = 16, 256
MOST_COLOURS_FROM = 80  # quality
DOTS = "dither=bayer:bayer_scale=3:diff_mode=rectangle"
LOSSLESS_FROM = 100  # quality


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture, RGB or RGBA of 8 bits, and when it is shown, in seconds of the result."""

    start: Fraction
    end: Fraction
    frame: av.VideoFrame


@dataclass(slots=True)
class _Times:
    """When the pictures of an animation are shown, in its units; those that come too soon after another are left out.

    shortest: units that a picture has to be shown for.
    """

    unit: Fraction
    shortest: int
    ticks: list[int | None] = field(default_factory=list)
    end: Fraction = Fraction(0)
    error: Fraction = Fraction(0)  # seconds: the most that a picture comes early or late
    _kept: list[int] = field(default_factory=list)  # the last two that are shown, by number

    def add(self, shown: Shown) -> bool:
        """Whether it is shown."""
        tick = round(shown.start / self.unit)
        fits = not self._kept or tick - self.last >= self.shortest
        self.ticks.append(tick if fits else None)
        self.end = shown.end
        if fits:
            self._kept = [*self._kept[-1:], len(self.ticks) - 1]
            self.error = max(self.error, abs(tick * self.unit - shown.start))
        return fits

    def finish(self) -> bool:
        """After the last picture: whether it is shown too. One that would be too short is not, if two are left: the one
        before it stays until the end."""
        if len(self.ticks) - self.ticks.count(None) < 3 or round(self.end / self.unit) - self.last >= self.shortest:
            return True
        self.ticks[self._kept.pop()] = None
        return False

    @property
    def last(self) -> int:
        return self.ticks[self._kept[-1]] or 0

    @property
    def last_delay(self) -> int:
        return max(self.shortest, round(self.end / self.unit) - self.last)

    def notes(self, name: str) -> list[str]:
        notes, dropped = list[str](), self.ticks.count(None)
        if dropped:
            words = _(
                "{dropped} of {frames} frames were left out of the {name}: a browser shows at most {most} pictures of "
                "a {name} a second."
            )
            most = int(1 / (self.shortest * self.unit))
            notes.append(words.format(dropped=dropped, frames=len(self.ticks), most=most, name=name))
        if self.error and self.unit == GIF_UNIT:
            words = _(
                "A GIF counts in hundredths of a second: its pictures come up to {ms:.1f} ms early or late; its "
                "length is right."
            )
            notes.append(words.format(ms=float(1000 * self.error)))
        return notes


def write_gif(pictures: Callable[[], Iterable[Shown]], output: Path, quality: int) -> list[str]:
    """A GIF that is repeated for ever. `pictures` is called twice: for the palette, and for the pictures.

    One palette for all, chosen from all their colours; colours between are an even pattern of dots. So what stands
    still stays still. Less quality is fewer colours.

    Returns: notes in words on what a GIF could not hold. Raises NoSpaceError.
    """
    times = _Times(GIF_UNIT, GIF_SHORTEST)

    def watched() -> Iterator[av.VideoFrame]:
        for shown in pictures():
            times.add(shown)
            yield shown.frame

    palette = _palette(watched(), gif_colours(quality))
    times.finish()
    frames = (shown.frame for shown in pictures())
    options = {"loop": "0", "final_delay": str(times.last_delay)}
    with atomically(output) as part, av.open(str(part.absolute()), "w", "gif", container_options=options) as result:
        stream: VideoStream | None = None
        for tick, frame in zip(times.ticks, _painted(frames, palette), strict=True):
            if tick is None:
                continue
            stream = stream or _stream(result, "gif", GIF_UNIT, frame, {})
            frame.pts, frame.time_base = tick, GIF_UNIT
            result.mux(stream.encode(frame))
        if stream is not None:
            result.mux(stream.encode(None))
    return times.notes("GIF")


def gif_colours(quality: int) -> int:
    """How many colours the palette has: 16 at quality 0, 256 from 80 on, doubled every 20."""
    part = min(1.0, quality / MOST_COLOURS_FROM)
    return round(FEWEST_COLOURS * (MOST_COLOURS / FEWEST_COLOURS) ** part)


def write_webp(pictures: Iterable[Shown], output: Path, quality: int) -> list[str]:
    """An animated WebP that is repeated for ever; of quality 100 without any loss.

    libwebp keeps the packed pictures in memory until the end, and shows one for longer where the next is the same.

    Returns: notes in words on what a WebP could not hold. Raises NoSpaceError.
    """
    lossless = quality >= LOSSLESS_FROM
    settings = {"lossless": "1", "quality": "70"} if lossless else {"lossless": "0", "quality": str(quality)}
    times = _Times(WEBP_UNIT, WEBP_SHORTEST)
    with atomically(output) as part:
        with av.open(str(part.absolute()), "w", "webp", container_options={"loop": "0"}) as result:
            stream: VideoStream | None = None
            for tick, shown in _in_time(pictures, times):
                frame = shown.frame.reformat(format="bgra")
                stream = stream or _stream(result, "libwebp_anim", WEBP_UNIT, frame, settings)
                frame.pts, frame.time_base = tick, WEBP_UNIT
                result.mux(stream.encode(frame))
            if stream is not None:
                result.mux(stream.encode(None))
        _end_webp(part, times.last + times.last_delay)
    return times.notes("WebP")


def _in_time(pictures: Iterable[Shown], times: _Times) -> Iterator[tuple[int, Shown]]:
    """Those that are shown, and when, in units. One is kept back, as the last may have to go."""
    waiting: tuple[int, Shown] | None = None
    for shown in pictures:
        if not times.add(shown):
            continue
        if waiting is not None:
            yield waiting
        waiting = times.last, shown
    if waiting is not None and times.finish():
        yield waiting


def _stream(
    result: av.container.OutputContainer, codec: str, unit: Fraction, frame: av.VideoFrame, settings: dict[str, str]
) -> VideoStream:
    stream = result.add_stream(codec, rate=1 / unit, options=settings, width=frame.width, height=frame.height)
    assert isinstance(stream, VideoStream)
    stream.pix_fmt, stream.time_base, stream.codec_context.time_base = frame.format.name, unit, unit
    return stream


def _palette(frames: Iterable[av.VideoFrame], colours: int) -> av.VideoFrame:
    graph, source, sink = Graph(), None, None
    for frame in frames:
        if source is None or sink is None:
            source, sink = _buffer(graph, frame), graph.add("buffersink")
            choose = graph.add("palettegen", f"max_colors={colours}:reserve_transparent={int(_has_alpha(frame))}")
            source.link_to(choose)
            choose.link_to(sink)
            graph.configure()
        source.push(frame)
    if source is None or sink is None:
        raise ValueError("An animation needs at least one picture")
    source.push(None)
    palette = sink.pull()
    assert isinstance(palette, av.VideoFrame)
    return palette


def _painted(frames: Iterable[av.VideoFrame], palette: av.VideoFrame) -> Iterator[av.VideoFrame]:
    """The frames in the colours of the palette, one for one."""
    graph, source, sink = Graph(), None, None
    for frame in frames:
        if source is None or sink is None:
            source, colours, paint = _buffer(graph, frame), _buffer(graph, palette), graph.add("paletteuse", DOTS)
            sink = graph.add("buffersink")
            source.link_to(paint, 0, 0)
            colours.link_to(paint, 0, 1)
            paint.link_to(sink)
            graph.configure()
            palette.pts = 0
            colours.push(palette)
            colours.push(None)
        source.push(frame)
        yield from _ready(sink)
    if source is not None and sink is not None:
        source.push(None)
        yield from _ready(sink)


def _ready(sink: av.filter.context.FilterContext) -> Iterator[av.VideoFrame]:
    with suppress(av.BlockingIOError, av.EOFError):
        while True:
            frame = sink.pull()
            assert isinstance(frame, av.VideoFrame)
            yield frame


def _buffer(graph: Graph, frame: av.VideoFrame) -> av.filter.context.FilterContext:
    return graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=GIF_UNIT)


def _has_alpha(frame: av.VideoFrame) -> bool:
    return any(part.is_alpha for part in frame.format.components)


def _end_webp(path: Path, end: int) -> None:
    """Sets how long the last picture is shown, so that all lasts until `end` ms: FFmpeg leaves it to an average."""
    place, total, last, size = 12, 0, None, path.stat().st_size
    with path.open("r+b") as file:
        while place + 8 <= size:
            file.seek(place)
            kind, length = struct.unpack("<4sI", file.read(8))
            if kind == b"ANMF":
                file.seek(place + 20)
                total, last = total + int.from_bytes(file.read(3), "little"), place + 20
            place += 8 + length + length % 2
        if last is None:
            return  # a single picture
        file.seek(last)
        shown = int.from_bytes(file.read(3), "little")
        file.seek(last)
        file.write(max(1, end - (total - shown)).to_bytes(3, "little"))
