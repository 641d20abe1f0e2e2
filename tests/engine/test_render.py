"""A video through it all, with a model that only blends: counts, times, seams, cuts, sound and figures are exact."""

from __future__ import annotations

import json
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from engine import segments as segments_module
from engine.config import RenderOptions
from engine.errors import BadInputError, NoSpaceError, StoppedError
from engine.metrics import psnr
from engine.render import STAGES, Progress, RenderResult, render_video
from engine.video import probe
from engine.writer import VideoWriter
from tests.engine.footage import BlendModel, Picture, decoded, shot, write_video


def render(source: Path, folder: Path, model: BlendModel | None = None, **given: Any) -> RenderResult:
    settings = {name: given.pop(name) for name in list(given) if name in RenderOptions.__dataclass_fields__}
    options = RenderOptions(**{"crf": 0, "held_out": False, **settings})
    return render_video(source, folder, options, model or BlendModel(), **given)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 frames at 10 fps, 64x48, with sound."""
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", shot(1, 12), sound=True)


def times(path: Path) -> list[F]:
    return [time for time, _ in decoded(path)]


def pictures(path: Path) -> list[Picture]:
    return [rgb for _, rgb in decoded(path)]


def streams(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [stream.type for stream in container.streams]


def test_smooth_doubles_the_frames_and_keeps_the_duration(clip: Path, tmp_path: Path) -> None:
    result = render(clip, tmp_path)
    assert times(result.master) == [F(index, 20) for index in range(24)]
    assert result.certificate["ok"], result.certificate
    assert result.metrics["frames"] == {"source": 12, "output": 24, "new": 11, "held": 1}


def test_source_frames_are_the_same_pixels_and_new_ones_lie_between(clip: Path, tmp_path: Path) -> None:
    source, result = pictures(clip), pictures(render(clip, tmp_path).master)
    assert all(psnr(result[2 * index], source[index]) > 45 for index in range(12))
    assert all(psnr(result[2 * i + 1], (source[i] // 2 + source[i + 1] // 2)) > 35 for i in range(11))


def test_slow_motion_lasts_longer_at_the_same_rate_without_sound(clip: Path, tmp_path: Path) -> None:
    result = render(clip, tmp_path, mode="slow", inbetween=2)
    assert times(result.master) == [F(index, 10) for index in range(36)]
    assert streams(result.master) == ["video"]
    assert result.certificate["ok"], result.certificate


def test_an_exact_rate_is_reached_exactly(clip: Path, tmp_path: Path) -> None:
    result = render(clip, tmp_path, mode="fps", target_fps="30000/1001")
    assert times(result.master) == [F(index * 1001, 30000) for index in range(36)]
    assert result.certificate["ok"], result.certificate


def test_the_sound_is_kept_and_begins_with_the_picture(clip: Path, tmp_path: Path) -> None:
    result = render(clip, tmp_path)
    assert streams(result.master) == ["video", "audio"]
    offset = next(check for check in result.certificate["checks"] if check["name"] == "av_offset")
    assert abs(offset["found"] - offset["expected"]) < 1024 / 8000


@pytest.mark.parametrize("mode", ["smooth", "slow", "fps"])
def test_many_segments_joined_are_the_render_in_one_piece(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    given = {"mode": mode, "inbetween": 2, "target_fps": F(25)}
    whole = decoded(render(clip, tmp_path / "whole", **given).master)
    monkeypatch.setattr(segments_module, "SEGMENT_FRAMES", 7)
    result = render(clip, tmp_path / "parts", **given)
    parts = decoded(result.master)
    assert len(list((tmp_path / "parts" / "segments").glob("*.mp4"))) >= 4
    assert [time for time, _ in parts] == [time for time, _ in whole]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(parts, whole, strict=True))
    assert result.certificate["ok"], result.certificate


def test_variable_timing_is_kept(tmp_path: Path) -> None:
    shown = [F(0), F(1, 10), F(4, 10), F(5, 10), F(9, 10)]
    source = write_video(tmp_path / "vfr.mp4", shot(2, 5), fps=F(5), times=shown, end=F(1))
    result = render(source, tmp_path / "out")
    expected = [F(0), F(1, 20), F(1, 10), F(1, 4), F(4, 10), F(9, 20), F(1, 2), F(7, 10), F(9, 10), F(19, 20)]
    assert times(result.master) == expected
    assert result.certificate["ok"], result.certificate


def test_stopping_keeps_finished_segments_and_the_next_call_goes_on(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments_module, "SEGMENT_FRAMES", 8)
    done = list[Progress]()

    def stop() -> bool:
        return bool(done) and done[-1].stage == "interpolating" and done[-1].frames_done >= 11

    with pytest.raises(StoppedError, match="kept"):
        render(clip, tmp_path, on_progress=done.append, should_stop=stop)
    assert sorted(path.name for path in (tmp_path / "segments").iterdir()) == ["seg_00001.json", "seg_00001.mp4"]

    model, done = BlendModel(), []
    result = render(clip, tmp_path, model, on_progress=done.append)
    first = next(progress for progress in done if progress.stage == "interpolating")
    assert (first.frames_done, first.frames_total) == (8, 24)
    assert len(model.times) == 11 - 4  # the four new frames of the first segment are not drawn again
    assert result.metrics["frames"] == {"source": 12, "output": 24, "new": 11, "held": 1}
    whole = decoded(render(clip, tmp_path / "fresh").master)
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(decoded(result.master), whole, strict=True))


def test_the_certificate_says_what_the_model_computed_in(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every segment: what stood when the render went on may be the work of another machine."""
    monkeypatch.setattr(segments_module, "SEGMENT_FRAMES", 8)

    def found(result: RenderResult) -> list[str]:
        return [check["found"] for check in result.certificate["checks"] if check["name"] == "arithmetic"]

    model = BlendModel()
    assert found(render(clip, tmp_path, model)) == []
    for arithmetic, segment, wanted in (("int8", 1, "int8"), ("bf16", 2, "bf16, int8")):
        model.arithmetic = arithmetic
        (tmp_path / "segments" / f"seg_{segment:05d}.json").unlink()
        assert found(render(clip, tmp_path, model)) == [wanted]


