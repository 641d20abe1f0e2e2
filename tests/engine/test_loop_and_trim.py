"""A loop goes on from the last frame to the first; trimming uses a part of the source, cut exactly at frames."""

from __future__ import annotations

import json
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import segments as segments_module
from engine.config import RenderOptions
from engine.errors import BadInputError, BadOptionsError
from engine.metrics import blend, psnr
from engine.pictures import write_picture
from engine.render import RenderResult, render_pictures, render_video
from engine.timeline import plan
from engine.video import probe
from tests.engine.clips import beep, film, pictures
from tests.engine.footage import BlendModel, Picture, decoded, shot, write_video


def render(source: Path, folder: Path, model: BlendModel | None = None, **given: Any) -> RenderResult:
    options = RenderOptions(**{"crf": 0, "held_out": False, **given})
    return render_video(source, folder, options, model or BlendModel())


def there_and_back(seed: int, count: int) -> list[Picture]:
    """A view that pans one way and back, so that the last frame is one step from the first."""
    way = shot(seed, count)
    return [*way, *way[-2:0:-1]]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 frames at 10 fps, a key frame every 10; a cut at frame 20; sound."""
    frames = shot(1, 20) + shot(2, 20)
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return film(path, frames, rate=10, options={"crf": "1", "g": "10"}, beep_at=2.5, sound_seconds=4.0)


@pytest.mark.parametrize(
    ("given", "count", "last"),
    [
        ({"inbetween": 3}, 40, [(9, F(1, 4)), (9, F(1, 2)), (9, F(3, 4))]),
        ({"mode": "slow", "inbetween": 3}, 40, [(9, F(1, 4)), (9, F(1, 2)), (9, F(3, 4))]),
        ({"mode": "fps", "target_fps": F(25)}, 25, [(8, F(4, 5)), (9, F(1, 5)), (9, F(3, 5))]),
    ],
)
def test_a_loop_fills_the_time_of_the_last_frame_with_the_way_back(
    given: dict[str, Any], count: int, last: list[tuple[int, F]]
) -> None:
    timeline = plan([F(n, 10) for n in range(10)], F(1), RenderOptions(loop=True, **given))
    assert len(timeline) == count
    assert timeline.duration == (4 if timeline.stretch == 4 else 1)
    assert [(frame.left, frame.t) for frame in timeline][-3:] == last


def test_in_a_loop_the_last_pictures_lie_between_the_last_frame_and_the_first(tmp_path: Path) -> None:
    source = film(tmp_path / "loop.mp4", there_and_back(3, 6), rate=10, options={"crf": "1"})
    model = BlendModel()
    result = render(source, tmp_path / "out", model, loop=True, inbetween=3)
    original, drawn = [rgb for _, rgb in decoded(source)], [rgb for _, rgb in decoded(result.master)]
    assert len(drawn) == 40
    assert len(model.times) == 30
    for step in (1, 2, 3):
        assert psnr(drawn[36 + step], blend(original[9], original[0], step / 4)) > 45
    assert result.metrics["frames"] == {"source": 10, "output": 40, "new": 30, "held": 0}
    assert result.certificate["ok"], result.certificate


def test_a_loop_in_many_segments_is_the_loop_in_one_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = film(tmp_path / "loop.mp4", there_and_back(3, 6), rate=10, options={"crf": "1"})
    whole = decoded(render(source, tmp_path / "whole", loop=True, inbetween=2).master)
    monkeypatch.setattr(segments_module, "SEGMENT_FRAMES", 7)
    parts = decoded(render(source, tmp_path / "parts", loop=True, inbetween=2).master)
    assert len(list((tmp_path / "parts" / "segments").glob("*.json"))) >= 4
    assert [time for time, _ in parts] == [time for time, _ in whole]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(parts, whole, strict=True))


def test_where_the_end_is_unlike_the_beginning_a_loop_is_cut_and_nothing_is_drawn(clip: Path, tmp_path: Path) -> None:
    model = BlendModel()
    result = render(clip, tmp_path / "held", model, loop=True, inbetween=3)
    assert len(model.times) == 3 * 38
    first, last = decoded(clip)[0][1], decoded(clip)[-1][1]
    drawn = [rgb for _, rgb in decoded(result.master)]
    assert [psnr(rgb, last) > 40 for rgb in drawn[-4:]] == [True, True, True, False]
    assert psnr(drawn[-1], first) > 40
    faded = [
        rgb for _, rgb in decoded(render(clip, tmp_path / "faded", loop=True, cut="crossfade", inbetween=3).master)
    ]
    assert psnr(faded[-2], blend(last, first, 0.5)) > 40


def test_two_pictures_in_a_loop_go_there_and_back(tmp_path: Path) -> None:
    paths = [write_picture(tmp_path / f"{seed}.png", shot(seed, 1)[0]) for seed in (1, 2)]
    model = BlendModel()
    options = RenderOptions(crf=0, inbetween=3, loop=True, mode="fps", target_fps=F(20))
    result = render_pictures(*paths, tmp_path / "out", options, model)
    drawn = decoded(result.master)
    assert [time for time, _ in drawn] == [F(index, 20) for index in range(8)]
    assert all(psnr(drawn[4 + step][1], drawn[4 - step][1]) > 50 for step in (1, 2, 3))
    assert len(model.times) == len(result.frames) == 3
    assert result.metrics["frames"] == {"source": 2, "output": 8, "new": 3, "held": 3}
    assert result.certificate["ok"], result.certificate
    assert [time for time, _ in decoded(result.preview)] == [F(index, 4) for index in range(8)]


@pytest.mark.parametrize(
    ("trim", "frames"),
    [
        ({"trim_start": F(1)}, range(10, 40)),
        ({"trim_end": F(12, 10)}, range(12)),
        ({"trim_start": F(7, 10), "trim_end": F(31, 10)}, range(7, 31)),
        ({"trim_start": F(65, 100), "trim_end": F(305, 100)}, range(7, 31)),  # between frames: the next one
        ({"trim_start": "0:02", "trim_end": 99}, range(20, 40)),
    ],
)
def test_the_part_between_the_two_times_is_used_and_begins_at_0(
    clip: Path, tmp_path: Path, trim: dict[str, Any], frames: range
) -> None:
    result = render(clip, tmp_path, **trim)
    original, drawn = decoded(clip), decoded(result.master)
    assert [time for time, _ in drawn] == [F(index, 20) for index in range(2 * len(frames))]
    assert all(psnr(drawn[2 * place][1], original[number][1]) > 40 for place, number in enumerate(frames))
    assert result.metrics["frames"]["source"] == len(frames)
    assert result.metrics["cuts"] == [2.0 - frames.start / 10] * (frames.start < 20 < frames.stop)
    assert probe(result.master).duration == F(len(frames), 10)
    assert result.certificate["ok"], result.certificate


def test_the_sound_and_the_preview_of_the_source_are_cut_with_it(clip: Path, tmp_path: Path) -> None:
    result = render(clip, tmp_path, trim_start=F(15, 10), trim_end=F(35, 10))
    assert beep(result.master) == pytest.approx(1.0, abs=0.003)
    assert result.source_preview is not None
    preview = decoded(result.source_preview)
    assert [time for time, _ in preview] == [F(index, 10) for index in range(20)]
    assert psnr(preview[0][1], decoded(clip)[15][1]) > 30
    assert beep(result.source_preview) == pytest.approx(1.0, abs=0.003)
    assert abs(probe(result.master).audio[0]["duration"] - 2) < 0.03


def test_only_the_needed_part_is_decoded(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine import analysis

    asked, read_frames = list[dict[str, Any]](), analysis.read_frames
    monkeypatch.setattr(analysis, "read_frames", lambda *a, **given: asked.append(given) or read_frames(*a, **given))
    render(clip, tmp_path, trim_start=F(3), trim_end=F(35, 10))
    assert [(given["start"], given["stop"]) for given in asked] == [(3, F(35, 10))]
    assert len(json.loads((tmp_path / "analysis.json").read_text())["pts"]) == 5


def test_another_part_is_read_and_drawn_anew(clip: Path, tmp_path: Path) -> None:
    render(clip, tmp_path, trim_end=F(1))
    model = BlendModel()
    render(clip, tmp_path, model, trim_start=F(1), trim_end=F(2))
    assert len(model.times) == 9
    again = BlendModel()
    render(clip, tmp_path, again, trim_start=F(1), trim_end=F(2))
    assert again.times == []


def test_a_variable_rate_keeps_its_timing_in_the_part(tmp_path: Path) -> None:
    shown = [F(0), F(1, 10), F(4, 10), F(5, 10), F(9, 10)]
    source = write_video(tmp_path / "vfr.mp4", shot(2, 5), fps=F(5), times=shown, end=F(1))
    result = render(source, tmp_path / "out", trim_start=F(1, 10), trim_end=F(9, 10))
    assert [time for time, _ in decoded(result.master)] == [0, F(3, 20), F(3, 10), F(7, 20), F(4, 10), F(6, 10)]
    assert probe(result.master).duration == F(8, 10)


@pytest.mark.parametrize(
    ("trim", "words"),
    [
        ({"trim_start": F(4)}, r"begins at 4 s, but the video is 4 s long"),
        ({"trim_start": F(1, 100), "trim_end": F(9, 100)}, r"No frame of the video lies between 0.01 s and 0.09 s"),
        ({"trim_start": F(39, 10)}, r"Only one frame of the video lies between 3.9 s and 4 s"),
        ({"trim_end": F(1, 10)}, r"Only one frame of the video lies between 0 s and 0.1 s"),
    ],
)
def test_a_part_with_less_than_two_frames_is_refused_in_words(
    clip: Path, tmp_path: Path, trim: dict[str, F], words: str
) -> None:
    with pytest.raises(BadInputError, match=words):
        render(clip, tmp_path, **trim)


def test_an_end_before_the_start_is_refused_at_once() -> None:
    with pytest.raises(BadOptionsError, match="lies before its start"):
        RenderOptions(trim_start=F(3), trim_end=F(3))


def test_a_loop_of_a_part_goes_back_to_the_first_frame_of_the_part(tmp_path: Path) -> None:
    frames = pictures(4) + there_and_back(3, 6) + pictures(4, seed=5)
    source = film(tmp_path / "loop.mp4", frames, rate=10, options={"crf": "1"})
    result = render(source, tmp_path / "out", trim_start=F(4, 10), trim_end=F(14, 10), loop=True)
    original, drawn = decoded(source), decoded(result.master)
    assert len(drawn) == 20
    assert psnr(drawn[19][1], blend(original[13][1], original[4][1], 0.5)) > 40
