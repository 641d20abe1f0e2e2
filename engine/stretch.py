"""Sound made longer without a change of pitch: a phase vocoder, one grain after the other, so memory stays flat.

libavfilter's `atempo` was tried first. At 2 to 11 times the length it shows the beginning of a short tone 40 to 400 ms
early and warbles on chords. This one places everything where it belongs: grains are
taken at exact places of the source, and none is louder than the source is at the moment it is heard.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]  # (channels, samples)

GRAIN_SECONDS = 0.085  # long enough to tell the notes of a chord apart
OVERLAP = 4  # grains that sound at any moment
LOUDNESS_GAPS = 20  # milliseconds: shorter pauses in loudness are the waveform itself, not rhythm
QUIET = 1e-6


class Stretcher:
    """Makes sound `factor` times as long; factor >= 1. Sample n of the source is heard at sample n * factor.

    The turning of a partial between two grains of the result is copied from two grains of the source that lie as far
    apart. All bins around a peak turn with it, and all channels together, which keeps attacks and directions.
    """

    def __init__(self, rate: int, channels: int, factor: Fraction | int) -> None:
        self._factor = Fraction(factor)
        self._size = 1 << round(np.log2(rate * GRAIN_SECONDS))  # samples in a grain
        self._hop = self._size // OVERLAP  # between grains of the result
        self._window = np.hanning(self._size + 1)[:-1].astype(np.float32)
        self._millisecond = max(1, rate // 1000)
        self._margin = self._size // 2 + self._hop + LOUDNESS_GAPS * self._millisecond  # of source around a grain
        self._source: Samples = np.zeros((channels, self._margin), np.float32)
        self._first = -self._margin  # number of the first sample in _source
        self._mixed: Samples = np.zeros((channels, self._size), np.float32)  # grains that still sound
        self._before: NDArray[Any] | None = None  # spectrum of the last grain
        self._grain = 0  # number of the next one
        self._fed = 0  # samples
        self._given = -(self._size // 2)  # samples; the first grain is centred on sample 0

    def push(self, samples: Samples) -> Samples:
        """Takes the next samples, returns what is ready of the result; both (channels, any number)."""
        self._fed += samples.shape[1]
        return self._ready(samples)

    def finish(self) -> Samples:
        """The rest; in all exactly `factor` times what was pushed, rounded to a sample."""
        missing = round(self._fed * self._factor) - max(self._given, 0)
        silence = np.zeros((len(self._source), 2 * self._size + self._margin), np.float32)
        return self._ready(silence)[:, :missing]

    def _ready(self, samples: Samples) -> Samples:
        self._source = np.concatenate([self._source, samples], axis=1)
        pieces = [self._source[:, :0]]
        while self._place() - self._first + self._margin <= self._source.shape[1]:
            piece = self._next_hop()
            pieces.append(piece[:, max(0, -self._given) :])
            self._given += self._hop
        done = self._place() - self._first - self._margin
        if done > 0:
            self._source, self._first = self._source[:, done:], self._first + done
        return np.concatenate(pieces, axis=1)

    def _place(self) -> int:
        """The sample of the source at the centre of the next grain."""
        return int(self._grain * self._hop / self._factor)

    def _next_hop(self) -> Samples:
        """Adds the next grain; returns the samples that no later grain adds to."""
        centre = self._place() - self._first
        spectrum = self._turned(self._spectrum(centre), self._spectrum(centre - self._hop))
        grain = np.fft.irfft(spectrum, self._size) * self._window * (2 / 3)  # 2 / 3: four squared windows sum to 3 / 2
        self._mixed += grain * self._loudness(centre)
        self._before = spectrum
        self._grain += 1
        ready = self._mixed[:, : self._hop].copy()
        self._mixed[:, : -self._hop] = self._mixed[:, self._hop :]
        self._mixed[:, -self._hop :] = 0
        return ready

    def _spectrum(self, centre: int) -> NDArray[Any]:
        half = self._size // 2
        return np.fft.rfft(self._source[:, centre - half : centre + half] * self._window)

    def _turned(self, spectrum: NDArray[Any], earlier: NDArray[Any]) -> NDArray[Any]:
        """`spectrum` with the phases that follow those of the last grain as it follows `earlier`."""
        if self._before is None:
            return spectrum
        power = (spectrum.real**2 + spectrum.imag**2).sum(axis=0)
        peaks = np.flatnonzero((power[1:-1] > power[:-2]) & (power[1:-1] >= power[2:])) + 1
        if not peaks.size:
            return spectrum
        turns = (self._before[:, peaks] * earlier[:, peaks].conj()).sum(axis=0)
        sizes = np.abs(turns)
        turns = np.where(sizes > QUIET**2, turns / np.maximum(sizes, QUIET**2), 1)
        nearest = np.searchsorted((peaks[1:] + peaks[:-1]) // 2, np.arange(len(power)))
        return np.asarray(spectrum * turns[nearest])

    def _loudness(self, centre: int) -> NDArray[np.float32]:
        """A factor <= 1 for every sample of a grain. What lies beside its centre is heard as far from it as in the
        source, and not M times as far: too early or too late. There the grain is made as quiet as the source is at the
        moment that is heard."""
        reach = self._size // 2 + LOUDNESS_GAPS * self._millisecond
        near = np.abs(self._source[:, centre - reach : centre + reach]).max(axis=0)
        count = len(near) // self._millisecond
        peaks = near[: count * self._millisecond].reshape(count, self._millisecond).max(axis=1)
        kernel = np.ones((1, LOUDNESS_GAPS + 1), np.uint8)
        loudness = cv2.morphologyEx(peaks[None], cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE)[0]
        times = self._millisecond * (np.arange(count) + 0.5) - reach  # samples from the centre
        offsets = np.arange(-self._size // 2, self._size // 2)
        rest = float(self._grain * self._hop / self._factor) - self._place()  # the centre lies on a whole sample
        inside = np.interp(offsets, times, loudness)
        wanted = np.interp(rest + offsets / float(self._factor), times, loudness)
        return np.minimum(1, wanted / np.maximum(inside, QUIET)).astype(np.float32)
