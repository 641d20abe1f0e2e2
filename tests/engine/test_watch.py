"""Finished segments can be watched while the rest is drawn, and make up the preview at the end."""

from __future__ import annotations

import time
from fractions import Fraction as F
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from engine import segments as segments_module
from engine.config import RenderOptions
from engine.errors import StoppedError
from engine.render import Progress, RenderResult, render_video
from engine.video import probe
from engine.watch import part_path, ready_parts
from tests.engine.footage import BlendModel, decoded, shot, write_video


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments_module, "SEGMENT_FRAMES", 8)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 frames at 10 fps, 64x48, with sound: three segments of 8 frames each at twice the rate."""
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", shot(1, 12), sound=True)


def render(source: Path, folder: Path, **given: Any) -> RenderResult:
    names = RenderOptions.__dataclass_fields__
    settings = {name: given.pop(name) for name in list(given) if name in names}
    options = RenderOptions(**{"held_out": False, **settings})
    return render_video(source, folder, options, BlendModel(), **given)


def test_parts_become_ready_one_after_the_other_while_the_rest_is_drawn(clip: Path, tmp_path: Path) -> None:
    seen = list[tuple[int, int]]()

    def look(progress: Progress) -> None:
        if progress.stage == "interpolating":
            if progress.frames_done == 20:  # in the third segment: wait for what the thread makes of the first two
                for _ in range(500):
                    if len(ready_parts(tmp_path)) == 2:
                        break
                    time.sleep(0.02)
            seen.append((progress.frames_done, len(ready_parts(tmp_path))))

    render(clip, tmp_path, on_progress=look)
    counts = [count for _, count in seen]
    assert counts == sorted(counts)
    assert (20, 2) in seen
    assert [(part.number, part.start, part.end) for part in ready_parts(tmp_path)] == [
        (1, F(0), F(2, 5)),
        (2, F(2, 5), F(4, 5)),
        (3, F(4, 5), F(6, 5)),
    ]
    assert [part.number for part in ready_parts(tmp_path, after=2)] == [3]


def test_every_part_is_a_film_that_browsers_play_of_exactly_its_own_frames(clip: Path, tmp_path: Path) -> None:
    result = render(clip, tmp_path, crf=0)
    master = [rgb for _, rgb in decoded(result.master)]
    for part in ready_parts(tmp_path):
        info, frames = probe(part.path), decoded(part.path)
        assert (info.codec, info.frame_count, info.duration) == ("h264", 8, part.end - part.start)
        assert [at for at, _ in frames] == [F(index, 20) for index in range(8)]
        for at, rgb in frames:
            whole = master[round((part.start + at) * 20)]
            assert np.abs(rgb.astype(int) - whole.astype(int)).mean() < 8


@pytest.mark.parametrize(
    "given",
    [{}, {"mode": "slow", "inbetween": 2}, {"mode": "fps", "target_fps": F(25)}, {"format": "webp"}],
    ids=lambda given: "-".join(map(str, given.values())) or "smooth",
)
def test_the_preview_is_the_parts_joined_with_the_times_of_the_whole_film(
    clip: Path, tmp_path: Path, given: dict[str, Any]
) -> None:
    result = render(clip, tmp_path, **given)
    shown = decoded(result.preview)
    assert len(shown) == result.metrics["frames"]["output"]
    times, steps = [at for at, _ in shown], {b - a for (a, _), (b, _) in pairwise(shown)}
    assert (times[0], len(steps)) == (0, 1)
    parts = ready_parts(tmp_path)
    assert sum(probe(part.path).frame_count for part in parts) == len(shown)
    assert all(before.end == after.start for before, after in pairwise(parts))


def test_the_preview_has_the_sound_of_the_film(clip: Path, tmp_path: Path) -> None:
    with av.open(str(render(clip, tmp_path).preview)) as film:
        assert [stream.type for stream in film.streams] == ["video", "audio"]


def test_timing_that_varies_is_kept_across_parts(tmp_path: Path) -> None:
    shown = [F(0), F(1, 10), F(4, 10), F(5, 10), F(9, 10), F(1), F(12, 10), F(13, 10)]
    source = write_video(tmp_path / "vfr.mp4", shot(2, 8), fps=F(5), times=shown, end=F(2))
    result = render(source, tmp_path / "out")
    assert len(ready_parts(tmp_path / "out")) == 2
    assert [at for at, _ in decoded(result.preview)] == [at for at, _ in decoded(result.master)]


def test_a_stopped_render_keeps_its_parts_and_a_second_call_makes_only_the_rest(clip: Path, tmp_path: Path) -> None:
    seen = list[Progress]()
    with pytest.raises(StoppedError):
        render(clip, tmp_path, on_progress=seen.append, should_stop=lambda: bool(seen) and seen[-1].stage == "joining")
    before = {part.path: part.path.stat().st_mtime_ns for part in ready_parts(tmp_path)}
    render(clip, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(ready_parts(tmp_path)) == 3


def test_other_settings_make_other_parts_and_remove_those_that_are_left_over(clip: Path, tmp_path: Path) -> None:
    render(clip, tmp_path, mode="slow", inbetween=3)
    many = len(ready_parts(tmp_path))
    render(clip, tmp_path)
    assert many > len(ready_parts(tmp_path)) == 3
    assert not part_path(tmp_path, many).exists()
    assert probe(part_path(tmp_path, 1)).fps == 20


def test_parts_after_a_gap_are_not_ready(clip: Path, tmp_path: Path) -> None:
    render(clip, tmp_path)
    part_path(tmp_path, 2).with_suffix(".json").unlink()
    assert [part.number for part in ready_parts(tmp_path)] == [1]
    assert ready_parts(tmp_path / "nowhere") == []
