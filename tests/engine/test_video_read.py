"""Frames come out upright, in time and in order; seeking gives the same frames as reading from the start."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil
import pytest

from engine.video import frame_times, probe, read_frames

from .clips import difference, film, pictures

F = Fraction
LOSSLESS = {"codec": "ffv1", "pix_fmt": "bgr0"}


def test_a_lossless_rgb_film_is_read_exactly(tmp_path: Path) -> None:
    frames = pictures(5)
    path = film(tmp_path / "a.mkv", frames, **LOSSLESS)  # type: ignore[arg-type]
    read = list(read_frames(path))
    assert [frame.pts for frame in read] == [F(index, 25) for index in range(5)]
    assert all(np.array_equal(frame.rgb, rgb) for frame, rgb in zip(read, frames, strict=True))


@pytest.mark.parametrize(
    ("turn", "mirrored", "upright"),
    [
        (90, False, lambda rgb: np.rot90(rgb, 1)),
        (-90, False, lambda rgb: np.rot90(rgb, -1)),
        (180, False, lambda rgb: np.rot90(rgb, 2)),
        (0, True, lambda rgb: rgb[:, ::-1]),
        (90, True, lambda rgb: np.rot90(rgb[:, ::-1], -1)),
    ],
)
def test_rotation_and_mirroring_are_applied(tmp_path: Path, turn: int, mirrored: bool, upright: object) -> None:
    path = film(tmp_path / "a.mp4", pictures(1), rotation=turn, mirrored=mirrored, options={"crf": "1"})
    plain = film(tmp_path / "plain.mp4", pictures(1), options={"crf": "1"})
    stored = next(read_frames(plain)).rgb
    assert np.array_equal(next(read_frames(path)).rgb, upright(stored))  # type: ignore[operator]


def test_resolution_means_width_and_height_as_displayed(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", pictures(2), rotation=90)
    assert {frame.rgb.shape for frame in read_frames(path, resolution=(30, 20))} == {(20, 30, 3)}


@pytest.mark.parametrize("options", [{"bf": "3", "g": "8"}, {"x264-params": "open-gop=1:keyint=8:bframes=3"}])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_every_part_of_a_film_is_read_as_in_one_go(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    path = film(tmp_path / name, pictures(40), options=options)
    info, whole = probe(path), list(read_frames(path))
    assert len(whole) == 40
    for first, last in ((0, 5), (7, 8), (8, 17), (23, 31), (39, 40)):
        part = list(read_frames(path, start=F(first, 25), stop=F(last, 25), info=info))
        assert [frame.pts for frame in part] == [F(index, 25) for index in range(first, last)]
        assert all(np.array_equal(frame.rgb, whole[first + i].rgb) for i, frame in enumerate(part))


def test_a_start_between_frames_begins_with_the_next_frame(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", pictures(10))
    assert next(read_frames(path, start=F(7, 50))).pts == F(4, 25)


def test_nothing_lies_after_the_end(tmp_path: Path) -> None:
    assert list(read_frames(film(tmp_path / "a.mp4", pictures(5)), start=F(1))) == []


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.avi", "a.gif"])
def test_times_of_frames_agree_with_frame_times(tmp_path: Path, name: str) -> None:
    codecs = {"a.webm": {"codec": "libvpx"}, "a.gif": {"codec": "gif", "pix_fmt": "rgb8"}}
    path = film(tmp_path / name, pictures(13), rate=F(30000, 1001) if name != "a.gif" else 20, **codecs.get(name, {}))  # type: ignore[arg-type]
    assert [frame.pts for frame in read_frames(path)] == frame_times(path)


def test_a_variable_rate_is_read_with_its_times(tmp_path: Path) -> None:
    ticks = [0, 3000, 4500, 12000, 15003, 60000]
    path = film(tmp_path / "a.mp4", pictures(6), ticks=ticks, time_base=F(1, 90000))
    assert [frame.pts for frame in read_frames(path)] == [F(tick, 90000) for tick in ticks]


def test_odd_sizes_are_read(tmp_path: Path) -> None:
    frames = pictures(2, 53, 31)
    read = list(read_frames(film(tmp_path / "a.mkv", frames, **LOSSLESS)))  # type: ignore[arg-type]
    assert np.array_equal(read[0].rgb, frames[0])


def test_ten_bit_frames_come_as_eight_bit_rgb(tmp_path: Path) -> None:
    frames = pictures(2)
    path = film(tmp_path / "a.mkv", frames, codec="ffv1", pix_fmt="yuv444p10le")
    rgb = next(read_frames(path)).rgb
    assert rgb.dtype == np.uint8
    assert difference(rgb, frames[0]) < 1.0


def test_reading_holds_only_a_few_frames(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", pictures(4, 640, 480) * 60, options={"preset": "ultrafast", "g": "30"})
    process, seen = psutil.Process(), []
    for number, _ in enumerate(read_frames(path)):
        if number % 20 == 0:
            seen.append(process.memory_info().rss)
    assert max(seen[6:]) - max(seen[3:6]) < 20 << 20  # 240 frames would be 221 MB


def test_a_reader_that_is_left_early_lets_go_of_the_file(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", pictures(20))
    frames = read_frames(path)
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    assert not any(Path(opened.path) == path for opened in psutil.Process().open_files())
