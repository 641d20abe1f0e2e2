"""Is sound still in sync after an hour? A film with a flash and a beep at the same moments, rendered, and measured.

`python -m tests.engine.measure_sync` renders an hour at 24000/1001 fps (64x48) three ways and prints how far beep and
flash are apart; it takes an hour or two. `--minutes` makes it shorter, `--way 3` does the third only.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from engine.config import RenderOptions
from engine.render import render_video
from engine.video import read_frames

from .footage import BlendModel

RATE = 48_000  # Hz, unless said otherwise
AAC_FRAME = 1024  # samples
PITCH, LENGTH, QUIET = 1000, 0.05, 8  # Hz, seconds, and silent AAC frames on either side of a beep
GREY, WHITE = 60, 250


def sync_film(path: Path, *, fps: Fraction, flashes: list[int], frames: int, rate: int = RATE) -> Path:
    """A grey film of 64x48 whose `flashes` (numbers of frames) are white, each with a beep that begins with it.

    Encoded once, grey and white frames and silence are written again and again, which makes an hour in seconds.
    """
    with av.open(str(path), "w") as out:
        picture = out.add_stream("mjpeg", rate=fps, width=64, height=48, options={"qscale": "3"})
        picture.pix_fmt, picture.time_base = "yuvj420p", 1 / fps
        voice = out.add_stream("aac", rate=rate, layout="mono")
        grey, white = (_encoded(level) for level in (GREY, WHITE))
        seconds = frames / fps
        heard = _sound(voice, [flash / fps for flash in flashes], seconds)
        waiting = next(heard, None)
        marked = set(flashes)
        for number in range(frames):
            while waiting is not None and waiting.dts * waiting.time_base <= number / fps:
                out.mux(waiting)
                waiting = next(heard, None)
            packet = av.Packet(white if number in marked else grey)
            packet.stream, packet.time_base = picture, 1 / fps
            packet.pts = packet.dts = number
            packet.duration, packet.is_keyframe = 1, True
            out.mux(packet)
        for packet in [waiting, *heard] if waiting is not None else []:
            out.mux(packet)
    return path


def _encoded(level: int) -> bytes:
    context = av.CodecContext.create("mjpeg", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt, context.time_base = 64, 48, "yuvj420p", Fraction(1, 25)
    context.options = {"qscale": "3"}
    frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8)).reformat(format="yuvj420p")
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def _sound(voice: Any, beeps: list[Fraction], seconds: Fraction) -> Iterator[av.Packet[Any]]:
    """AAC packets: silence, and from the right sample on a tone at each of `beeps` (seconds)."""
    rate = voice.rate
    silence = _aac(np.zeros(20 * AAC_FRAME, np.float32), rate)[-2]
    at = 0  # AAC frames written; the encoder's first frame holds nothing but its delay
    for beep in beeps:
        start = int(beep * rate) // AAC_FRAME - QUIET
        moment = np.arange((2 * QUIET + 4) * AAC_FRAME) / rate - float(beep - Fraction(start * AAC_FRAME, rate))
        tone = np.where((moment >= 0) & (moment < LENGTH), 0.7 * np.sin(2 * np.pi * PITCH * moment), 0)
        yield from (_placed(voice, silence, at + number) for number in range(max(0, start - at)))
        block = _aac(tone.astype(np.float32), rate)[1:]
        yield from (_placed(voice, data, start + number) for number, data in enumerate(block))
        at = start + len(block)
    yield from (_placed(voice, silence, number) for number in range(at, int(seconds * rate) // AAC_FRAME))


def _placed(voice: Any, data: bytes, number: int) -> av.Packet[Any]:
    packet = av.Packet(data)
    packet.stream, packet.time_base = voice, Fraction(1, voice.rate)
    packet.pts = packet.dts = number * AAC_FRAME
    packet.duration, packet.is_keyframe = AAC_FRAME, True
    return packet


def _aac(samples: np.ndarray, rate: int) -> list[bytes]:
    """One packet for every 1024 samples, after one of delay."""
    context = av.CodecContext.create("aac", "w")
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate, context.layout, context.format, context.time_base = rate, "mono", "fltp", Fraction(1, rate)
    found = list[bytes]()
    for start in range(0, len(samples), AAC_FRAME):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + AAC_FRAME], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        found += [bytes(packet) for packet in context.encode(frame)]
    return found + [bytes(packet) for packet in context.encode(None)]


def apart(path: Path, moments: list[Fraction], step: Fraction) -> list[tuple[float, float, float]]:
    """(flash, beep, beep - flash) in seconds for each of the moments they are expected at, in a film with `step`
    seconds between its source frames."""
    found = [(_flash(path, at, step), _beep(path, at)) for at in moments]
    return [(flash, beep, beep - flash) for flash, beep in found]


def _flash(path: Path, at: Fraction, step: Fraction) -> float:
    near = read_frames(path, start=max(Fraction(0), at - 2 * step), stop=at + 2 * step)
    return float(max((float(frame.rgb.mean()), frame.pts) for frame in near)[1])


def _beep(path: Path, at: Fraction) -> float:
    with av.open(str(path)) as film:
        stream = film.streams.audio[0]
        film.seek(int((at - 2) / stream.time_base), stream=stream)
        for frame in film.decode(stream):
            loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.25)
            time = frame.pts * frame.time_base
            if loud.size and time > at - 1:
                return float(time + Fraction(int(loud[0]), frame.sample_rate))
    raise AssertionError(f"There is no beep after {float(at) - 1:.1f} s")


def rendered(source: Path, work: Path, options: RenderOptions) -> Path:
    return render_video(source, work, options, BlendModel()).master


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--way", type=int, choices=(1, 2, 3), help="default: all")
    asked, fps = parser.parse_args(), Fraction(24_000, 1001)
    minutes = asked.minutes
    frames = int(minutes * 60 * fps)
    flashes = [round(frames * n / 6) // 2 * 2 + 2 * (n == 0) for n in range(6)] + [frames - 50 & ~1]
    moments = [flash / fps for flash in flashes]
    ways = {
        "59.94 fps": (RenderOptions(mode="fps", target_fps=Fraction(60_000, 1001), held_out=False), 1),
        "smooth x2": (RenderOptions(held_out=False), 1),
        "slow motion x2, sound stretched": (RenderOptions(mode="slow", sound="stretch", held_out=False), 2),
    }
    with tempfile.TemporaryDirectory() as folder:
        source = sync_film(Path(folder) / "a.mkv", fps=fps, flashes=flashes, frames=frames)
        for name, (options, factor) in [*ways.items()][asked.way - 1 : asked.way] if asked.way else ways.items():
            result = rendered(source, Path(folder) / name.replace(" ", "_"), options)
            found = apart(result, [factor * moment for moment in moments], factor / fps)
            print(name, *(f"{flash:.3f} s: {1000 * off:+.1f} ms" for flash, _, off in found), sep="  ", flush=True)


if __name__ == "__main__":
    main()
