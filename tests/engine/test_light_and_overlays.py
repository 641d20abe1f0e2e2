"""Flashes, fades, bars and overlays through the shipped network: what stands still stays, light is not motion."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.alpha_fade import alpha_strengths
from engine.interpolator import Interpolator, first_flows
from engine.light import light_between
from engine.motion import same_light

from .test_scenes import Picture, lit, texture

WIDTH, HEIGHT, SPEED, BAR = 256, 160, 4, 24


def view(shift: int) -> Picture:
    """A view over blobs, `shift` pixels to the right."""
    return np.ascontiguousarray(texture(9, 400)[40 : 40 + HEIGHT, 40 + shift : 40 + shift + WIDTH])


@pytest.fixture(scope="module")
def model() -> Interpolator:
    return Interpolator.load("flow_fusion", device="cpu", threads=1)


@pytest.fixture(scope="module")
def shipped() -> Interpolator:
    """With the weights that come along: what they learned is to believe one frame where the two differ."""
    return Interpolator.load(device="cpu", threads=1)


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


FADES = [  # light of the first and the last frame, and what it fades to or from (0 black, 255 white)
    (1, 0.5, 0), (1, 0.25, 0), (0.6, 0.15, 0), (0.1, 0.9, 0), (1, 0, 0), (0, 1, 0),
    (1, 0.4, 255), (0.2, 1, 255), (0, 0.8, 255),
]  # fmt: skip


@pytest.mark.parametrize(("first", "last", "end"), FADES)
@pytest.mark.parametrize("t", [0.25, 0.5])
def test_in_a_steep_fade_the_light_is_that_between_and_nothing_smears(
    shipped: Interpolator, first: float, last: float, end: int, t: float
) -> None:
    def faded(shift: int, level: float) -> Picture:
        return lit(view(shift), level, end * (1 - level))

    inner = (slice(16, -16), slice(16, -16))
    img0, img1 = faded(0, first), faded(SPEED, last)
    truth = faded(round(SPEED * t), first + (last - first) * t)[inner].astype(float)
    new = shipped.pair(img0, img1).at(t)[inner].astype(float)
    assert abs(new.mean() - truth.mean()) < 1
    same = shipped.pair(view(0), view(SPEED)).at(t)[inner] - view(round(SPEED * t))[inner].astype(float)
    blended = (img0 * (1 - t) + img1 * t)[inner] - truth
    if 0 in (first, last):  # one of the two shows nothing: there is no motion to be found
        assert np.abs(new - truth).mean() < np.abs(blended).mean() + 1
    else:
        assert np.abs(new - truth).mean() < np.abs(same).mean() + 1.5


def cut_out(picture: Picture, shift: int) -> Picture:
    """RGBA: a disc of it, `shift` pixels to the left, on nothing."""
    alpha = np.zeros(picture.shape[:2], np.uint8)
    cv2.circle(alpha, (WIDTH // 2 - shift, HEIGHT // 2), 60, 255, -1)
    return np.dstack([picture * (alpha[..., None] > 0), alpha])


@pytest.mark.parametrize(("first", "last", "end"), [(1, 0.25, 0), (0.2, 1, 255)])
def test_what_stands_on_nothing_keeps_its_light_in_a_fade(
    shipped: Interpolator, first: float, last: float, end: int
) -> None:
    def faded(shift: int, level: float) -> Picture:
        return cut_out(lit(view(shift), level, end * (1 - level)), shift)

    new = shipped.pair(faded(0, first), faded(SPEED, last)).at(0.5).astype(float)
    truth = faded(SPEED // 2, (first + last) / 2).astype(float)
    inner = cv2.erode((truth[..., 3] > 0).astype(np.uint8), np.ones((17, 17))) == 1
    assert np.abs(new - truth)[..., 3].mean() < 1
    assert abs((new - truth)[inner].mean()) < 1
    same = shipped.pair(cut_out(view(0), 0), cut_out(view(SPEED), SPEED)).at(0.5) - cut_out(
        view(SPEED // 2), SPEED // 2
    ).astype(float)
    assert np.abs(new - truth)[inner].mean() < np.abs(same)[inner].mean() + 1.5


@pytest.mark.parametrize("level", [0.3, 0.0])
def test_a_solid_frame_with_alpha_fades_as_one_without(shipped: Interpolator, level: float) -> None:
    frames = [view(0), lit(view(SPEED), level)]
    solid = [np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)]) for frame in frames]
    plain, new = (shipped.pair(*pair).at(0.5) for pair in (frames, solid))
    assert np.abs(new[..., :3].astype(int) - plain).mean() < 0.1
    assert (new[..., 3] == 255).all()


@pytest.mark.parametrize(("first", "last"), [(1, 0.25), (0.1, 0.9)])
def test_what_appears_by_its_alpha_is_as_solid_as_lies_between_and_keeps_its_colours(
    shipped: Interpolator, first: float, last: float
) -> None:
    def faded(shift: int, strength: float) -> Picture:
        made = cut_out(view(shift), shift)
        made[..., 3] = np.rint(made[..., 3] * strength)
        return made

    new = shipped.pair(faded(0, first), faded(SPEED, last)).at(0.25).astype(float)
    truth = faded(SPEED // 4, first + (last - first) / 4).astype(float)
    inner = cv2.erode((truth[..., 3] > 0).astype(np.uint8), np.ones((17, 17))) == 1
    assert np.abs(new - truth)[inner][:, 3].max() <= 2
    same = shipped.pair(faded(0, 1), faded(SPEED, 1)).at(0.25).astype(float)
    assert np.abs(new - same)[inner][:, :3].mean() < 0.2
    assert np.abs(new - truth)[..., 3].mean() < 1


def test_what_comes_out_of_nothing_has_its_colours_at_once(shipped: Interpolator) -> None:
    shown = cut_out(view(0), 0)
    new = shipped.pair(np.zeros_like(shown), shown).at(0.5).astype(int)
    solid = shown[..., 3] == 255
    assert np.abs(new - shown)[solid][:, :3].max() <= 1
    assert np.abs(new[solid][:, 3] - 127.5).max() <= 1


def test_a_thing_that_changes_its_shape_does_not_fade() -> None:
    small, large = cut_out(view(0), 0), cut_out(view(0), 0)
    small[: HEIGHT // 2, :, 3] = 0
    large[..., 3] //= 2
    assert alpha_strengths(small, large) is None
    far = [np.pad(frame, ((300, 300), (400, 400), (0, 0))) for frame in (small, large)]  # small things in a large frame
    assert alpha_strengths(*far) is None
    assert alpha_strengths(small, small) is None
    assert alpha_strengths(view(0), view(SPEED)) is None


def test_a_fade_in_16_bits_keeps_its_depth(shipped: Interpolator) -> None:
    fine = [
        (view(shift).astype(np.uint16) * 257 + 100).clip(0, 65535).astype(np.uint16) for shift in (0, SPEED // 2, SPEED)
    ]
    frames = [np.rint(frame * level).astype(np.uint16) for frame, level in zip(fine, (1, 0.65, 0.3), strict=True)]
    new = shipped.pair(frames[0], frames[2]).at(0.5)
    assert new.dtype == np.uint16
    error = np.abs(new.astype(float) - frames[1])[16:-16, 16:-16]
    assert error.mean() < 1.5 * 257
    assert len(np.unique(new)) > 256


def test_a_caption_and_bars_stay_while_the_picture_fades(shipped: Interpolator) -> None:
    frames = [lit(view(0), 1), lit(view(SPEED), 0.3, 0.7 * 255)]
    for frame in frames:
        frame[:BAR] = frame[-BAR:] = 0
        cv2.putText(frame, "12:34", (40, 110), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 20, 220), 5)
    new = shipped.pair(*frames).at(0.5).astype(int)
    letters = cv2.erode((frames[0] == (20, 20, 220)).all(axis=2).astype(np.uint8), np.ones((3, 3))) == 1
    assert letters.sum() > 300
    assert np.abs(new[letters] - (20, 20, 220)).max() <= 3
    assert max(new[: BAR - 4].max(), new[-BAR + 4 :].max()) <= 3


def test_light_that_changes_in_a_part_of_the_picture_only_is_no_fade() -> None:
    lamp = view(SPEED)
    lamp[:, : WIDTH // 2] = lit(lamp[:, : WIDTH // 2], 0.3)
    assert light_between(view(0), lamp) is None


def test_a_moving_picture_is_no_fade_even_if_something_bright_comes_in() -> None:
    bright = view(SPEED)
    bright[:, : WIDTH // 4] = 255
    assert light_between(view(0), view(40)) is None
    assert light_between(view(0), bright) is None
    other = np.ascontiguousarray(texture(10, 400)[:HEIGHT, :WIDTH])
    assert light_between(view(0), lit(other, 0.4)) is None


def test_the_light_of_a_fade_is_measured() -> None:
    light = light_between(view(0), lit(view(SPEED), 0.4, 0.6 * 255))
    assert light is not None
    assert light.gain == pytest.approx(0.4, abs=0.02)
    assert light.offset == pytest.approx([0.6 * 255] * 3, abs=3)


def test_a_dim_scene_is_drawn_with_its_motion(shipped: Interpolator) -> None:
    """A flat night with a small light that moves: none of the two frames is the end of a fade."""
    frames = [np.full((HEIGHT, WIDTH, 3), 12, np.uint8) for _ in range(2)]
    for frame, left in zip(frames, (100, 108), strict=True):
        frame[70:90, left : left + 20] = 40
    new = shipped.pair(*frames).at(0.5)[80].astype(int)
    assert new[106:122].min() > 36
    assert new[[98, 130]].max() < 16
