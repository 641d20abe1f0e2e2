"""Films with sound, subtitles, chapters and words for tests, and what is found of them in a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from engine.carry import Beside, Carry
from engine.formats import FORMATS
from engine.mp4_marks import mark_tracks, marks_of
from engine.video import probe

from .clips import pictures

RATE = 48_000
BEEP = Fraction(1, 20)  # seconds
FORMAT_OF = {".mp4": FORMATS["mp4_h264"], ".mov": FORMATS["mov_prores"], ".webm": FORMATS["webm_vp9"]}
ASS_HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


@dataclass(frozen=True)
class Voice:
    """A sound track: tones of `pitch` Hz for `length` seconds at each of `beeps` (seconds), else silence."""

    beeps: Sequence[float] = (1.0,)
    codec: str = "aac"
    layout: str = "mono"
    seconds: float = 4.0
    pitch: float = 1000.0
    length: float = float(BEEP)
    start: float = 0.0  # of its first sample, seconds
    rate: int = RATE
    words: dict[str, str] = field(default_factory=dict)
    disposition: int = 0


@dataclass(frozen=True)
class Texts:
    """A subtitle track: (start, end, text) in seconds; bytes are written as they are."""

    cues: Sequence[tuple[float, float, str | bytes]]
    codec: str = "subrip"
    words: dict[str, str] = field(default_factory=dict)
    disposition: int = 0


def wave(voice: Voice) -> NDArray[np.float32]:
    """Its samples, (n,)."""
    moment = np.arange(round(voice.seconds * voice.rate)) / voice.rate
    heard = np.zeros(len(moment), bool)
    for beep in voice.beeps:
        heard |= (moment >= beep - voice.start) & (moment < beep - voice.start + voice.length)
    return np.where(heard, 0.7 * np.sin(2 * np.pi * voice.pitch * moment), 0).astype(np.float32)


def film_with(
    path: Path,
    *tracks: Voice | Texts,
    seconds: int = 4,
    fps: int = 5,
    first: int = 0,
    words: dict[str, str] | None = None,
    chapters: Sequence[tuple[float, float, str]] = (),
    sar: Fraction = Fraction(1),
) -> Path:
    """A film of 64x48 with these tracks. first: number of frames its picture begins late. sar: shape of its pixels."""
    with av.open(str(path), "w") as out:
        webm = path.suffix == ".webm"
        stream = out.add_stream("libvpx-vp9" if webm else "libx264", rate=fps, width=64, height=48)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.sample_aspect_ratio = sar
        streams = [_add(out, track) for track in tracks]
        out.metadata.update(words or {})
        if chapters:
            out.set_chapters(
                [
                    {"id": number, "start": round(1000 * start), "end": round(1000 * end),
                     "time_base": Fraction(1, 1000), "metadata": {"title": title}}
                    for number, (start, end, title) in enumerate(chapters, 1)
                ]
            )  # fmt: skip
        for number, rgb in enumerate(pictures(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(rgb)
            frame.pts, frame.time_base = number + first, Fraction(1, fps)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        for track, target in zip(tracks, streams, strict=True):
            _write(out, track, target)
    return path


def _add(out: Any, track: Voice | Texts) -> Any:
    if isinstance(track, Voice):
        stream = out.add_stream(track.codec, rate=track.rate, layout=track.layout)
    elif track.codec in ("ass", "mov_text"):
        stream = out.add_stream(track.codec, time_base=Fraction(1, 1000))
        stream.codec_context.subtitle_header = ASS_HEADER
    else:
        stream = out.add_mux_stream(track.codec, time_base=Fraction(1, 1000))
    stream.metadata.update(track.words)
    stream.disposition = track.disposition
    return stream


def _write(out: Any, track: Voice | Texts, stream: Any) -> None:
    if isinstance(track, Voice):
        _write_sound(out, track, stream)
        return
    for start, end, text in track.cues:
        if isinstance(text, str) and track.codec in ("ass", "mov_text"):
            line = f"0,0,Default,,0,0,0,,{text}".encode()
            packet = stream.codec_context.encode_subtitle(av.subtitles.subtitle.SubtitleSet.create(line, 0, 1))
        else:
            packet = av.Packet(text.encode() if isinstance(text, str) else text)
        packet.stream, packet.time_base = stream, Fraction(1, 1000)
        packet.pts = packet.dts = round(1000 * start)
        packet.duration = round(1000 * (end - start))
        out.mux(packet)


def _write_sound(out: Any, voice: Voice, stream: Any) -> None:
    samples, first = wave(voice), round(voice.start * voice.rate)
    resampler = av.AudioResampler(stream.format.name, voice.layout, voice.rate, frame_size=960)
    channels = stream.layout.nb_channels
    for begin in range(0, len(samples), 960):
        piece = np.repeat(samples[None, begin : begin + 960], channels, axis=0)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="fltp", layout=voice.layout)
        frame.sample_rate, frame.pts, frame.time_base = voice.rate, first + begin, Fraction(1, voice.rate)
        for ready in resampler.resample(frame):
            out.mux(stream.encode(ready))
    for ready in [*resampler.resample(None), None]:
        out.mux(stream.encode(ready))


def carried(tmp_path: Path, source: Path, suffix: str = ".mp4", **how: Any) -> tuple[Path, list[str]]:
    """The source's sound, subtitles and words beside a picture as long as the result of a render. (result, notes)"""
    info, carry, entry = probe(source), Carry(source, **how), FORMAT_OF[suffix]
    end = carry.end if carry.end is not None else info.duration
    count = round((end - carry.begin) * info.fps) * carry.stretch
    result, notes = tmp_path / f"result{suffix}", list[str]()
    with av.open(str(source)) as opened, av.open(str(result), "w", entry.container) as out:
        codec = "libvpx-vp9" if suffix == ".webm" else "libx264"
        stream = out.add_stream(codec, rate=info.fps, width=64, height=48, options={"bf": "0"})
        stream.pix_fmt = "yuv420p"
        beside = Beside(carry, info.start, opened, out, entry, stream, notes)
        for number, rgb in enumerate(pictures(count)):
            frame = av.VideoFrame.from_ndarray(rgb)
            frame.pts, frame.time_base = number, 1 / info.fps
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        for _, packet in beside.packets():
            out.mux(packet)
        marks = marks_of(out)
    if entry.container != "webm":
        mark_tracks(result, marks)
    return result, notes


