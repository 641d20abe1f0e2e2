"""The usual conversions of rates, from file to file: frame k is shown at k / rate, source frames stay put."""

from __future__ import annotations

from fractions import Fraction as F
from pathlib import Path

import av
import numpy as np
import pytest

from engine.config import RenderOptions, parse_fps
from engine.render import render_video
from engine.video import probe

from .footage import BlendModel
from .planes import BT709_TV, decoded_frames, moving_planes, plane_film, planes_of
from .streams import Voice, beeps, film_with

COUNT = 12
SOUND_FRAME = 1024 / 48_000  # seconds


def planes_film(path: Path, rate: F) -> Path:
    frames = moving_planes(COUNT, "yuv420p")
    return plane_film(path, frames, "yuv420p", codec="libx264", tags=BT709_TV, options={"qp": "0"}, rate=rate)


@pytest.mark.parametrize(
    ("rate", "target"),
    [("24", "60"), ("23.976", "59.94"), ("25", "30"), ("29.97", "60"), ("30", "24"), ("25", "50"), ("23.976", "24")],
)
def test_frames_and_times_are_exact_and_source_frames_untouched(tmp_path: Path, rate: str, target: str) -> None:
    fps, wanted = parse_fps(rate), parse_fps(target)
    source = planes_film(tmp_path / "a.mp4", fps)
    options = RenderOptions(mode="fps", target_fps=wanted, crf=0, held_out=False)
    result = render_video(source, tmp_path / "out", options, BlendModel())
    count = int(COUNT / fps * wanted + F(1, 2))
    info, found = probe(result.master), decoded_frames(result.master)
    assert (info.fps, info.is_vfr, info.frame_count, len(found)) == (wanted, False, count, count)
    assert [frame.pts * frame.time_base for frame in found] == [k / wanted for k in range(count)]
    assert abs(info.duration - COUNT / fps) <= 1 / wanted / 2
    originals = [planes_of(frame) for frame in decoded_frames(source)]
    untouched = [k for k in range(count) if k * fps / wanted == int(k * fps / wanted) < COUNT]
    assert untouched[0] == 0 and (len(untouched) > 1 or rate in ("29.97", "23.976"))
    for k in untouched:
        pairs = zip(planes_of(found[k]), originals[int(k * fps / wanted)], strict=True)
        assert all(np.array_equal(drawn, original) for drawn, original in pairs)
    between = [k for k in range(count) if k not in untouched and k * fps / wanted < COUNT - 1]
    assert not any(np.array_equal(planes_of(found[k])[0], planes[0]) for k in between for planes in originals)
    assert result.certificate["ok"], result.certificate


@pytest.mark.parametrize(("fps", "target"), [(24, "60"), (25, "30")])
def test_sound_stays_where_it_was(tmp_path: Path, fps: int, target: str) -> None:
    source = film_with(tmp_path / "a.mp4", Voice((0.5, 2.25), seconds=3), seconds=3, fps=fps)
    options = RenderOptions(mode="fps", target_fps=parse_fps(target), held_out=False)
    master = render_video(source, tmp_path / "out", options, BlendModel()).master
    assert beeps(master) == pytest.approx(beeps(source), abs=1 / 48_000)
    with av.open(str(master)) as film:
        assert abs(film.streams.audio[0].duration * film.streams.audio[0].time_base - 3) <= 2 * SOUND_FRAME
