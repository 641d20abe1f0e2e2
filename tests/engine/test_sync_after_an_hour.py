"""After an hour of 1000/1001 rates, sound is still where the picture is, to within one sound frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from engine.config import RenderOptions

from .measure_sync import AAC_FRAME, RATE, apart, rendered, sync_film

F = Fraction
FPS = F(120, 1001)  # to FPS * 5 / 2 as 23.976 to 59.94, with few frames: it is the time stamps that have to hold
FRAMES = 431  # of an hour
FLASHES = [2, 216, 428]


@pytest.fixture(autouse=True)
def long_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """900 segments would open 900 encoders, twice."""
    monkeypatch.setattr("engine.segments.SEGMENT_SECONDS", 900)


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sync_film(tmp_path_factory.mktemp("hour") / "a.mp4", fps=FPS, flashes=FLASHES, frames=FRAMES, rate=8000)


@pytest.mark.parametrize(
    "options",
    [
        RenderOptions(mode="fps", target_fps=FPS * 5 / 2, held_out=False),
        RenderOptions(mode="smooth", inbetween=1, held_out=False),
    ],
    ids=["exact fps", "smooth"],
)
def test_flash_and_beep_fall_together(hour: Path, tmp_path: Path, options: RenderOptions) -> None:
    result = rendered(hour, tmp_path, options)
    for flash, (shown, _, off) in zip(FLASHES, apart(result, [flash / FPS for flash in FLASHES], 1 / FPS), strict=True):
        assert shown == float(flash / FPS)
        assert abs(off) <= AAC_FRAME / RATE


def test_stretched_sound_does_not_drift(tmp_path: Path) -> None:
    fps, flashes = F(4000, 1001), [4, 60, 116]
    source = sync_film(tmp_path / "a.mkv", fps=fps, flashes=flashes, frames=120)
    slow = rendered(source, tmp_path / "slow", RenderOptions(mode="slow", sound="stretch", held_out=False))
    found = apart(slow, [2 * flash / fps for flash in flashes], 2 / fps)
    assert [shown for shown, _, _ in found] == [float(2 * flash / fps) for flash in flashes]
    assert all(abs(off) <= AAC_FRAME / RATE for _, _, off in found)
