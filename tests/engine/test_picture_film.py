"""Two pictures and what lies between them."""

from __future__ import annotations

import zipfile
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import interpolate_frames, interpolate_video
from engine.config import RenderOptions
from engine.errors import BadInputError, BadOptionsError, StoppedError
from engine.metrics import blend
from engine.pictures import read_picture, write_picture
from engine.render import STAGES, Progress, RenderResult, render_pictures
from tests.engine.footage import BlendModel, decoded, shot, write_video

Pictures = tuple[Path, Path]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    """Two 64x48 pictures."""
    folder = tmp_path_factory.mktemp("two")
    return tuple(write_picture(folder / f"{name}.png", shot(seed, 1)[0]) for name, seed in (("a", 1), ("b", 2)))


def render(two: Pictures, folder: Path, **given: Any) -> RenderResult:
    settings = {name: given.pop(name) for name in list(given) if name in RenderOptions.__dataclass_fields__}
    return render_pictures(*two, folder, RenderOptions(**settings), BlendModel(), **given)


@pytest.mark.parametrize("count", [1, 2, 10])
def test_n_pictures_between_two_make_n_plus_two_frames(two: Pictures, tmp_path: Path, count: int) -> None:
    result = render(two, tmp_path, inbetween=count, mode="fps", target_fps=F(30))
    assert [time for time, _ in decoded(result.master)] == [F(index, 30) for index in range(count + 2)]
    assert [time for _, time in result.frames] == [(index + 1) / 30 for index in range(count)]
    assert result.certificate["ok"], result.certificate
    assert result.metrics["frames"] == {"source": 2, "output": count + 2, "new": count, "held": 0}


def test_the_pictures_lie_at_equal_steps_between_the_two(two: Pictures, tmp_path: Path) -> None:
    first, second = (read_picture(path) for path in two)
    result = render(two, tmp_path, inbetween=3)
    drawn = [read_picture(path) for path, _ in result.frames]
    assert all(np.array_equal(picture, blend(first, second, (n + 1) / 4)) for n, picture in enumerate(drawn))
    assert np.array_equal(read_picture(result.frame0), first)
    assert np.array_equal(read_picture(result.frame1), second)


def test_without_a_rate_one_second_passes_between_the_two(two: Pictures, tmp_path: Path) -> None:
    result = render(two, tmp_path, inbetween=4)
    assert [time for time, _ in decoded(result.master)] == [F(index, 5) for index in range(6)]


def test_the_preview_is_slow_enough_to_be_watched(two: Pictures, tmp_path: Path) -> None:
    result = render(two, tmp_path, inbetween=4, mode="fps", target_fps=F(60))
    assert [time for time, _ in decoded(result.preview)] == [F(index, 5) for index in range(6)]


def test_without_the_truth_there_is_no_psnr_and_the_note_says_why(two: Pictures, tmp_path: Path) -> None:
    metrics = render(two, tmp_path).metrics
    assert metrics["held_out"] is None
    assert "nothing to compare with" in metrics["held_out_note"]


def test_with_the_true_middle_picture_there_is(two: Pictures, tmp_path: Path) -> None:
    truth = blend(*(read_picture(path) for path in two), 0.5)
    truth[:, :32] += 3
    result = render(two, tmp_path / "out", inbetween=2, truth=write_picture(tmp_path / "truth.png", truth))
    figures = result.metrics["held_out"]
    assert figures["psnr"] == figures["blend_psnr"] == pytest.approx(41.6, abs=0.1)
    assert figures["label"] == "true middle picture"
    assert figures["samples"][0]["time"] == 0.5
    assert result.metrics["held_out_note"] == ""


def test_the_zip_holds_all_pictures_in_order(two: Pictures, tmp_path: Path) -> None:
    with zipfile.ZipFile(render(two, tmp_path, inbetween=2).pictures_zip) as archive:
        assert archive.namelist() == [
            "frame_0000_first.png", "frame_0001.png", "frame_0002.png", "frame_0003_second.png",
        ]  # fmt: skip
        assert archive.testzip() is None


