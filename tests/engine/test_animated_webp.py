"""Animated WebP is read like a video, with its own times."""

from __future__ import annotations

from fractions import Fraction as F
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.errors import BadInputError
from engine.media_types import ANIMATED_WEBP, WEBP, Limits, sniff
from engine.video import frame_times, probe, read_frames

from .clips import pictures


def webp(path: Path, frames: list[np.ndarray], durations: list[int] | int) -> Path:
    """durations: milliseconds."""
    first, *rest = (Image.fromarray(rgb) for rgb in frames)
    first.save(path, save_all=True, append_images=rest, duration=durations, lossless=True, minimize_size=False)
    return path


def test_every_frame_keeps_its_own_time(tmp_path: Path) -> None:
    path = webp(tmp_path / "a.webp", pictures(4), [100, 50, 200, 70])
    info = probe(path)
    assert sniff(path) == ANIMATED_WEBP
    assert (info.container, info.codec, info.frame_count, info.is_vfr) == ("animated WebP", "webp", 4, True)
    assert (info.width, info.height, info.duration, info.fps) == (64, 48, F(42, 100), F(400, 42))
    assert frame_times(path) == [F(0), F(1, 10), F(3, 20), F(7, 20)]
    assert [frame.pts for frame in read_frames(path)] == frame_times(path)
    assert info.notes == ["The frame rate varies; the timing of every frame is kept."]


def test_the_frames_are_those_that_were_written(tmp_path: Path) -> None:
    frames = pictures(5)
    path = webp(tmp_path / "a.webp", frames, 100)
    assert [np.array_equal(a.rgb, b) for a, b in zip(read_frames(path), frames, strict=True)] == [True] * 5
    part = list(read_frames(path, start=F(2, 10), stop=F(4, 10)))
    assert [frame.pts for frame in part] == [F(2, 10), F(3, 10)]
    assert np.array_equal(part[0].rgb, frames[2])


@pytest.mark.parametrize(("durations", "rate"), [([33, 33, 34] * 4, F(30)), ([42, 41, 42] * 4, F(24)), (40, F(25))])
def test_a_rate_that_milliseconds_cannot_say_is_found(tmp_path: Path, durations: list[int] | int, rate: F) -> None:
    info = probe(webp(tmp_path / "a.webp", pictures(12), durations))
    assert (info.fps, info.is_vfr, info.duration) == (rate, False, 12 / rate)


def test_no_time_at_all_means_a_tenth_of_a_second(tmp_path: Path) -> None:
    assert probe(webp(tmp_path / "a.webp", pictures(3), 0)).fps == 10


def test_transparent_parts_are_laid_on_black_or_kept(tmp_path: Path) -> None:
    from engine.flipbook import read_flipbook

    rgba = [np.dstack([rgb, np.full((48, 64), 255, np.uint8)]) for rgb in pictures(3)]
    for frame in rgba:
        frame[:24, :, 3] = 0
    path = webp(tmp_path / "a.webp", rgba, 100)
    assert probe(path).pix_fmt == "rgba"
    assert all(frame.rgb[:24].max() == 0 and frame.rgb[24:].max() > 0 for frame in read_frames(path))
    assert all(
        pixels[..., 3].tolist() == rgba[0][..., 3].tolist() for _, pixels in read_flipbook(path, Limits(), alpha=True)
    )


def test_opaque_pictures_are_opaque_even_where_transparent_points_stand_for_what_has_not_changed(
    tmp_path: Path,
) -> None:
    frames = [pictures(1)[0].copy() for _ in range(4)]
    for number, rgb in enumerate(frames):
        rgb[10:20, 8 + 6 * number : 18 + 6 * number] = 255
    opaque = webp(tmp_path / "a.webp", frames, 100)
    content = opaque.read_bytes()
    (tmp_path / "flag.webp").write_bytes(content[:20] + bytes([content[20] | 0x10]) + content[21:])
    assert probe(tmp_path / "flag.webp").pix_fmt == "rgb24"


def test_what_is_transparent_later_is_found(tmp_path: Path) -> None:
    rgba = [np.dstack([rgb, np.full((48, 64), 255, np.uint8)]) for rgb in pictures(3)]
    rgba[2][:24, :, 3] = 0
    assert probe(webp(tmp_path / "a.webp", rgba, 100)).pix_fmt == "rgba"


def test_a_still_webp_is_a_picture_and_no_video(tmp_path: Path) -> None:
    Image.new("RGB", (32, 32)).save(tmp_path / "a.webp")
    assert sniff(tmp_path / "a.webp") == WEBP
    with pytest.raises(BadInputError, match="WebP picture, not a video"):
        probe(tmp_path / "a.webp")


def test_a_file_that_is_cut_short_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    path = webp(tmp_path / "a.webp", pictures(6), 100)
    whole = path.read_bytes()
    at = [place for place in range(len(whole)) if whole.startswith(b"ANMF", place)]
    path.write_bytes(whole[: at[4] + 20])
    info = probe(path)
    assert info.frame_count == 4
    assert "cut short by" in info.notes[0] and "4 frames can be read" in info.notes[0]
    notices: list[str] = []
    read = list(read_frames(path, on_notice=notices.append))
    assert [frame.pts for frame in read] == [F(n, 10) for n in range(len(read))]
    assert (len(read), notices) == (4, [])
    path.write_bytes(whole[: at[0] + 20])
    with pytest.raises(BadInputError, match="no whole picture"):
        probe(path)


def test_a_size_above_the_limits_is_refused_before_decoding(tmp_path: Path) -> None:
    path = webp(tmp_path / "a.webp", pictures(2), 100)
    content = bytearray(path.read_bytes())
    at = content.index(b"VP8X") + 8
    content[at + 4 : at + 10] = b"\xff\x3f\x00\xff\x3f\x00"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match="16384x16384 pixels"):
        probe(path)


def test_too_many_frames_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="more than 2 pictures"):
        probe(webp(tmp_path / "a.webp", pictures(3), 100), Limits(max_frames=2))
