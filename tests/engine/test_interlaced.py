"""Interlaced video: found by looking, made whole at its own times, left alone where it is not or is not wanted."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engine import segments as segments_module
from engine.config import RenderOptions
from engine.metrics import psnr
from engine.render import RenderResult, render_video
from engine.video import Reading, probe, read_frames

from .clips import film
from .footage import BlendModel, decoded

Picture = NDArray[np.uint8]
DONE = "De-interlaced: one whole frame for each, at its time (bwdif)."


def moving(count: int, speed: int = 3, size: tuple[int, int] = (160, 96)) -> list[Picture]:
    """Soft grey blobs that move `speed` pixels a frame; grey, since chroma of interlaced 4:2:0 is another matter."""
    width, height = size
    noise = np.random.default_rng(5).integers(0, 255, (height, width + count * speed, 1), dtype=np.uint8)
    ground = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 20, 235, cv2.NORM_MINMAX)
    wide = np.repeat(ground[..., None], 3, axis=2)
    return [np.ascontiguousarray(wide[:, speed * n : speed * n + width]) for n in range(count)]


def woven(moments: Sequence[Picture], order: str) -> list[Picture]:
    """Two moments in each frame: even lines are the top field."""
    frames = []
    for first, second in zip(moments[::2], moments[1::2], strict=True):
        top, bottom = (first, second) if order == "tff" else (second, first)
        frame = bottom.copy()
        frame[::2] = top[::2]
        frames.append(frame)
    return frames


def clip(path: Path, order: str, *, flag: str | None, count: int = 16, **given: Any) -> Path:
    options = {"crf": "1", "g": "4"} | ({"x264-params": f"{flag}=1"} if flag else {})
    return film(path, woven(moving(2 * count), order), options=options, **given)


def render(source: Path, folder: Path, **settings: Any) -> RenderResult:
    options = RenderOptions(**{"held_out": False, "crf": 0, **settings})
    return render_video(source, folder, options, BlendModel())


@pytest.mark.parametrize("order", ["tff", "bff"])
@pytest.mark.parametrize("flag", ["tff", "bff", None])
def test_the_order_of_the_fields_is_that_of_the_pictures_whatever_the_file_says(
    tmp_path: Path, order: str, flag: str | None
) -> None:
    info = probe(clip(tmp_path / "a.mp4", order, flag=flag))
    assert (info.interlaced, info.field_order) == (True, order)
    words = {"tff": "top field first", "bff": "bottom field first"}
    assert info.notes[0].startswith(f"The video is interlaced, {words[order]}: so say 16 of 16 frames looked at")
    ending = {order: ".", None: ". The file itself does not say so."}.get(
        flag, f"; the file says {words[flag or order]}."
    )
    assert info.notes[0].endswith(f"frames looked at{ending}")


def test_film_with_pulldown_is_said_to_be_so(tmp_path: Path) -> None:
    """Four frames of film A B C D in five of video: AA BB BC CD DD."""
    shots, fields = moving(24, speed=5), list[Picture]()
    for n in range(0, 24, 4):
        a, b, c, d = shots[n : n + 4]
        fields += [a, a, b, b, b, c, c, d, d, d]
    source = film(tmp_path / "a.mp4", woven(fields, "tff"), options={"crf": "1", "x264-params": "tff=1"})
    info = probe(source)
    assert (info.interlaced, info.field_order) == (True, "tff")
    assert "(3:2 pulldown)" in info.notes[0]
    assert not any("pulldown" in note for note in probe(clip(tmp_path / "b.mp4", "tff", flag="tff")).notes)


def test_a_progressive_film_flagged_interlaced_is_read_as_it_is(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", moving(12), options={"crf": "1", "x264-params": "tff=1"})
    info = probe(source)
    assert (info.interlaced, info.field_order) == (False, "progressive")
    assert info.notes == ["The file says that it is interlaced, but its pictures are whole: read as they are."]
    original = [rgb for _, rgb in decoded(source)]
    result = [rgb for _, rgb in decoded(render(source, tmp_path / "out").master)]
    assert all(np.array_equal(rgb, truth) for rgb, truth in zip(result[::2], original, strict=True))


def test_a_still_film_is_believed(tmp_path: Path) -> None:
    info = probe(film(tmp_path / "a.mp4", moving(1) * 8, options={"x264-params": "bff=1"}))
    assert (info.interlaced, info.field_order) == (True, "bff")
    assert info.notes == [
        "The file says that it is interlaced, bottom field first. Its pictures hardly move where they were looked at, "
        "so that was believed."
    ]


def test_an_ordinary_film_has_no_note(tmp_path: Path) -> None:
    info = probe(film(tmp_path / "a.mp4", moving(12)))
    assert (info.interlaced, info.field_order, info.notes) == (False, "progressive", [])


def test_a_film_that_begins_still_is_looked_at_further_on(tmp_path: Path) -> None:
    moments = moving(1) * 120 + moving(80)
    info = probe(film(tmp_path / "a.mp4", woven(moments, "bff"), options={"crf": "1", "g": "10"}))
    assert (info.interlaced, info.field_order) == (True, "bff")


@pytest.mark.parametrize("order", ["tff", "bff"])
def test_a_deinterlaced_film_has_its_frames_at_their_times_and_no_combs(tmp_path: Path, order: str) -> None:
    source = clip(tmp_path / "a.mp4", order, flag=order)
    result = render(source, tmp_path / "out")
    frames = decoded(result.master)
    assert [time for time, _ in frames] == [F(number, 50) for number in range(32)]
    assert DONE in result.metrics["notes"]
    assert result.certificate["ok"], result.certificate
    truth, combed = moving(32)[::2], [rgb for _, rgb in decoded(source)]
    for number in range(1, 15):
        whole = frames[2 * number][1]
        assert psnr(whole, truth[number]) > psnr(combed[number], truth[number]) + 6
        assert psnr(whole, truth[number]) > 30


def test_the_lines_of_the_first_field_are_untouched(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", "bff", flag="bff")
    combed = [rgb for _, rgb in decoded(source)]
    whole = [rgb for _, rgb in decoded(render(source, tmp_path / "out").master)][::2]
    assert all(np.array_equal(a[1::2], b[1::2]) for a, b in zip(combed, whole, strict=True))


def test_off_leaves_the_frames_as_they_are_and_says_so(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", "tff", flag="tff")
    result = render(source, tmp_path / "out", deinterlace="off")
    combed, written = [rgb for _, rgb in decoded(source)], [rgb for _, rgb in decoded(result.master)]
    assert all(np.array_equal(a, b) for a, b in zip(combed, written[::2], strict=True))
    assert "The video is interlaced and was left so, as asked: comb edges show on motion." in result.metrics["notes"]


def test_every_part_is_deinterlaced_as_in_one_go(tmp_path: Path) -> None:
    source, how = clip(tmp_path / "a.mp4", "tff", flag="tff", count=60), Reading(fields="tff")
    info = probe(source)
    whole = list(read_frames(source, info=info, reading=how))
    assert [frame.pts for frame in whole] == [F(number, 25) for number in range(60)]
    for first, last in ((0, 3), (4, 9), (30, 34), (59, 60)):
        part = list(read_frames(source, start=F(first, 25), stop=F(last, 25), info=info, reading=how))
        assert [frame.pts for frame in part] == [F(number, 25) for number in range(first, last)]
        assert all(np.array_equal(a.rgb, b.rgb) for a, b in zip(part, whole[first:last], strict=True))


def test_segments_of_a_deinterlaced_film_join_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = clip(tmp_path / "a.mp4", "tff", flag="tff")
    whole = decoded(render(source, tmp_path / "whole").master)
    monkeypatch.setattr(segments_module, "SEGMENT_FRAMES", 6)
    parts = decoded(render(source, tmp_path / "parts").master)
    assert len(list((tmp_path / "parts" / "segments").glob("*.mp4"))) >= 4
    assert [time for time, _ in parts] == [time for time, _ in whole]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(parts, whole, strict=True))


def test_a_single_interlaced_frame_and_two_are_read(tmp_path: Path) -> None:
    for count in (1, 2):
        source = clip(tmp_path / f"{count}.mp4", "tff", flag="tff", count=count)
        frames = list(read_frames(source, reading=Reading(fields="tff")))
        assert [frame.pts for frame in frames] == [F(number, 25) for number in range(count)]
