"""The certificate finds what is wrong with a file."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from engine.certificate import certify

from .clips import film, pictures

F = Fraction
RIGHT = {
    "frame_count": 25,
    "duration": F(1),
    "fps": "25",
    "width": 64,
    "height": 48,
    "sar": F(1),
    "codec": "h264",
    "pix_fmt": "yuv420p",
    "audio_streams": 1,
    "chapters": 0,
    "av_offset": 0.0,
    "color_primaries": "bt709",
    "color_transfer": "bt709",
    "color_matrix": "bt709",
    "color_range": "tv",
}


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return film(tmp_path / "a.mp4", pictures(25), tags=(1, 1, 1, 1), beep_at=0.1)


def test_a_right_file_passes_every_check(good: Path) -> None:
    found = certify(good, RIGHT)
    assert found["ok"], found
    assert [check["name"] for check in found["checks"]] == ["readable", *RIGHT]
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("frame_count", 26),
        ("duration", F(1001, 1000)),
        ("fps", "30000/1001"),
        ("width", 65),
        ("sar", "4/3"),
        ("codec", "hevc"),
        ("audio_streams", 2),
        ("chapters", 1),
        ("av_offset", 0.1),
        ("color_matrix", "bt2020nc"),
        ("color_range", "pc"),
    ],
)
def test_one_wrong_thing_fails_exactly_its_check(good: Path, name: str, wrong: object) -> None:
    found = certify(good, {**RIGHT, name: wrong})
    assert not found["ok"]
    assert [check["name"] for check in found["checks"] if not check["ok"]] == [name]


def test_fractions_are_written_as_n_over_d(good: Path) -> None:
    assert certify(good, {"fps": F(25)})["checks"][1] == {
        "name": "fps",
        "expected": "25/1",
        "found": "25/1",
        "ok": True,
    }


def test_none_is_not_checked(good: Path) -> None:
    assert [check["name"] for check in certify(good, {"av_offset": None})["checks"]] == ["readable"]


def test_unspecified_range_means_limited(good: Path) -> None:
    assert certify(good, {"color_range": ""})["ok"]


def test_missing_sound_fails_its_offset(tmp_path: Path) -> None:
    assert not certify(film(tmp_path / "a.mp4", pictures(2)), {"av_offset": 0.0})["ok"]


def test_a_file_that_cannot_be_read_fails_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    found = certify(tmp_path / "a.mp4", RIGHT)
    assert not found["ok"]
    assert "0 bytes" in found["checks"][0]["found"]


def test_an_unknown_expectation_is_a_mistake_of_the_caller(good: Path) -> None:
    with pytest.raises(ValueError, match="sharpness"):
        certify(good, {"sharpness": 1})
