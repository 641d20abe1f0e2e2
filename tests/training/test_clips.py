"""Footage is decoded once, and what does not follow in time is found."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import BadInputError, NoSpaceError
from engine.learn import clips
from engine.learn.clips import ClipLimits, open_clip, shrink
from engine.metrics import psnr
from engine.video import read_frames
from tests.engine.clips import film
from tests.engine.test_interlaced import moving, woven

from .footage import sliding, write_frames, write_video


def test_a_folder_of_frames_is_cached_pixel_for_pixel(tmp_path: Path) -> None:
    frames = sliding(5)
    clip = open_clip(write_frames(tmp_path / "walk", frames), "walk", tmp_path / "cache", ClipLimits())
    assert np.array_equal(clip.frames, np.stack(frames))
    assert not clip.broken.any()


def test_a_clip_is_sent_to_other_processes_without_its_frames(tmp_path: Path) -> None:
    clip = open_clip(write_frames(tmp_path / "walk", sliding(5)), "walk", tmp_path / "cache", ClipLimits())
    frames = np.array(clip.frames)
    sent = pickle.dumps(clip)
    assert len(sent) < frames.nbytes / 10
    assert np.array_equal(pickle.loads(sent).frames, frames)


def test_frames_are_ordered_by_their_numbers_not_their_letters(tmp_path: Path) -> None:
    for number in (10, 9, 8):
        write_frames(tmp_path / "unpadded", [np.full((64, 64, 3), number, np.uint8)], number)
    for file in (tmp_path / "unpadded").iterdir():
        file.rename(file.with_name(f"{int(file.stem[-3:])}.png"))
    clip = open_clip(tmp_path / "unpadded", "unpadded", tmp_path / "cache", ClipLimits())
    assert clip.frames[:, 0, 0, 0].tolist() == [8, 9, 10]


def test_a_second_opening_decodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_frames(tmp_path / "walk", sliding(4))
    first = open_clip(folder, "walk", tmp_path / "cache", ClipLimits())
    monkeypatch.setattr(clips, "_read_folder", lambda files: pytest.fail("decoded again"))
    second = open_clip(folder, "walk", tmp_path / "cache", ClipLimits())
    assert second.folder == first.folder
    assert np.array_equal(second.motion, first.motion)


def test_a_changed_file_is_decoded_again(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "walk", sliding(4))
    open_clip(folder, "walk", tmp_path / "cache", ClipLimits())
    write_frames(folder, [np.full((72, 96, 3), 7, np.uint8)], first=5)
    assert open_clip(folder, "walk", tmp_path / "cache", ClipLimits()).count == 5


def test_the_motion_that_is_measured_is_the_motion_that_is_there(tmp_path: Path) -> None:
    clip = open_clip(write_frames(tmp_path / "walk", sliding(4, step=3)), "walk", tmp_path / "cache", ClipLimits())
    assert clip.motion.shape == (3, 3, 3)
    assert np.median(clip.motion) == pytest.approx(3, abs=0.3)


def test_a_cut_is_found_where_it_is(tmp_path: Path) -> None:
    frames = sliding(6, seed=1) + sliding(6, seed=2)
    clip = open_clip(write_frames(tmp_path / "cut", frames), "cut", tmp_path / "cache", ClipLimits())
    assert np.flatnonzero(clip.broken).tolist() == [5]


def test_a_frame_shown_twice_is_found(tmp_path: Path) -> None:
    frames = sliding(8)
    frames.insert(4, frames[3])
    clip = open_clip(write_frames(tmp_path / "twice", frames), "twice", tmp_path / "cache", ClipLimits())
    assert np.flatnonzero(clip.broken).tolist() == [3]


def test_a_missing_number_is_a_gap(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "gap", sliding(8))
    (folder / "frame_004.png").unlink()
    clip = open_clip(folder, "gap", tmp_path / "cache", ClipLimits())
    assert np.flatnonzero(clip.broken).tolist() == [2]


def test_a_video_gives_its_frames_and_a_hole_in_its_time_stamps_is_a_gap(tmp_path: Path) -> None:
    frames = sliding(8)
    video = write_video(tmp_path / "a.mp4", frames, times=[0, 1, 2, 3, 6, 7, 8, 9])
    clip = open_clip(video, "a", tmp_path / "cache", ClipLimits())
    assert np.abs(clip.frames.astype(int) - np.stack(frames)).mean() < 3
    assert np.flatnonzero(clip.broken).tolist() == [3]


def test_of_a_long_video_blocks_are_taken_from_all_of_its_length(tmp_path: Path) -> None:
    frames = [np.full((64, 64, 3), n, np.uint8) for n in range(250)]
    clip = open_clip(write_video(tmp_path / "long.mp4", frames), "long", tmp_path / "cache", ClipLimits(max_frames=120))
    shades = clip.frames[:, 32, 32, 1].astype(int)
    assert clip.count == 120
    assert abs(shades[0] - 0) <= 2 and abs(shades[60] - 125) <= 2
    assert clip.broken[59]


def test_large_frames_are_halved_by_averaging() -> None:
    picture = np.zeros((1080, 1920, 3), np.uint8)
    picture[::2] = 200
    small = shrink(picture)
    assert small.shape == (540, 960, 3)
    assert (small == 100).all()
    assert shrink(small) is small


def test_an_hdr_video_is_left_out_unless_wanted(tmp_path: Path) -> None:
    video = film(tmp_path / "a.mp4", sliding(4), tags=(9, 16, 9, 1))
    with pytest.raises(BadInputError, match=r"a\.mp4: it is HDR"):
        open_clip(video, "a", tmp_path / "cache", ClipLimits())
    assert open_clip(video, "a", tmp_path / "cache", ClipLimits(include_hdr=True)).count == 4


@pytest.mark.parametrize("given", [{"tags": (1, 1, 1, 1)}, {"tags": (5, 6, 5, 2)}, {"rotation": 90}])
def test_a_video_has_the_colours_and_the_side_that_it_is_rendered_with(tmp_path: Path, given: dict[str, Any]) -> None:
    video = film(tmp_path / "a.mp4", sliding(4), **given)
    clip = open_clip(video, "a", tmp_path / "cache", ClipLimits())
    assert np.array_equal(clip.frames, np.stack([frame.rgb for frame in read_frames(video)]))


def test_grey_is_not_darker_than_it_was(tmp_path: Path) -> None:
    """swscale's usual settings take a level from every grey."""
    grey = [np.full((64, 64, 3), level, np.uint8) for level in range(40, 220, 20)]
    clip = open_clip(film(tmp_path / "a.mp4", grey, options={"crf": "1"}), "a", tmp_path / "cache", ClipLimits())
    assert abs(float((clip.frames.astype(int) - np.stack(grey)).mean())) < 0.35


