"""A glance at an upload: repeated frames, cuts and where it moves most, within the time it is given."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from engine.glance import glance
from engine.video import probe

from .footage import shot, write_video

PATIENT = 60.0  # seconds: also on a busy machine all of it is looked at


def test_drawings_on_twos_are_found(tmp_path: Path) -> None:
    drawings = shot(1, 12, speed=4)
    film = write_video(tmp_path / "twos.mp4", [one for one in drawings for _ in range(2)], fps=Fraction(24))
    found = glance(film, probe(film), PATIENT)
    assert (found["cadence"], found["frames"], found["whole"], found["cuts"]) == ("on twos", 24, True, 0)
    assert found["repeated"] > 0.4


def test_ordinary_film_has_no_rhythm_and_its_cut_is_seen(tmp_path: Path) -> None:
    film = write_video(tmp_path / "cut.mp4", [*shot(1, 8), *shot(2, 8)], fps=Fraction(24))
    found = glance(film, probe(film), PATIENT)
    assert (found["cadence"], found["repeated"], found["cuts"]) == ("", 0.0, 1)
    assert found["motion"] > 0


def test_of_a_longer_film_stretches_are_looked_at_and_the_busiest_is_named(tmp_path: Path) -> None:
    calm, wild = shot(1, 110, speed=0), shot(3, 50, speed=6)
    film = write_video(tmp_path / "long.mp4", [*calm, *wild], fps=Fraction(10))
    found = glance(film, probe(film), PATIENT)
    assert not found["whole"]
    assert found["busiest"] > 10 and found["motion"] > 3


def test_without_time_nothing_is_said(tmp_path: Path) -> None:
    film = write_video(tmp_path / "short.mp4", shot(1, 6))
    assert glance(film, probe(film), seconds=-1.0) == {}