def test_pictures_of_different_sizes_are_refused_with_an_offer(two: Pictures, tmp_path: Path) -> None:
    other = write_picture(tmp_path / "other.png", shot(3, 1, (80, 60))[0])
    with pytest.raises(BadInputError, match=r"64x48 and 80x60.*resized to the first"):
        render((two[0], other), tmp_path / "out")
    result = render((two[0], other), tmp_path / "out", resize_second=True)
    assert read_picture(result.frame1).shape == (48, 64, 3)


def test_a_chosen_resolution_is_kept_exactly_with_black_beside_the_pictures(two: Pictures, tmp_path: Path) -> None:
    result = render(two, tmp_path, resolution=(160, 90))
    picture = read_picture(result.frames[0][0])
    assert picture.shape == (90, 160, 3)
    assert picture[:, :20].max() == picture[:, 140:].max() == 0
    assert picture[:, 20:140].std() > 20
    assert decoded(result.master)[0][1].shape == (90, 160, 3)


def test_pictures_that_are_too_small_are_refused(tmp_path: Path) -> None:
    tiny = write_picture(tmp_path / "tiny.png", np.zeros((12, 40, 3), np.uint8))
    with pytest.raises(BadInputError, match="40x12"):
        render((tiny, tiny), tmp_path / "out")


def test_a_video_in_place_of_a_picture_is_refused(two: Pictures, tmp_path: Path) -> None:
    video = write_video(tmp_path / "video.mp4", shot(1, 2))
    with pytest.raises(BadInputError, match="not a picture"):
        render((two[0], video), tmp_path / "out")


def test_progress_and_stopping(two: Pictures, tmp_path: Path) -> None:
    seen = list[Progress]()
    render(two, tmp_path / "out", truth=two[0], on_progress=seen.append)
    assert tuple(dict.fromkeys(progress.stage for progress in seen)) == STAGES
    with pytest.raises(StoppedError):
        render(two, tmp_path / "stopped", should_stop=lambda: True)


def test_the_first_specifications_call_works(two: Pictures, tmp_path: Path) -> None:
    frames, video_path, preview_video_path, metrics = interpolate_frames(
        frame1_path=two[0],
        frame2_path=str(two[1]),
        num_interpolations=5,
        resolution=(160, 90),
        fps=60,
        output_dir=tmp_path,
        interpolator=BlendModel(),
    )
    assert [frame.shape for frame in frames] == [(90, 160, 3)] * 5
    assert [time for time, _ in decoded(video_path)] == [F(index, 60) for index in range(7)]
    assert preview_video_path.is_file() and preview_video_path != video_path
    assert metrics["timing"]["per_new_frame_ms"] > 0


def test_files_go_to_a_folder_named_after_the_sources(
    two: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = interpolate_frames(*two, 1, None, interpolator=BlendModel())
    assert answer.video_path == tmp_path / "inbetween_output" / "a-b" / "master.mp4"


@pytest.mark.parametrize(
    "given", [{"num_interpolations": 11}, {"num_interpolations": 0}, {"fps": 0}, {"resolution": (3, 3)}, {"fps": "nan"}]
)
def test_settings_out_of_range_are_refused_before_anything_is_made(
    two: Pictures, tmp_path: Path, given: dict[str, Any]
) -> None:
    with pytest.raises(BadOptionsError):
        interpolate_frames(*two, **given, output_dir=tmp_path / "out", interpolator=BlendModel())
    assert not (tmp_path / "out").exists()


def test_a_video_in_one_call(tmp_path: Path) -> None:
    source = write_video(tmp_path / "clip.mp4", shot(1, 4))
    frames, video_path, _, metrics = interpolate_video(
        source, fps=25, output_dir=tmp_path / "out", interpolator=BlendModel()
    )
    assert [time for time, _ in decoded(video_path)] == [F(index, 25) for index in range(10)]
    assert len(frames) == 3
    assert metrics["frames"]["output"] == 10


def test_what_a_killed_attempt_left_half_done_is_removed_and_nothing_else(two: Pictures, tmp_path: Path) -> None:
    halves = [".master.77.part.mp4", ".slower.77.part.mp4", ".frame0.77.png", ".flow_model.77.png"]
    for name in (*halves, ".mine"):
        (tmp_path / name).write_bytes(b"half")
    render(two, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == [".mine"]
