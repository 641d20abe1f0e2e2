"""Tiny films for tests, made with PyAV itself and not with the engine's writer."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

RATE = 25
SAMPLE_RATE = 48_000


def pictures(count: int, width: int = 64, height: int = 48, seed: int = 0) -> list[NDArray[np.uint8]]:
    """Smooth coloured texture that moves two pixels to the right in every frame; RGB uint8 (H, W, 3)."""
    rng = np.random.default_rng(seed)
    ground = cv2.GaussianBlur(rng.integers(0, 255, (height, width, 3), dtype=np.uint8), (0, 0), 3)
    ground = cv2.normalize(ground, None, 20, 235, cv2.NORM_MINMAX)
    return [np.ascontiguousarray(np.roll(ground, 2 * number, axis=1)) for number in range(count)]


def film(
    path: Path,
    frames: Sequence[NDArray[np.uint8]],
    *,
    codec: str = "libx264",
    rate: Fraction | int = RATE,
    ticks: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    rotation: float | None = None,
    mirrored: bool = False,
    sar: Fraction | None = None,
    tags: tuple[int, int, int, int] | None = None,
    beep_at: float | None = None,
    sound: str = "aac",
    sound_seconds: float = 1.0,
    container: dict[str, str] | None = None,
    format: str | None = None,
) -> Path:
    """Writes a film. ticks: time stamps in time_base. tags: (primaries, transfer, matrix, range). beep_at: adds sound,
    silent but for 50 ms of tone from that second on."""
    time_base = time_base or Fraction(1) / rate
    with av.open(str(path), "w", format=format, options=container or {}) as out:
        height, width = frames[0].shape[:2]
        stream = out.add_stream(codec, rate=rate, options=options or {}, width=width, height=height)
        stream.pix_fmt, stream.time_base = pix_fmt, time_base
        stream.codec_context.time_base = time_base
        if sar is not None:
            stream.codec_context.sample_aspect_ratio = sar
        if tags is not None:
            context = stream.codec_context
            context.color_primaries, context.color_trc, context.colorspace, context.color_range = tags
        if rotation is not None:
            stream.set_display_rotation(rotation, hflip=mirrored)
        voice = out.add_stream(sound, rate=SAMPLE_RATE, layout="mono") if beep_at is not None else None
        for number, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = (ticks[number] if ticks else number), time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if voice is not None and beep_at is not None:
            _write_sound(out, voice, beep_at, sound_seconds)
    return path


def _write_sound(out: Any, voice: Any, beep_at: float, seconds: float) -> None:
    moment = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave = np.where((moment >= beep_at) & (moment < beep_at + 0.05), 0.7 * np.sin(2 * np.pi * 1000 * moment), 0.0)
    for begin in range(0, len(wave), 960):
        piece = (wave[None, begin : begin + 960] * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, begin, Fraction(1, SAMPLE_RATE)
        out.mux(voice.encode(frame))
    out.mux(voice.encode(None))


def beep(path: Path) -> float:
    """When the tone begins against the first frame of the picture, in seconds."""
    with av.open(str(path)) as source:
        first = next(source.decode(video=0))
        shown = first.pts * first.time_base
    with av.open(str(path)) as source:
        for frame in source.decode(audio=0):
            loud = np.flatnonzero(np.abs(frame.to_ndarray().astype(float)).reshape(-1) > _loud(frame))
            if loud.size:
                return float(frame.pts * frame.time_base + Fraction(int(loud[0]), frame.sample_rate) - shown)
    raise AssertionError("There is no tone in this file")


def _loud(frame: Any) -> float:
    return 0.2 if frame.format.name.startswith("flt") else 0.2 * 32768


def difference(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Mean absolute difference, in levels of 255."""
    return float(np.abs(a.astype(float) - b.astype(float)).mean())
