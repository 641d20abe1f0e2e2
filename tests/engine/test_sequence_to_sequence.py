"""Pictures in, pictures out: the source's own frames come back to the last bit, with their depth and alpha."""

from __future__ import annotations

import zipfile
from fractions import Fraction as F
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine import Interpolator, RenderOptions
from engine.pictures import read_pixels, write_picture
from engine.render import render_video
from engine.sequence import as_film
from engine.video import probe


def moving(count: int, kind: type, channels: int) -> list[np.ndarray]:
    """Smooth texture over the whole range, that moves two pixels a frame; the upper half clear where there is alpha."""
    top = np.iinfo(kind).max
    ground = cv2.GaussianBlur(np.random.default_rng(2).random((64, 96, 3)).astype(np.float32), (0, 0), 3)
    ground = cv2.normalize(ground, None, 0.1 * top, 0.9 * top, cv2.NORM_MINMAX)
    frames = [np.rint(np.roll(ground, 2 * number, axis=1)).astype(kind) for number in range(count)]
    if channels == 3:
        return frames
    alpha = np.full((64, 96, 1), top, kind)
    alpha[:16] = 0
    return [np.concatenate([rgb * (alpha > 0), alpha], axis=2) for rgb in frames]


@pytest.mark.parametrize(("kind", "channels"), [(np.uint8, 3), (np.uint8, 4), (np.uint16, 3), (np.uint16, 4)])
def test_source_frames_are_untouched_and_new_ones_of_their_kind(tmp_path: Path, kind: type, channels: int) -> None:
    frames = moving(4, kind, channels)
    (tmp_path / "in").mkdir()
    for number, pixels in enumerate(frames):
        write_picture(tmp_path / f"in/{number}.png", pixels)
    film = as_film(tmp_path / "in", tmp_path, F(10))
    options = RenderOptions(format="png", held_out=False)
    result = render_video(film, tmp_path / "out", options, Interpolator.load(None, "cpu"))
    assert result.certificate["ok"], result.certificate
    with zipfile.ZipFile(result.master) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        made = [read_pixels(archive.read(name), deep=kind is np.uint16, alpha=channels == 4) for name in names]
    assert len(made) == 8
    assert [np.array_equal(made[2 * number], frames[number]) for number in range(4)] == [True] * 4
    between, neighbours = made[3].astype(float), (frames[1].astype(float), frames[2].astype(float))
    assert made[3].dtype == kind and made[3].shape == frames[0].shape
    blended = np.abs((neighbours[0] + neighbours[1]) / 2 - between).mean() / np.iinfo(kind).max
    assert 0 < blended < 0.1
    if channels == 4:
        assert made[3][:12, :, 3].max() == 0 and made[3][20:, :, 3].min() == np.iinfo(kind).max


def test_a_result_of_pictures_may_come_back_as_a_source(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number, pixels in enumerate(moving(3, np.uint8, 3)):
        write_picture(tmp_path / f"in/{number}.png", pixels)
    model = Interpolator.load(None, "cpu")
    options = RenderOptions(format="png", held_out=False)
    first = render_video(as_film(tmp_path / "in", tmp_path, F(10)), tmp_path / "one", options, model)
    info = probe(as_film(first.master, tmp_path / "again", F(20)))
    assert (info.frame_count, info.fps, info.notes) == (6, 20, [])