def test_a_second_call_draws_nothing_again(clip: Path, tmp_path: Path) -> None:
    render(clip, tmp_path)
    model = BlendModel()
    assert len(render(clip, tmp_path, model).frames) == 11
    assert model.times == []


@pytest.mark.parametrize(
    "change", [{"crf": 5}, {"inbetween": 2}, {"cut": "crossfade"}, {"model": BlendModel("blend-2")}]
)
def test_other_options_or_weights_reuse_nothing(clip: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    render(clip, tmp_path)
    model = change.pop("model", BlendModel())
    render(clip, tmp_path, model, **change)
    assert len(model.times) in (11, 22)


def test_a_damaged_segment_is_rendered_again(clip: Path, tmp_path: Path) -> None:
    whole = decoded(render(clip, tmp_path).master)
    segment = tmp_path / "segments" / "seg_00001.mp4"
    data = bytearray(segment.read_bytes())
    data[-100] ^= 255
    segment.write_bytes(data)
    model = BlendModel()
    again = decoded(render(clip, tmp_path, model).master)
    assert len(model.times) == 11
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(again, whole, strict=True))


def test_what_a_killed_attempt_left_half_done_is_removed_and_nothing_else(clip: Path, tmp_path: Path) -> None:
    halves = [".master.77.mp4", ".preview.picture.mp4", "segments/.seg_00001.77.part.mp4"]
    (tmp_path / "segments").mkdir()
    for name in (*halves, ".mine"):
        (tmp_path / name).write_bytes(b"half")
    render(clip, tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.name.startswith(".")] == [".mine"]


def test_nothing_is_drawn_across_a_cut_and_the_nearest_frame_is_held(tmp_path: Path) -> None:
    source = write_video(tmp_path / "cut.mp4", shot(3, 6) + shot(4, 6))
    model = BlendModel()
    result = render(source, tmp_path / "out", model, inbetween=3)
    assert result.metrics["cuts"] == [0.6]
    assert len(model.times) == 10 * 3
    assert result.metrics["frames"] == {"source": 12, "output": 48, "new": 30, "held": 6}
    original, drawn = pictures(source), pictures(result.master)
    before, after = original[5], original[6]
    nearest = ["before" if psnr(rgb, before) > 45 else "after" for rgb in drawn[20:25]]
    assert nearest == ["before", "before", "before", "after", "after"]
    assert all(psnr(rgb, after) > 45 for rgb in drawn[23:25])


