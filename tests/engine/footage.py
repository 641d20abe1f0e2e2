"""Tiny footage and a model that costs nothing, for tests of rendering."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from engine.checkpoint import ModelInfo
from engine.metrics import blend
from engine.writer import VideoWriter

Picture = np.ndarray


class BlendModel:
    """Draws by cross-fading. Remembers what it was asked for."""

    arithmetic = ""

    def __init__(self, sha256: str = "blend-1") -> None:
        self.info = ModelInfo("blend", "blend", None, sha256, 0, trained=False)
        self.pairs: list[tuple[Picture, Picture]] = []
        self.times: list[Fraction | float] = []

    def pair(self, img0: Picture, img1: Picture) -> BlendPair:
        assert img0.shape == img1.shape
        self.pairs.append((img0, img1))
        return BlendPair(self, img0, img1)


class BlendPair:
    def __init__(self, model: BlendModel, img0: Picture, img1: Picture) -> None:
        self.model, self.img0, self.img1 = model, img0, img1

    def at(self, t: float | Fraction) -> Picture:
        self.model.times.append(t)
        return blend(self.img0, self.img1, float(t))

    def flow(self, *, back: bool = False) -> np.ndarray:
        return np.zeros((*self.img0.shape[:2], 2), np.float32)


def shot(seed: int, count: int, size: tuple[int, int] = (64, 48), speed: int = 2) -> list[Picture]:
    """A view moving over soft random grey blobs (fine colours do not survive yuv420p), `size` = (width, height)."""
    width, height = size
    noise = np.random.default_rng(seed).integers(0, 256, (height // 4 + 8, (width + count * speed) // 4 + 8, 1))
    wide = cv2.resize(noise.astype(np.uint8).repeat(3, axis=2), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    return [np.ascontiguousarray(wide[8 : 8 + height, 8 + i * speed : 8 + i * speed + width]) for i in range(count)]


def write_video(
    path: Path,
    frames: Sequence[Picture],
    *,
    fps: Fraction = Fraction(10),
    times: Sequence[Fraction] | None = None,
    end: Fraction | None = None,
    sound: bool = False,
) -> Path:
    """Frames at a constant rate, or shown at `times` (seconds) until `end`; optionally with a beep as long."""
    height, width = frames[0].shape[:2]
    times = times or [index / fps for index in range(len(frames))]
    target = path.with_name(f"silent_{path.name}") if sound else path
    time_base = Fraction(1, 1000) if end is not None else None
    with VideoWriter(target, width=width, height=height, fps=fps, time_base=time_base, end=end, crf=0) as writer:
        for frame, time in zip(frames, times, strict=True):
            writer.write(frame, time)
    return _with_sound(target, path, len(frames) / fps) if sound else path


def _with_sound(silent: Path, path: Path, seconds: Fraction) -> Path:
    """A copy of `silent` with a 440 Hz tone."""
    rate = 8000
    with av.open(str(silent)) as source, av.open(str(path), "w") as result:
        picture = result.add_stream_from_template(source.streams.video[0])
        track = result.add_stream("aac", rate=rate, layout="mono")
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = picture
                result.mux(packet)
        wave = np.sin(np.arange(int(rate * seconds)) * 2 * np.pi * 440 / rate).astype(np.float32) / 4
        for start in range(0, len(wave), 1024):
            chunk = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
            chunk.sample_rate, chunk.pts, chunk.time_base = rate, start, Fraction(1, rate)
            result.mux(track.encode(chunk))
        result.mux(track.encode(None))
    return path


def decoded(path: Path) -> list[tuple[Fraction, Picture]]:
    """(time, RGB) of every frame, as a plain player decodes them."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [(frame.pts * stream.time_base, frame.to_ndarray(format="rgb24")) for frame in container.decode(stream)]
