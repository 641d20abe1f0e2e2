"""A part of a finished film is drawn anew: frames inside are new, all others are the same to the last bit."""

from __future__ import annotations

import json
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import segments as segments_module
from engine.config import RenderOptions
from engine.errors import BadOptionsError, EngineError
from engine.redraw import begin_redraw, plan_redraw
from engine.render import RenderResult, render_video
from engine.watch import ready_parts
from tests.engine.footage import BlendModel, BlendPair, Picture, decoded, shot, write_video


class OtherModel(BlendModel):
    """Draws new frames in negative, so that every one of them is known as its work."""

    def pair(self, img0: Picture, img1: Picture) -> BlendPair:
        super().pair(img0, img1)
        return Negative(self, img0, img1)


class Negative(BlendPair):
    def at(self, t: float | F) -> Picture:
        return 255 - super().at(t)


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments_module, "SEGMENT_FRAMES", 8)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 frames at 10 fps with sound: at twice the rate five segments of 0.4 seconds."""
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", shot(1, 20), sound=True)


def render(source: Path, folder: Path, model: BlendModel | None = None, **given: Any) -> RenderResult:
    options = RenderOptions(**{"held_out": False, **given})
    return render_video(source, folder, options, model or BlendModel(), on_progress=None)


def redraw(base: Path, folder: Path, begin: F, end: F) -> None:
    folder.mkdir()
    begin_redraw(plan_redraw(base, begin, end), base, folder)


def changed(before: Path, after: Path) -> list[int]:
    """Numbers of the frames that differ in any bit; the times must not."""
    old, new = decoded(before), decoded(after)
    assert [time for time, _ in old] == [time for time, _ in new]
    return [n for n, ((_, a), (_, b)) in enumerate(zip(old, new, strict=True)) if not np.array_equal(a, b)]


def test_frames_outside_the_range_are_identical_and_inside_new(clip: Path, tmp_path: Path) -> None:
    base = render(clip, tmp_path / "base")
    redraw(tmp_path / "base", tmp_path / "new", F("0.5"), F("1.1"))
    model = OtherModel("other")
    result = render(clip, tmp_path / "new", model)
    new = changed(base.master, result.master)
    assert set(range(9, 24, 2)) <= set(new) <= set(range(8, 24))
    assert len(model.times) == 8
    assert result.certificate["ok"], result.certificate
    assert result.metrics["redrawn"] == {"start": 0.4, "end": 1.2, "segments": 2, "of": 5}
    assert result.metrics["frames"] == base.metrics["frames"]


def test_the_preview_and_the_parts_to_watch_are_of_the_new_film(clip: Path, tmp_path: Path) -> None:
    base = render(clip, tmp_path / "base")
    redraw(tmp_path / "base", tmp_path / "new", F(0), F("0.1"))
    assert [part.number for part in ready_parts(tmp_path / "new")] == []
    result = render(clip, tmp_path / "new", OtherModel("other"))
    assert set(range(1, 8, 2)) <= set(changed(base.preview, result.preview)) <= set(range(8))
    assert len(ready_parts(tmp_path / "new")) == 5


def test_a_crash_in_between_costs_nothing_that_was_kept(clip: Path, tmp_path: Path) -> None:
    base = render(clip, tmp_path / "base")
    redraw(tmp_path / "base", tmp_path / "new", F("0.5"), F("0.6"))
    for path in (tmp_path / "base").rglob("*"):
        if path.is_file():
            path.unlink()
    model = OtherModel("other")
    first = render(clip, tmp_path / "new", model)
    again = render(clip, tmp_path / "new", second := OtherModel("other"))
    assert (len(model.times), second.times) == (4, [])
    assert changed(first.master, again.master) == []
    assert base.metrics["frames"] == again.metrics["frames"]


def test_a_film_that_was_redrawn_can_be_redrawn_once_more(clip: Path, tmp_path: Path) -> None:
    render(clip, tmp_path / "a")
    redraw(tmp_path / "a", tmp_path / "b", F(0), F("0.1"))
    second = render(clip, tmp_path / "b", OtherModel("other"))
    redraw(tmp_path / "b", tmp_path / "c", F("1.7"), F("1.8"))
    third = render(clip, tmp_path / "c", OtherModel("third"))
    assert set(range(33, 39, 2)) <= set(changed(second.master, third.master)) <= set(range(32, 40))
    names = [path.name for path, _ in third.frames]
    assert len(set(names)) == len(names) == len(second.frames)
    assert all(path.is_file() for path, _ in third.frames)


def test_another_policy_at_cuts_can_be_chosen_for_a_part(tmp_path: Path) -> None:
    source = write_video(tmp_path / "cut.mp4", shot(3, 8) + shot(4, 8))
    base = render(source, tmp_path / "base")
    redraw(tmp_path / "base", tmp_path / "new", F("0.7"), F("0.75"))
    result = render(source, tmp_path / "new", cut="crossfade")
    assert 15 in changed(base.master, result.master)
    assert result.certificate["ok"], result.certificate


def test_repeated_frames_can_be_retimed_in_a_part(tmp_path: Path) -> None:
    twos = [frame for frame in shot(5, 12) for _ in range(2)]
    source = write_video(tmp_path / "twos.mp4", twos)
    base = render(source, tmp_path / "base")
    redraw(tmp_path / "base", tmp_path / "new", F("0.9"), F("1.5"))
    result = render(source, tmp_path / "new", duplicates="retime")
    inside = changed(base.master, result.master)
    assert len(inside) > 4
    assert min(inside) >= 16 and max(inside) < 32
    assert result.certificate["ok"], result.certificate


def test_settings_that_move_frames_are_refused_for_a_part(tmp_path: Path) -> None:
    source = write_video(tmp_path / "twos.mp4", [frame for frame in shot(5, 12) for _ in range(2)])
    render(source, tmp_path / "base")
    redraw(tmp_path / "base", tmp_path / "new", F("0.9"), F("1.5"))
    with pytest.raises(BadOptionsError, match="shown at other times"):
        render(source, tmp_path / "new", duplicates="drop")


@pytest.mark.parametrize(("begin", "end"), [(F(2), F(3)), (F(1), F(1)), (F(1), F("0.5"))])
def test_a_range_without_frames_is_refused(clip: Path, tmp_path: Path, begin: F, end: F) -> None:
    render(clip, tmp_path)
    with pytest.raises(
        BadOptionsError, match=r"there is nothing to draw\. Choose a part of the film, which lasts 0:02.00"
    ):
        plan_redraw(tmp_path, begin, end)


@pytest.mark.parametrize("lost", ["seg_00002.json", "seg_00002.mp4", "seg_00005.json", "*"])
def test_without_all_segments_it_is_said_that_they_are_not_kept_any_more(clip: Path, tmp_path: Path, lost: str) -> None:
    render(clip, tmp_path / "base")
    for path in (tmp_path / "base" / "segments").glob(lost):
        path.unlink()
    if lost == "seg_00005.json":  # the end of the film is missing, which the segments alone do not tell
        assert plan_redraw(tmp_path / "base", F(0), F("0.1")).pieces[-1].end == F("1.6")
        return
    with pytest.raises(EngineError, match="not kept any more"):
        redraw(tmp_path / "base", tmp_path / "new", F(0), F("0.1"))


def test_a_kept_segment_that_is_damaged_is_not_drawn_with_other_settings(clip: Path, tmp_path: Path) -> None:
    render(clip, tmp_path / "base")
    redraw(tmp_path / "base", tmp_path / "new", F(0), F("0.1"))
    segment = tmp_path / "new" / "segments" / "seg_00003.mp4"
    data = bytearray(segment.read_bytes())
    data[-100] ^= 255
    segment.unlink()
    segment.write_bytes(data)
    with pytest.raises(EngineError, match="Part 3 of the film, which was to be kept, is damaged or gone"):
        render(clip, tmp_path / "new", OtherModel("other"))


def test_what_is_kept_takes_no_room_a_second_time(clip: Path, tmp_path: Path) -> None:
    render(clip, tmp_path / "base")
    redraw(tmp_path / "base", tmp_path / "new", F(0), F("0.1"))
    for name in ("segments/seg_00002.mp4", "watch/00002.mp4"):
        assert (tmp_path / "new" / name).samefile(tmp_path / "base" / name)
    plan = json.loads((tmp_path / "new" / "redraw.json").read_text())
    assert [bool(entry["fingerprint"]) for entry in plan] == [False, True, True, True, True]


def test_held_out_figures_are_of_the_part_that_was_drawn(clip: Path, tmp_path: Path) -> None:
    render(clip, tmp_path / "base")
    redraw(tmp_path / "base", tmp_path / "new", F("0.4"), F("1.2"))
    figures = render(clip, tmp_path / "new", OtherModel("other"), held_out=True).metrics["held_out"]
    assert figures["samples"] and all(0.4 <= sample["time"] < 1.2 for sample in figures["samples"])
