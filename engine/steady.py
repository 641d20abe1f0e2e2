"""Decoded sound as one run of samples: cut to a part of the source, holes filled, overlaps removed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.audio.resampler import AudioResampler

from .part import Part

GAP = Fraction(1, 40)  # seconds that sound may be off its time stamps before it is put right: about an AAC packet
SILENCE_SAMPLES = 48_000


class Steady:
    """Pieces that follow each other without a gap. Their pts count samples from the beginning of the part."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._rate = 0
        self._next: int | None = None  # the sample the next piece has to begin with

    def pieces(self, frame: av.AudioFrame) -> Iterator[av.AudioFrame]:
        """What `frame` adds to the run."""
        if self._rate and self._rate != frame.sample_rate and self._next is not None:
            self._next = round(Fraction(self._next * frame.sample_rate, self._rate))
        self._rate = frame.sample_rate
        start = self._start(frame)
        if self._next is None:
            self._next = max(start, 0)
        gap = start - self._next
        if gap > GAP * self._rate:  # an encoder would close it, and everything after would come too early
            yield from self._silence(frame, gap)
        skip = -gap if gap < -GAP * self._rate or start < 0 else 0
        count = min(frame.samples - skip, self._limit() - self._next)
        if count > 0:
            piece = frame if count == frame.samples else _cut(frame, skip, count)
            yield self._placed(piece)

    def _start(self, frame: av.AudioFrame) -> int:
        if frame.pts is None or not frame.time_base:
            return self._next or 0
        return round(self._part.seconds(frame.pts, frame.time_base) * frame.sample_rate)

    def _limit(self) -> int:
        return 1 << 62 if self._part.length is None else round(self._part.length * self._rate)

    def _silence(self, like: av.AudioFrame, samples: int) -> Iterator[av.AudioFrame]:
        assert self._next is not None
        end = min(self._next + samples, self._limit())
        while self._next < end:
            yield self._placed(_silent(like, min(SILENCE_SAMPLES, end - self._next)))

    def _placed(self, frame: av.AudioFrame) -> av.AudioFrame:
        assert self._next is not None
        frame.pts, frame.time_base = self._next, Fraction(1, self._rate)
        self._next += frame.samples
        return frame


class Converter:
    """An AudioResampler that is made anew when the sound changes in the middle: a broadcast from stereo to 5.1."""

    def __init__(self, format: str, layout: str, rate: int, frame_size: int | None = None) -> None:
        self._wanted = (format, layout, rate, frame_size)
        self._resampler: AudioResampler | None = None
        self._kind: tuple[str, str, int] | None = None

    def __call__(self, frame: av.AudioFrame) -> list[av.AudioFrame]:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        done = self.rest() if kind != self._kind else []
        if self._resampler is None:
            self._resampler, self._kind = AudioResampler(*self._wanted), kind
        return done + self._resampler.resample(frame)

    def rest(self) -> list[av.AudioFrame]:
        """What is still inside."""
        held = self._resampler.resample(None) if self._resampler is not None else []
        self._resampler = None
        return [frame for frame in held if frame is not None]  # PyAV hands on the None where it has nothing to convert


def _cut(frame: av.AudioFrame, skip: int, count: int) -> av.AudioFrame:
    """Samples [skip, skip + count) of a frame."""
    wide = 1 if frame.format.is_planar else frame.layout.nb_channels
    samples = np.ascontiguousarray(frame.to_ndarray()[:, skip * wide : (skip + count) * wide])
    return _frame(samples, frame)


def _silent(like: av.AudioFrame, samples: int) -> av.AudioFrame:
    frame = av.AudioFrame(like.format.name, like.layout.name, samples=samples)
    for plane in frame.planes:
        plane.update((b"\x80" if like.format.name.startswith("u8") else b"\0") * plane.buffer_size)
    frame.sample_rate = like.sample_rate
    return frame


def _frame(samples: Any, like: av.AudioFrame) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(samples, format=like.format.name, layout=like.layout.name)
    frame.sample_rate = like.sample_rate
    return frame