def heard(path: Path, track: int = 0) -> tuple[NDArray[np.float32], int, float]:
    """(samples of the first channel, their rate, seconds between the first frame of the picture and the first of them)
    of a sound track as a player decodes it; holes are silent."""
    with av.open(str(path)) as source:
        shown = next(frame.pts * frame.time_base for frame in source.decode(video=0))
    pieces = list[tuple[int, NDArray[Any]]]()
    with av.open(str(path)) as source:
        rate = source.streams.audio[track].rate
        for frame in source.decode(audio=track):
            samples = frame.to_ndarray()
            samples = samples[0] if frame.format.is_planar else samples[0, :: frame.layout.nb_channels]
            scale = {"s16": 2.0**15, "s16p": 2.0**15, "s32": 2.0**31}.get(frame.format.name, 1.0)
            pieces.append((round((frame.pts * frame.time_base - shown) * rate), samples / scale))
    begin = pieces[0][0]
    whole = np.zeros(max(start + len(samples) for start, samples in pieces) - begin, np.float32)
    for start, samples in pieces:
        whole[start - begin : start - begin + len(samples)] = samples
    return whole, rate, begin / rate


def beeps(path: Path, track: int = 0) -> list[float]:
    """When each tone begins, in seconds from the first frame of the picture."""
    samples, rate, begin = heard(path, track)
    loud = np.flatnonzero(np.abs(samples) > 0.2)
    if not loud.size:
        return []
    first = np.concatenate([[True], np.diff(loud) > rate // 10])
    return [float(begin + index / rate) for index in loud[first]]


def pitch(path: Path, at: float, seconds: float, track: int = 0) -> float:
    """The loudest frequency in Hz, `seconds` from `at` on."""
    samples, rate, begin = heard(path, track)
    first = round((at - begin) * rate)
    part = samples[first : first + round(seconds * rate)]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 1 << 19))
    return float(spectrum.argmax() * rate / (1 << 19))


def cues(path: Path, track: int = 0) -> list[tuple[float, float, str]]:
    """(start, end, plain text) of every subtitle, in seconds; bitmaps as their bytes in hexadecimal."""
    found = list[tuple[float, float, str]]()
    with av.open(str(path)) as source:
        stream = source.streams.subtitles[track]
        for packet in source.demux(stream):
            data = bytes(packet)
            if not data or data == b"\0\0":
                continue
            text = data.hex()
            if stream.codec_context.codec.text_sub:
                lines = [line.ass.decode().split(",", 8)[-1] for line in packet.decode()]
                text = "|".join(lines)
            start, length = packet.pts * packet.time_base, packet.duration * packet.time_base
            found.append((round(float(start), 4), round(float(start + length), 4), text))
    return found


def tracks(path: Path, kind: str) -> list[tuple[str, str, str, int]]:
    """(codec, language, title, disposition) of every track of a kind."""
    with av.open(str(path)) as source:
        return [
            (
                stream.codec_context.codec.canonical_name,
                stream.metadata.get("language", ""),
                stream.metadata.get("title") or stream.metadata.get("name", ""),
                int(stream.disposition),
            )
            for stream in source.streams
            if stream.type == kind
        ]
