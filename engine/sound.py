"""Sound tracks on their way from a source into an MP4: copied, or made AAC where that cannot be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import av
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from .demux import codec_name

MP4_CODECS = {"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"}  # what common players take in MP4
BROWSER_CODECS = {"aac", "mp3", "opus", "flac"}
BITS_PER_CHANNEL = 96_000  # a second, of AAC: beyond hearing a difference in most tests
MAX_RATE = 48_000
GAP = Fraction(1, 20)  # seconds of missing sound that are filled with silence
SILENCE_SAMPLES = 48_000
AAC_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}  # by channels; other numbers are mixed down to stereo

Timed: TypeAlias = "tuple[Fraction, av.Packet[Any]]"  # seconds at which it is decoded, packet


@dataclass(slots=True)
class Sound:
    """One track. begin: time of the first frame of the picture in the source, seconds; it becomes 0."""

    source: AudioStream
    target: AudioStream
    begin: Fraction
    resampler: AudioResampler | None = None  # None: copied
    _next: int | None = None  # sample at which the next decoded piece should begin

    def packets(self, packet: av.Packet[AudioStream]) -> Iterator[Timed]:
        """What becomes of a packet of the source, with its time of decoding in seconds."""
        if self.resampler is None:
            yield from self._copied(packet)
            return
        try:
            frames = packet.decode()
        except (av.FFmpegError, EOFError):
            return  # a damaged piece of sound: the gap stays silent, times of the rest are kept
        for frame in frames:
            yield from self._encoded(frame)

    def rest(self) -> Iterator[Timed]:
        """What the encoder still holds."""
        if self.resampler is None:
            return
        for frame in [*self.resampler.resample(None), None]:
            yield from self._timed(self.target.encode(frame))

    def _copied(self, packet: av.Packet[AudioStream]) -> Iterator[Timed]:
        unit = packet.time_base
        stamp = packet.dts if packet.dts is not None else packet.pts
        if stamp is None:
            return
        shift = round(self.begin / unit)
        packet.dts = stamp - shift
        packet.pts = (packet.pts if packet.pts is not None else stamp) - shift
        packet.stream = self.target
        yield packet.dts * unit, packet

    def _encoded(self, frame: av.AudioFrame) -> Iterator[Timed]:
        if frame.pts is not None and frame.time_base:
            frame.pts = round((frame.pts * frame.time_base - self.begin) * frame.sample_rate)
            frame.time_base = Fraction(1, frame.sample_rate)
            gap = frame.pts - self._next if self._next is not None else 0
            if gap > GAP * frame.sample_rate:  # the encoder would close it and everything after would come too early
                for start in range(frame.pts - gap, frame.pts, SILENCE_SAMPLES):
                    yield from self._resampled(_silence(frame, start, min(SILENCE_SAMPLES, frame.pts - start)))
            self._next = frame.pts + frame.samples
        yield from self._resampled(frame)

    def _resampled(self, frame: av.AudioFrame) -> Iterator[Timed]:
        assert self.resampler is not None
        for piece in self.resampler.resample(frame):
            yield from self._timed(self.target.encode(piece))

    @staticmethod
    def _timed(encoded: Sequence[av.Packet[Any]]) -> Iterator[Timed]:
        for packet in encoded:
            yield (packet.dts or 0) * packet.time_base, packet


def _silence(like: av.AudioFrame, start: int, samples: int) -> av.AudioFrame:
    """Nothing to hear, in the format of `like`, from sample `start` on."""
    frame = av.AudioFrame(like.format.name, like.layout, samples=samples)
    for plane in frame.planes:
        plane.update((b"\x80" if like.format.name.startswith("u8") else b"\0") * plane.buffer_size)
    frame.sample_rate, frame.pts, frame.time_base = like.sample_rate, start, Fraction(1, like.sample_rate)
    return frame


def sound_tracks(
    source: InputContainer, result: OutputContainer, begin: Fraction, notes: list[str], *, browser_sound: bool
) -> list[Sound]:
    """Adds a track to `result` for every sound track of `source`; says in `notes` what was not simply copied."""
    keep = BROWSER_CODECS if browser_sound else MP4_CODECS
    tracks = []
    for number, stream in enumerate(source.streams.audio, 1):
        codec = codec_name(stream)
        if stream.codec_context is None:
            notes.append(f"Sound track {number} ({codec}) cannot be decoded here and was left out.")
            continue
        if codec in keep:
            track = Sound(stream, result.add_stream_from_template(stream), begin)
        else:
            track = _encoded(stream, result, begin, stereo=browser_sound)
            if not browser_sound:
                channels = stream.codec_context.channels
                mixed = "" if channels in AAC_LAYOUTS else f", its {channels} channels mixed down to stereo"
                notes.append(f"Sound track {number} ({codec}) does not go into MP4 and was encoded as AAC{mixed}.")
        track.target.metadata.update(_words(stream))
        tracks.append(track)
    return tracks


def _encoded(stream: AudioStream, result: OutputContainer, begin: Fraction, *, stereo: bool) -> Sound:
    context = stream.codec_context
    layout = "stereo" if stereo and context.channels > 2 else AAC_LAYOUTS.get(context.channels, "stereo")
    rate = min(context.sample_rate, MAX_RATE)
    target = result.add_stream("aac", rate=rate, layout=layout, bit_rate=BITS_PER_CHANNEL * min(context.channels, 6))
    return Sound(stream, target, begin, AudioResampler("fltp", layout, rate, frame_size=1024))


def _words(stream: Any) -> dict[str, str]:
    return {key: value for key, value in stream.metadata.items() if key in ("language", "title")}
