"""Pictures of the worst held-out frames and fields of motion: what is in them, and that a real render keeps them."""

from __future__ import annotations

import gzip
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.canvas import Canvas
from engine.config import RenderOptions
from engine.evidence import FULL, Worst, error_picture, write_motion
from engine.interpolator import Interpolator
from engine.render import render_pictures, render_video

from .footage import shot, write_video


def test_an_error_picture_is_see_through_where_both_agree_and_opaque_from_the_last_colour_on() -> None:
    truth = np.full((40, 60, 3), 100, np.uint8)
    drawn = truth.copy()
    drawn[:, 20:40, 1] += FULL  # one channel is enough
    drawn[:, 40:] += FULL // 4
    picture = error_picture(drawn, truth)
    assert picture.shape == (40, 60, 4)
    assert [int(picture[20, x, 3]) for x in (5, 30, 50)] == [0, 255, 127]
    assert picture[20, 30, :3].sum() > picture[20, 50, :3].sum()


def test_only_the_worst_frames_are_kept_and_the_worst_comes_first(tmp_path: Path) -> None:
    truth = np.full((720, 1280, 3), 100, np.uint8)
    worst = Worst(2)
    for number, psnr in enumerate([30.0, 20.0, 40.0, 25.0]):
        worst.look(number, number / 10, psnr, truth + np.uint8(number), truth)
    found = worst.write(tmp_path / "held_out")
    assert [(one.time, one.truth.name) for one in found] == [
        (0.1, "frame_000001_truth.jpg"),
        (0.3, "frame_000003_truth.jpg"),
    ]
    assert cv2.imread(str(found[0].drawn)).shape == (360, 640, 3)
    assert cv2.imread(str(found[0].error), cv2.IMREAD_UNCHANGED).shape == (360, 640, 4)


# everything moves by (6, -3) pixels, and back
SHIFT = (np.full((360, 640, 2), (6, -3), np.float32), np.full((360, 640, 2), (-6, 3), np.float32))


def load(path: Path) -> np.ndarray:
    with gzip.open(path) as packed:
        return np.load(packed)


def test_a_field_of_motion_is_small_and_in_pixels_of_the_frame(tmp_path: Path) -> None:
    written = write_motion(tmp_path / "m.npy.gz", SHIFT, Canvas((640, 360), (640, 360)))
    field = load(written)
    assert (field.shape, field.dtype) == ((180, 320, 3), np.float16)
    assert field.reshape(-1, 3).tolist() == [[6, -3, 0]] * (180 * 320)


def test_beside_a_picture_that_has_bars_nothing_moves(tmp_path: Path) -> None:
    written = write_motion(tmp_path / "m.npy.gz", SHIFT, Canvas((640, 360), (640, 480)))
    field = load(written)
    assert field.shape == (240, 320, 3)
    assert field[10, 100].tolist() == [0, 0, 0]
    assert field[120, 100].tolist() == [6, -3, 0]


def test_a_render_keeps_its_worst_held_out_frames_and_its_motion(tmp_path: Path) -> None:
    source = write_video(tmp_path / "moving.mp4", shot(3, 16, (128, 96), speed=4))
    model = Interpolator.load("flow_fusion", "cpu")
    result = render_video(source, tmp_path / "work", RenderOptions(), model)
    samples = result.metrics["held_out"]["samples"]
    by_quality = sorted(samples, key=lambda sample: sample["psnr"])
    assert [one.time for one in result.worst] == [sample["time"] for sample in by_quality][: len(result.worst)]
    assert len(result.worst) == len(samples) > 1
    assert [time for _, time in result.motions] == [time for _, time in result.frames]
    field = load(result.motions[0][0])
    assert np.median(field[24:72, 32:96, 0]) == pytest.approx(-4, abs=0.5)  # the view moves to the right
    again = render_video(source, tmp_path / "work", RenderOptions(), model)
    assert again.motions == result.motions


def test_of_two_pictures_the_motion_is_kept_and_of_a_model_without_motion_none(tmp_path: Path) -> None:
    for number, picture in enumerate(shot(3, 2, (128, 96), speed=4)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture)
    two = (tmp_path / "0.png", tmp_path / "1.png")
    result = render_pictures(*two, tmp_path / "work", RenderOptions(), Interpolator.load("flow_fusion", "cpu"))
    assert [time for _, time in result.motions] == [0.0]
    assert np.median(load(result.motions[0][0])[..., 0]) == pytest.approx(-4, abs=0.5)
    blended = render_pictures(*two, tmp_path / "blend", RenderOptions(), Interpolator.load("blend", "cpu"))
    assert (blended.motions, blended.worst) == ([], [])
