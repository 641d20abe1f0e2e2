"""Flashes, fades, bars and overlays through the shipped network: what stands still stays, light is not motion."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.interpolator import Interpolator, first_flows
from engine.motion import same_light

from .test_scenes import Picture, lit, texture

WIDTH, HEIGHT, SPEED, BAR = 256, 160, 4, 24


def view(shift: int) -> Picture:
    """A view over blobs, `shift` pixels to the right."""
    return np.ascontiguousarray(texture(9, 400)[40 : 40 + HEIGHT, 40 + shift : 40 + shift + WIDTH])


@pytest.fixture(scope="module")
def model() -> Interpolator:
    return Interpolator.load("flow_fusion", device="cpu", threads=1)


@pytest.mark.parametrize(("gain", "add", "most"), [(1, 90, 0.15), (0.5, 0, 0.03), (0.3, 0, 0.03)])
def test_motion_across_a_flash_is_that_of_the_same_frames_without_it(gain: float, add: float, most: float) -> None:
    size = (WIDTH // 4, HEIGHT // 4)
    plain = first_flows(view(0), view(SPEED), size)[0]
    flashed = first_flows(view(0), lit(view(SPEED), gain, add), size)[0]
    inner = (slice(4, -4), slice(4, -4))
    assert np.median(plain[inner][..., 0]) == pytest.approx(-SPEED / 4, abs=0.1)
    assert np.linalg.norm(flashed - plain, axis=2)[inner].mean() < most


def test_frames_in_the_same_light_are_matched_as_they_are() -> None:
    grey0, grey1 = (cv2.cvtColor(view(shift), cv2.COLOR_RGB2GRAY) for shift in (0, SPEED))
    first, second = same_light(grey0, grey1)
    assert first is grey0
    assert second is grey1


def test_bars_and_overlays_stay_still_over_a_moving_picture(model: Interpolator) -> None:
    frames = [view(0), view(SPEED)]
    for frame in frames:
        frame[:BAR] = frame[-BAR:] = 0
        cv2.putText(frame, "12:34", (40, 110), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 255), 5)
    new = model.pair(*frames).at(0.5).astype(int)
    letters = cv2.erode((frames[0].min(axis=2) == 255).astype(np.uint8), np.ones((3, 3))) == 1
    letters &= frames[1].min(axis=2) == 255
    assert letters.sum() > 300
    assert np.abs(new[letters] - 255).mean() < 1.5
    assert max(new[: BAR - 4].max(), new[-BAR + 4 :].max()) <= 2


@pytest.mark.parametrize("level", [0.0, 0.3])
def test_in_a_fade_the_new_frame_is_of_the_light_between(model: Interpolator, level: float) -> None:
    bright, dark = view(0), lit(view(SPEED), level)
    truth = (view(SPEED // 2) * (1 + level) / 2)[8:-8, 8:-8]
    new = model.pair(bright, dark).at(0.5)[8:-8, 8:-8].astype(float)
    assert abs(new.mean() - truth.mean()) < 4
    blended = ((bright.astype(float) + dark) / 2)[8:-8, 8:-8]
    assert np.abs(new - truth).mean() < np.abs(blended - truth).mean() + 1