def test_a_cross_fade_at_a_cut_is_made_on_request(tmp_path: Path) -> None:
    source = write_video(tmp_path / "cut.mp4", shot(3, 6) + shot(4, 6))
    model = BlendModel()
    result = render(source, tmp_path / "out", model, cut="crossfade")
    original, drawn = pictures(source), pictures(result.master)
    assert psnr(drawn[11], original[5] // 2 + original[6] // 2) > 35
    assert len(model.times) == 10


def test_duplicates_are_held_without_asking_the_model(tmp_path: Path) -> None:
    moving = shot(5, 6)
    source = write_video(tmp_path / "twos.mp4", [frame for frame in moving for _ in range(2)])
    model = BlendModel()
    result = render(source, tmp_path / "out", model)
    assert len(model.times) == 5
    assert result.metrics["frames"] == {"source": 12, "output": 24, "new": 5, "held": 7}


def test_a_still_film_is_rendered_without_the_model(tmp_path: Path) -> None:
    source = write_video(tmp_path / "still.mp4", [shot(6, 1)[0]] * 5)
    model = BlendModel()
    result = render(source, tmp_path / "out", model, held_out=True)
    assert model.times == [] and result.frames == []
    assert result.metrics["held_out"] is None
    assert "repeats its neighbour" in result.metrics["held_out_note"]
    assert result.metrics["timing"]["per_new_frame_ms"] is None


def test_odd_sizes_stay_as_they_are(tmp_path: Path) -> None:
    source = write_video(tmp_path / "odd.mp4", shot(7, 4, (65, 49)))
    result = render(source, tmp_path / "out")
    assert pictures(result.master)[0].shape == (49, 65, 3)
    assert result.certificate["ok"], result.certificate


def test_a_chosen_resolution_keeps_the_shape_with_black_beside_it(clip: Path, tmp_path: Path) -> None:
    result = render(clip, tmp_path, resolution=(160, 90))
    drawn = pictures(result.master)[0]
    assert drawn.shape == (90, 160, 3)
    assert drawn[:, :18].max() <= 2 and drawn[:, -18:].max() <= 2
    assert drawn[:, 24:136].std() > 20
    assert result.certificate["ok"], result.certificate


@pytest.mark.parametrize(("stored", "kept"), [(F(16, 15), F(16, 15)), (F(53067, 53120), F(4005, 4009))])
def test_the_shape_of_the_pixels_is_kept(tmp_path: Path, stored: F, kept: F) -> None:
    source = tmp_path / "anamorphic.mp4"
    with VideoWriter(source, width=64, height=48, fps=F(10), sar=stored) as writer:
        for index, frame in enumerate(shot(9, 4)):
            writer.write(frame, F(index, 10))
    result = render(source, tmp_path / "out")
    assert probe(result.master).sar == kept
    assert result.certificate["ok"], result.certificate


def test_one_frame_is_refused_in_words(tmp_path: Path) -> None:
    source = write_video(tmp_path / "one.mp4", shot(8, 1))
    with pytest.raises(BadInputError, match="only one frame"):
        render(source, tmp_path / "out")


def test_two_frames_are_enough(tmp_path: Path) -> None:
    source = write_video(tmp_path / "two.mp4", shot(8, 2))
    result = render(source, tmp_path / "out", held_out=True)
    assert times(result.master) == [F(index, 20) for index in range(4)]
    assert result.metrics["held_out"] is None
    assert "too short" in result.metrics["held_out_note"]


def test_held_out_figures_compare_with_real_frames(tmp_path: Path) -> None:
    """A picture that brightens evenly: its middle is the blend of its neighbours, so the blend scores very high."""
    base = shot(9, 1)[0].astype(np.float32) / 2
    source = write_video(tmp_path / "ramp.mp4", [np.rint(base + 6 * index).astype(np.uint8) for index in range(12)])
    model = BlendModel()
    figures = render(source, tmp_path / "out", model, held_out=True).metrics["held_out"]
    assert figures["label"] == "held-out"
    assert figures["psnr"] == figures["blend_psnr"] > 50
    assert figures["ssim"] > 0.99
    assert [sample["frame"] for sample in figures["samples"]] == [1, 3, 7, 9]
    assert figures["samples"][0]["time"] == 0.1
    assert set(figures["samples"][0]) == {"time", "frame", "psnr", "ssim", "blend_psnr"}


def test_metrics_have_the_agreed_names_and_are_plain_json(clip: Path, tmp_path: Path) -> None:
    result = render(clip, tmp_path, held_out=True)
    assert json.loads((tmp_path / "metrics.json").read_text()) == result.metrics
    assert json.loads((tmp_path / "certificate.json").read_text()) == result.certificate
    assert set(result.metrics) == {
        "held_out", "held_out_note", "motion", "cuts", "cadence", "compared", "timing", "frames", "notes",
    }  # fmt: skip
    assert set(result.metrics["timing"]) == {
        "total_s", "per_new_frame_ms", "per_new_frame_ms_mean", "new_frames_per_second", "peak_memory_mib",
    }  # fmt: skip
    assert len(result.metrics["motion"]) == 11
    assert result.metrics["motion"][3]["time"] == 0.3
    assert result.metrics["motion"][3]["px"] == pytest.approx(2, abs=0.3)


def test_everything_to_look_at_is_there(clip: Path, tmp_path: Path) -> None:
    result = render(clip, tmp_path)
    named = [result.master, result.preview, result.source_preview, result.poster, result.frame0, result.frame1]
    named += [result.flow_farneback, result.flow_model, result.pictures_zip, *(path for path, _ in result.frames)]
    assert all(path is not None and path.stat().st_size > 0 for path in named)
    assert [time for _, time in result.frames] == [round(0.05 + index / 10, 4) for index in range(11)]
    assert times(result.preview) == times(result.master)
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


def test_progress_goes_through_the_stages_and_ends_full(clip: Path, tmp_path: Path) -> None:
    seen = list[Progress]()
    render(clip, tmp_path, held_out=True, on_progress=seen.append)
    assert tuple(dict.fromkeys(progress.stage for progress in seen)) == STAGES
    for stage in STAGES:
        done = [progress for progress in seen if progress.stage == stage]
        assert [p.frames_done for p in done] == sorted(p.frames_done for p in done)
        assert done[-1].frames_done == done[-1].frames_total > 0


@pytest.mark.parametrize("stage", STAGES)
def test_it_can_be_stopped_in_every_stage(clip: Path, tmp_path: Path, stage: str) -> None:
    seen = list[Progress]()
    with pytest.raises(StoppedError):
        render(
            clip,
            tmp_path,
            held_out=True,
            on_progress=seen.append,
            should_stop=lambda: bool(seen) and seen[-1].stage == stage,
        )
    assert seen[-1].stage == stage
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


def test_a_full_disk_is_said_before_anything_is_begun(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.disk.shutil.disk_usage", lambda _: type("Usage", (), {"free": 3 * 2**20}))
    with pytest.raises(NoSpaceError, match="Only 3 MiB are free"):
        render(clip, tmp_path)


def test_a_disk_that_fills_up_while_writing_is_said_and_keeps_finished_segments(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments_module, "SEGMENT_FRAMES", 8)
    write = VideoWriter.write

    def fills_up(self: VideoWriter, rgb: np.ndarray, pts: F) -> None:
        if pts > F(1, 2):
            raise NoSpaceError("The disk is full.")
        write(self, rgb, pts)

    monkeypatch.setattr(VideoWriter, "write", fills_up)
    with pytest.raises(NoSpaceError, match="full"):
        render(clip, tmp_path)
    assert sorted(path.name for path in (tmp_path / "segments").iterdir()) == ["seg_00001.json", "seg_00001.mp4"]