def test_an_interlaced_video_gives_whole_pictures(tmp_path: Path) -> None:
    video = film(tmp_path / "a.mp4", woven(moving(32), "tff"), options={"crf": "1", "x264-params": "tff=1"})
    clip = open_clip(video, "a", tmp_path / "cache", ClipLimits())
    assert min(psnr(frame, truth) for frame, truth in zip(clip.frames[1:-1], moving(32)[2:-2:2], strict=True)) > 30


def test_frames_of_different_sizes_are_refused_and_leave_no_cache(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "odd", sliding(3))
    write_frames(folder, sliding(1, height=80), first=4)
    with pytest.raises(BadInputError, match="odd: frames of different sizes \\(96x72 and 96x80\\)"):
        open_clip(folder, "odd", tmp_path / "cache", ClipLimits())
    assert list((tmp_path / "cache").iterdir()) == []


def test_fewer_than_three_frames_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="short has 2 frames; at least 3"):
        open_clip(write_frames(tmp_path / "short", sliding(2)), "short", tmp_path / "cache", ClipLimits())


def test_a_text_file_named_mp4_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "fake.mp4").write_text("ffconcat version 1.0\nfile /etc/passwd\n")
    with pytest.raises(BadInputError, match=r"fake\.mp4"):
        open_clip(tmp_path / "fake.mp4", "fake", tmp_path / "cache", ClipLimits())


def test_a_full_disk_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "KEEP_FREE", 1 << 60)
    with pytest.raises(NoSpaceError, match="INBETWEEN_FRAME_CACHE"):
        open_clip(write_frames(tmp_path / "walk", sliding(4)), "walk", tmp_path / "cache", ClipLimits())
