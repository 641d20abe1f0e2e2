"""Sound is made longer exactly, at its pitch, with every beginning where it belongs, in flat memory."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.stretch import Stretcher

RATE = 48_000
SOUND_FRAME = 1024 / RATE  # seconds


def stretched(sound: NDArray[np.float32], factor: int, rate: int = RATE, piece: int = 1024) -> NDArray[np.float32]:
    """(channels, n) through a stretcher, `piece` samples at a time."""
    stretcher = Stretcher(rate, len(sound), factor)
    pieces = [stretcher.push(sound[:, begin : begin + piece]) for begin in range(0, sound.shape[1], piece)]
    return np.concatenate([*pieces, stretcher.finish()], axis=1)


def tones(seconds: float, beeps: list[float], rate: int = RATE, pitch: float = 1000, length: float = 0.05) -> NDArray:
    moment = np.arange(round(seconds * rate)) / rate
    heard = sum(((moment >= beep) & (moment < beep + length)).astype(int) for beep in beeps)
    return (heard * 0.7 * np.sin(2 * np.pi * pitch * moment)).astype(np.float32)[None]


def edges(sound: NDArray[np.float32], rate: int) -> list[tuple[float, float]]:
    """(beginning, end) in seconds of everything louder than 0.2, pauses below a tenth of a second left out."""
    loud = np.flatnonzero(np.abs(sound[0]) > 0.2)
    breaks = np.flatnonzero(np.diff(loud) > rate // 10)
    starts, ends = [0, *(breaks + 1)], [*breaks, len(loud) - 1]
    return [(float(loud[start] / rate), float(loud[end] / rate)) for start, end in zip(starts, ends, strict=True)]


@pytest.mark.parametrize(("factor", "rate"), [(2, 48_000), (3, 44_100), (5, 48_000), (8, 8_000), (11, 48_000)])
def test_a_beep_begins_and_ends_where_it_belongs(factor: int, rate: int) -> None:
    beeps = [0.0, 0.3, 0.61]
    found = edges(stretched(tones(0.7, beeps, rate), factor, rate), rate)
    assert len(found) == 3
    for (start, end), beep in zip(found, beeps, strict=True):
        assert abs(start - factor * beep) < SOUND_FRAME
        assert abs(end - factor * (beep + 0.05)) < SOUND_FRAME


@pytest.mark.parametrize("factor", range(2, 12))
def test_the_length_is_exact_to_the_sample(factor: int) -> None:
    for samples in (0, 1, 1000, 5001):
        assert stretched(np.ones((1, samples), np.float32), factor, 8000).shape == (1, factor * samples)


@pytest.mark.parametrize(("factor", "pitch"), [(2, 12_000), (2, 60), (5, 440), (11, 3000)])
def test_the_pitch_stays_within_a_thousandth(factor: int, pitch: float) -> None:
    result = stretched(tones(0.5, [0], pitch=pitch, length=1), factor)[0]
    middle = result[len(result) // 4 : -len(result) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 1 << 20))
    assert spectrum.argmax() * RATE / (1 << 20) == pytest.approx(pitch, rel=1e-3)


@pytest.mark.parametrize("factor", [2, 4])
def test_a_chord_stays_a_chord(factor: int) -> None:
    """All but a thousandth of the power lies at its four notes."""
    notes, moment = (220, 277.18, 329.63, 441.3), np.arange(RATE) / RATE
    chord = sum(0.2 * np.sin(2 * np.pi * note * moment + note) for note in notes)
    result = stretched(chord[None].astype(np.float32), factor)[0][RATE // 2 : -RATE // 2]
    power = np.abs(np.fft.rfft(result * np.hanning(len(result)))) ** 2
    pitches = np.fft.rfftfreq(len(result), 1 / RATE)
    inside = np.any([np.abs(pitches - note) < 0.005 * note for note in notes], axis=0)
    assert power[~inside].sum() < 1e-3 * power.sum()


def test_it_does_not_matter_in_what_pieces_sound_comes() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, (2, 10_000)).astype(np.float32)
    whole = stretched(sound, 3, piece=10_000)
    for piece in (100, 1024, 7777):
        assert np.allclose(stretched(sound, 3, piece=piece), whole, atol=1e-5)


def test_a_sound_on_the_left_stays_on_the_left() -> None:
    left = tones(1, [0.3], length=0.4)
    result = stretched(np.concatenate([left, 0.25 * left]), 4)
    assert np.allclose(result[1], 0.25 * result[0], atol=1e-4)
    assert np.abs(result[0]).max() > 0.5


def test_noise_keeps_its_loudness() -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, (1, RATE // 4)).astype(np.float32)
    for factor in (2, 11):
        assert stretched(sound, factor).std() == pytest.approx(0.1, rel=0.35)


def test_silence_stays_silence() -> None:
    assert not stretched(np.zeros((1, RATE), np.float32), 4).any()


def test_memory_does_not_grow_with_the_length() -> None:
    stretcher, held = Stretcher(8000, 1, 5), set[int]()
    for number in range(60):
        stretcher.push(np.zeros((1, 500), np.float32))
        if number > 10:
            held.add(stretcher._source.shape[1])
    assert len(held) > 1
    assert max(held) < 3000
