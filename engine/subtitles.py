"""Subtitle tracks on their way from a source into a result: copied, or written anew as the text the result can hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

import av
from av.container import InputContainer, OutputContainer
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import SubtitleSet

from .demux import codec_name
from .formats import Format
from .part import Part, Timed
from .translation import gettext as _
from .words import copy_track_words

TEXT = {"mp4": "mov_text", "mov": "mov_text", "webm": "webvtt"}  # by FFmpeg's name of the container
PICTURES = {"mp4": {"dvd_subtitle"}}  # those of Blu-ray and television fit nowhere
UNIT = {"mov_text": Fraction(1, 90_000), "webvtt": Fraction(1, 1000)}  # of time stamps
UNSAID = 4  # seconds a subtitle is shown that does not say how long
STYLED = {"ass", "ssa"}
# What encoders keep of ASS override codes; the rest (places, movement, karaoke ...) is lost
KEPT = {
    "mov_text": re.compile(r"[biu]\d|1?c($|[&\d])|fs\d|fn|r|(1a|alpha)&"),
    "webvtt": re.compile(r"[biu]\d|r"),
}
HEADER = b"""[Script Info]
ScriptType: v4.00+
PlayResX: 384
PlayResY: 288

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""

Cue: TypeAlias = tuple[Fraction, Fraction, str]  # start and end in seconds of the result, text with ASS override codes


class Subtitles(Protocol):
    """One track on its way. Gives packets of the result with the time they are shown at, in seconds."""

    @property
    def source(self) -> SubtitleStream: ...

    def packets(self, packet: av.Packet[SubtitleStream]) -> Iterator[Timed]:
        """What becomes of a packet of the source."""
        ...

    def rest(self) -> Iterator[Timed]:
        """What is left when the source has ended."""
        ...


class CopiedSubtitles:
    """Packets as they are, at their times in the result."""

    def __init__(self, source: SubtitleStream, target: SubtitleStream, part: Part) -> None:
        self.source, self._target, self._part = source, target, part
        self._unit = UNIT.get(codec_name(source), Fraction(1, 90_000))

    def packets(self, packet: av.Packet[SubtitleStream]) -> Iterator[Timed]:
        pause = packet.pts is None or is_pause(packet)  # the muxer makes its own
        span = None if pause else self._part.span(*shown_at(packet))
        if span is not None:
            yield _placed(packet, self._target, self._unit, *span)

    def rest(self) -> Iterator[Timed]:
        return iter(())


class WrittenSubtitles:
    """Texts, decoded and written anew. Where the result holds one text at a time, those shown together become one."""

    def __init__(self, source: SubtitleStream, target: SubtitleStream, part: Part, notes: list[str], lost: str) -> None:
        self.source, self._target, self._part = source, target, part
        self._codec = codec_name(target)
        self._one_by_one = OneByOne() if self._codec == "mov_text" else None
        self._notes, self._lost = notes, lost  # lost: what to say if more than letters was lost

    def packets(self, packet: av.Packet[SubtitleStream]) -> Iterator[Timed]:
        if packet.pts is None:
            return
        try:
            texts = list(self._texts(packet))
        except (av.FFmpegError, EOFError):
            return  # a damaged one
        span = self._part.span(*shown_at(packet))
        if span is None:
            return
        for text in texts:
            cue = (span[0], span[1], text)
            yield from self._written(self._one_by_one.add(cue) if self._one_by_one else [cue])

    def rest(self) -> Iterator[Timed]:
        yield from self._written(self._one_by_one.rest() if self._one_by_one else [])

    def _texts(self, packet: av.Packet[SubtitleStream]) -> Iterator[str]:
        for line in packet.decode():
            text = line.ass.decode("utf-8", "replace").split(",", 8)[-1] if line.type == b"ass" else ""
            if text.strip():
                self._look_for_losses(text)
                yield text

    def _look_for_losses(self, text: str) -> None:
        codes = (code for group in re.findall(r"\{([^}]*)\}", text) for code in group.split("\\")[1:])
        if self._lost not in self._notes and any(not KEPT[self._codec].match(code) for code in codes):
            self._notes.append(self._lost)

    def _written(self, cues: Iterable[Cue]) -> Iterator[Timed]:
        context = self._target.codec_context
        for start, end, text in cues:
            line = SubtitleSet.create(f"0,0,Default,,0,0,0,,{text}".encode(), 0, 1)
            yield _placed(context.encode_subtitle(line), self._target, UNIT[self._codec], start, end)


