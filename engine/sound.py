"""Sound tracks on their way from a source into a result: copied, or encoded again where that cannot be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import lcm
from typing import Any, Protocol

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from .demux import codec_name
from .formats import Format
from .hearing import Hearing
from .part import Part, Timed
from .steady import Converter, Steady
from .stretch import Samples, Stretcher
from .translation import gettext as _
from .words import copy_track_words

BROWSER_CODECS = {"aac", "mp3", "opus", "flac"}
BITS_PER_CHANNEL = 96_000  # a second: beyond hearing a difference in most tests
OPUS_RATE = 48_000
AAC_RATES = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}  # by channels; other numbers are mixed down to stereo
ENCODED = {"aac": "AAC", "libopus": "Opus"}  # encoders and what people call it
FRAME_SIZES = {"aac": 1024, "libopus": 960}  # samples an encoder wants at once
OPUS_DELAY = Fraction(1, 100)  # more than an Opus decoder throws away at the beginning


class Sound(Protocol):
    """One track on its way. Gives packets of the result with the time they are decoded at, in seconds."""

    @property
    def source(self) -> AudioStream: ...

    @property
    def hearing(self) -> Hearing: ...

    def packets(self, packet: av.Packet[AudioStream]) -> Iterator[Timed]:
        """What becomes of a packet of the source."""
        ...

    def rest(self) -> Iterable[Timed]:
        """What is left when the source has ended."""
        ...


class CopiedSound:
    """Packets as they are. Times that a file counting in milliseconds had to round are made even again.

    hides: the container can hide what lies before the first frame of the picture. Then the packet in front comes along,
    without which a decoder does not get the next one right, and the cut falls between two samples. Packets are decoded
    too, only to know what is damaged.
    """

    def __init__(self, source: AudioStream, target: AudioStream, part: Part, hearing: Hearing, *, hides: bool) -> None:
        self.source, self._target, self._part, self.hearing = source, target, part, hearing
        self._frame = source.codec_context.frame_size or 0  # as the file says it; decoding may change it
        self._codec, self._heads = codec_name(source), False  # whether its packets begin with heads, as in broadcasts
        source.codec_context.options = {"err_detect": "crccheck"}
        self._unit, self._rate = source.time_base or Fraction(1, source.sample_rate), source.sample_rate
        # A moment is a whole number of ticks, as an hour has 170 000 packets and fractions are slow
        self._ticks = lcm(self._unit.denominator, self._rate, part.origin.denominator)  # a second
        self._origin = int(part.origin * self._ticks)
        self._end = None if part.length is None else part.length * self._ticks
        opus = OPUS_DELAY if codec_name(source) == "opus" else Fraction(0)
        self._hidden = None if hides else -opus * self._ticks  # the earliest beginning
        self._next: int | None = None  # where the next packet should begin

    def packets(self, packet: av.Packet[AudioStream]) -> Iterator[Timed]:
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None:
            return
        step = self._ticks * self._unit.numerator // self._unit.denominator
        start = stamp * step - self._origin
        length = self._frame * self._ticks // self._rate or (packet.duration or 0) * step
        if self._next is not None and abs(start - self._next) <= step:
            start = self._next
        self._next = start + length
        if start < (-2 * length if self._hidden is None else self._hidden):
            return
        if self._end is not None and start >= self._end:
            return
        if self._is_lost(packet):
            return
        packet.stream, packet.time_base = self._target, Fraction(1, self._rate)
        packet.pts = packet.dts = (start * self._rate + self._ticks // 2) // self._ticks
        packet.duration = length * self._rate // self._ticks
        yield Fraction(start, self._ticks), packet

    def _is_lost(self, packet: av.Packet[AudioStream]) -> bool:
        """Whether nobody can play it. It is left out, as the muxer may refuse it; the time of the rest is kept."""
        whole = self._codec != "aac" or _is_adts(packet)
        self._heads = self._heads or (whole and self._codec == "aac")
        if self._heads and not whole:
            self.hearing.miss(packet)
            return True
        return self.hearing.frames(packet) is None and (self.hearing.any or not self.source.codec_context.extradata)

    def rest(self) -> Iterable[Timed]:
        return ()


class EncodedSound:
    """Decoded, cut to the sample, stretched if the part is, and encoded."""

    def __init__(self, source: AudioStream, target: AudioStream, part: Part, hearing: Hearing) -> None:
        self.source, self.target, self.hearing = source, target, hearing
        context = target.codec_context
        self._steady, self._stretch = Steady(part), part.stretch
        self._layout, self._rate = context.layout.name, context.sample_rate
        self._to_float = Converter("fltp", self._layout, self._rate)
        self._finish = Converter(context.format.name, self._layout, self._rate, FRAME_SIZES.get(context.name))
        self._stretcher: Stretcher | None = None
        self._at = 0  # the sample of the result that the stretcher gives next

    def packets(self, packet: av.Packet[AudioStream]) -> Iterator[Timed]:
        for frame in self.hearing.frames(packet) or ():  # a damaged piece stays silent, times of the rest are kept
            for piece in self._steady.pieces(frame):
                yield from self._encoded(self._stretched(piece) if self._stretch > 1 else [piece])

    def rest(self) -> Iterator[Timed]:
        if self._stretch > 1:
            yield from self._encoded(self._stretched(None))
        for frame in [*self._finish.rest(), None]:
            yield from _timed(self.target.encode(frame))

    def _stretched(self, piece: av.AudioFrame | None) -> Iterator[av.AudioFrame]:
        for frame in self._to_float(piece) if piece is not None else self._to_float.rest():
            samples = np.asarray(frame.to_ndarray(), np.float32)
            if self._stretcher is None:
                self._stretcher = Stretcher(self._rate, len(samples), self._stretch)
                self._at = round((frame.pts or 0) * (frame.time_base or 1) * self._rate) * self._stretch
            yield from self._frames(self._stretcher.push(samples))
        if piece is None and self._stretcher is not None:
            yield from self._frames(self._stretcher.finish())

    def _frames(self, samples: Samples) -> Iterator[av.AudioFrame]:
        if samples.shape[1]:
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=self._layout)
            frame.sample_rate, frame.pts, frame.time_base = self._rate, self._at, Fraction(1, self._rate)
            self._at += frame.samples
            yield frame

    def _encoded(self, frames: Iterable[av.AudioFrame]) -> Iterator[Timed]:
        for frame in frames:
            for piece in self._finish(frame):
                yield from _timed(self.target.encode(piece))


def sound_tracks(
    source: InputContainer,
    result: OutputContainer,
    entry: Format,
    part: Part,
    full: set[int],
    notes: list[str],
    *,
    begin: Fraction,
    browser_sound: bool,
) -> list[Sound]:
    """Adds a track to `result`, a file of the format `entry`, for every sound track of `source`; says in `notes` what
    was lost on the way. full: indices of the streams that have anything in the part. begin: seconds from the first
    frame of the source to the part. browser_sound: AAC in stereo where browsers do not play it as it is."""
    held = BROWSER_CODECS if browser_sound else entry.sound
    tracks: list[Sound] = []
    for number, stream in enumerate(source.streams.audio, 1):
        codec = codec_name(stream)
        if not decodable(stream) or stream.index not in full:
            if decodable(stream):
                words = _("Sound track {number} ({codec}) has no sound in this part and was left out.")
            else:
                words = _("Sound track {number} ({codec}) cannot be decoded here and was left out.")
            notes.append(words.format(number=number, codec=codec))
            continue
        hearing = Hearing(number, part, begin)
        if codec in held and part.stretch == 1 and not codec.startswith("pcm"):  # PCM comes in pieces of any length
            target = result.add_stream_from_template(stream)
            hides = entry.container != "webm"
            tracks.append(CopiedSound(stream, target, part, hearing, hides=hides))
        else:
            target = _encoder(stream, result, "aac" if browser_sound else entry.sound_encoder, stereo=browser_sound)
            tracks.append(EncodedSound(stream, target, part, hearing))
            if not browser_sound:
                notes += _losses(number, stream, target, entry)
        copy_track_words(stream, target)
    return tracks


def _is_adts(packet: av.Packet[AudioStream]) -> bool:
    """Whether AAC of a broadcast still has the head that the muxer wants to take off."""
    head = bytes(memoryview(packet)[:7])
    return len(head) == 7 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 15 < 13


def decodable(stream: AudioStream) -> bool:
    return stream.codec_context is not None and bool(stream.sample_rate)


def _encoder(stream: AudioStream, result: Any, encoder: str, *, stereo: bool) -> Any:
    context = stream.codec_context
    if encoder.startswith("pcm"):
        return result.add_stream(_pcm(stream), rate=context.sample_rate, layout=context.layout.name)
    layout = "stereo" if stereo and context.channels > 2 else LAYOUTS.get(context.channels, "stereo")
    bits = BITS_PER_CHANNEL * min(context.channels, 6)
    if encoder == "libopus":
        return result.add_stream(encoder, rate=OPUS_RATE, layout=layout, bit_rate=bits, format="flt")
    rate = context.sample_rate if context.sample_rate in AAC_RATES else max(AAC_RATES)
    return result.add_stream(encoder, rate=rate, layout=layout, bit_rate=bits)


def _pcm(stream: AudioStream) -> str:
    """The PCM codec that holds every bit of a lossless track; 16 bits are enough for others."""
    codec, kind = codec_name(stream), stream.codec_context.format.name
    if not stream.codec_context.codec.lossless or kind.startswith(("u8", "s16")):
        return "pcm_s16le"
    known = ("pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be")
    return codec if codec in known else "pcm_s24le"


def _losses(number: int, source: AudioStream, target: AudioStream, entry: Format) -> list[str]:
    """In words, what encoding a track again changes that the user did not ask for."""
    codec, channels = codec_name(source), source.codec_context.channels
    name = target.codec_context.name
    if name.startswith("pcm"):
        return []
    mixed = channels not in LAYOUTS
    if codec in entry.sound:  # only stretched
        words = _("The {channels} channels of sound track {number} were mixed down to stereo.") if mixed else ""
    elif mixed:
        words = _(
            "Sound track {number} ({codec}) does not go into {container} and was encoded as {wanted}, its {channels} "
            "channels mixed down to stereo."
        )
    else:
        words = _("Sound track {number} ({codec}) does not go into {container} and was encoded as {wanted}.")
    container, wanted = entry.label.split(",")[0], ENCODED[name]
    said = words.format(number=number, codec=codec, container=container, wanted=wanted, channels=channels)
    return [said] if said else []


def _timed(encoded: Iterable[av.Packet[Any]]) -> Iterator[Timed]:
    for packet in encoded:
        yield (packet.dts or 0) * packet.time_base, packet