class OneByOne:
    """Subtitles that overlap in time as ones that follow each other: what is shown together stands below each other."""

    def __init__(self) -> None:
        self._shown: list[Cue] = []
        self._now = Fraction(0)

    def add(self, cue: Cue) -> Iterator[Cue]:
        """Takes the next subtitle in order of beginning; gives what is settled by that."""
        yield from self._until(max(cue[0], self._now))
        if cue[1] > self._now:
            self._shown.append(cue)

    def rest(self) -> Iterator[Cue]:
        yield from self._until(max((end for _, end, _ in self._shown), default=self._now))

    def _until(self, moment: Fraction) -> Iterator[Cue]:
        while self._shown and self._now < moment:
            end = min(moment, *(cue[1] for cue in self._shown))
            yield self._now, end, r"\N".join(cue[2] for cue in self._shown)
            self._shown, self._now = [cue for cue in self._shown if cue[1] > end], end
        self._now = moment


def subtitle_tracks(
    source: InputContainer, result: OutputContainer, entry: Format, part: Part, full: set[int], notes: list[str]
) -> list[Subtitles]:
    """Adds a track to `result`, a file of the format `entry`, for every subtitle track of `source` that it holds; says
    in `notes` what was lost. full: indices of the streams that have anything in the part."""
    kind, name = entry.container, entry.label.split(",")[0]
    tracks: list[Subtitles] = []
    for number, stream in enumerate(source.streams.subtitles, 1):
        codec = codec_name(stream)
        if not holds(entry, stream) or stream.index not in full:
            notes.append(_why_not(stream, entry).format(number=number, codec=codec, container=name))
            continue
        if codec == TEXT[kind] or codec in PICTURES.get(kind, ()):
            target = result.add_stream_from_template(stream)
            tracks.append(CopiedSubtitles(stream, target, part))
        else:
            lost = _(
                "Subtitle track {number} ({codec}) lost places, effects and the like: {container} holds little more "
                "than text."
            ).format(number=number, codec=codec, container=name)
            notes += [lost] if codec in STYLED else []
            target = _writer(stream, result, TEXT[kind])
            tracks.append(WrittenSubtitles(stream, target, part, notes, lost))
        if codec_name(target) == "mov_text":
            target.codec_context.codec_tag = "tx3g"  # in MOV the muxer would call it "text", which is another thing
        copy_track_words(stream, target)
    return tracks


def holds(entry: Format, stream: SubtitleStream) -> bool:
    """Whether a file of the format `entry` can have this subtitle track."""
    if stream.codec_context is None:
        return False
    return stream.codec_context.codec.text_sub or codec_name(stream) in PICTURES.get(entry.container, ())


def _why_not(stream: SubtitleStream, entry: Format) -> str:
    """A sentence with the places {number}, {codec} and {container}."""
    if stream.codec_context is None:
        return _("Subtitle track {number} ({codec}) cannot be read here and was left out.")
    if not holds(entry, stream):
        return _(
            "Subtitle track {number} ({codec}) consists of pictures, which {container} does not hold, and was left out."
        )
    return _("Subtitle track {number} ({codec}) has no text in this part and was left out.")


def is_pause(packet: av.Packet[Any]) -> bool:
    """Whether a packet only says that nothing is shown: MP4 has such between its subtitles."""
    return codec_name(packet.stream) == "mov_text" and bytes(packet)[:2] == b"\0\0"


def _writer(source: SubtitleStream, result: Any, codec: str) -> Any:
    source.codec_context.open(strict=False)
    target = result.add_stream(codec, time_base=UNIT[codec])
    target.codec_context.subtitle_header = source.codec_context.subtitle_header or HEADER
    return target


def shown_at(packet: av.Packet[Any]) -> tuple[Fraction, Fraction]:
    """(start, end) in seconds of the source's clock, of a packet that has a time."""
    stamp = packet.pts if packet.pts is not None else packet.dts or 0
    start, length = stamp * packet.time_base, (packet.duration or 0) * packet.time_base
    return start, start + (length if length > 0 else UNSAID)


def _placed(packet: av.Packet[Any], target: SubtitleStream, unit: Fraction, start: Fraction, end: Fraction) -> Timed:
    packet.stream, packet.time_base = target, unit
    packet.pts = packet.dts = round(start / unit)
    packet.duration = max(1, round(end / unit) - packet.pts)
    return start, packet
