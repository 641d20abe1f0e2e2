"""Frames with 16 bits and frames with alpha, as the interpolator takes and gives them."""

import numpy as np
import pytest

from engine.errors import BadInputError
from engine.interpolator import Interpolator

from .test_motion import shifted, textured

KINDS = [(dtype, channels) for dtype in (np.uint8, np.uint16) for channels in (3, 4)]


@pytest.fixture(scope="module", params=["flow_fusion", "encoder_decoder"])
def model(request: pytest.FixtureRequest) -> Interpolator:
    return Interpolator.load(request.param, device="cpu", threads=1)


@pytest.fixture(scope="module")
def fusion() -> Interpolator:
    return Interpolator.load("flow_fusion", device="cpu", threads=1)


def deep(image: np.ndarray) -> np.ndarray:
    """The same picture with 16 bits."""
    return image.astype(np.uint16) * 257


def with_alpha(image: np.ndarray, alpha: int | np.ndarray) -> np.ndarray:
    channel = np.broadcast_to(np.asarray(alpha, image.dtype), image.shape[:2])
    return np.dstack([image, channel])


def disc(height: int, width: int, x: float, y: float, radius: float) -> np.ndarray:
    """uint8 (H, W): 255 inside, 0 outside, smooth over a pixel."""
    rows, columns = np.mgrid[:height, :width]
    return (255 * np.clip(radius - np.hypot(columns - x, rows - y) + 0.5, 0, 1)).astype(np.uint8)


def made_of(kind: tuple[type, int], seed: int) -> np.ndarray:
    dtype, channels = kind
    image = textured(48, 64, seed) if channels == 3 else with_alpha(textured(48, 64, seed), disc(48, 64, 30, 24, 14))
    return image if dtype == np.uint8 else deep(image)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_frame_has_the_type_and_channels_of_its_sources(model: Interpolator, kind: tuple[type, int]):
    img0, img1 = made_of(kind, 1), made_of(kind, 2)
    made = model.pair(img0, img1).at(0.5)
    assert (made.dtype, made.shape) == (img0.dtype, img0.shape)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sources_come_back_untouched_at_their_own_times(model: Interpolator, kind: tuple[type, int]):
    img0, img1 = made_of(kind, 1), made_of(kind, 2)
    pair = model.pair(img0, img1)
    assert np.array_equal(pair.at(0), img0)
    assert np.array_equal(pair.at(1), img1)
    assert np.array_equal(model.pair(img0, img0.copy()).at(0.3), img0)


def test_16_bits_and_8_bits_draw_the_same_picture(model: Interpolator):
    image = textured(96, 128)
    moved = shifted(image, 6, 2)
    shallow = model.pair(image, moved).at(0.25).astype(float)
    assert np.abs(model.pair(deep(image), deep(moved)).at(0.25) / 257 - shallow).max() <= 0.5 + 1e-2


def test_16_bits_keep_far_more_than_256_levels(fusion: Interpolator):
    ramp = np.linspace(8000, 24000, 256 * 64).reshape(64, 256)  # a step of less than one 16-bit level per pixel
    frames = [np.repeat(np.rint(ramp + 40 * n)[..., None], 3, axis=2).astype(np.uint16) for n in range(3)]
    made = fusion.pair(frames[0], frames[2]).at(0.5)
    assert len(np.unique(made)) > 10_000
    assert np.abs(made.astype(int) - frames[1]).max() < 64  # a quarter of an 8-bit level


def test_an_opaque_frame_is_drawn_like_one_without_alpha(fusion: Interpolator):
    image = textured(96, 128)
    moved = shifted(image, 6, 2)
    made = fusion.pair(with_alpha(image, 255), with_alpha(moved, 255)).at(0.5)
    assert (made[..., 3] == 255).all()
    assert np.array_equal(made[..., :3], fusion.pair(image, moved).at(0.5))


@pytest.mark.parametrize("seen", [10, 240])
def test_the_colour_of_what_cannot_be_seen_does_not_bleed(fusion: Interpolator, seen: int):
    frames = []
    for x in (50, 58):
        alpha = disc(96, 128, x, 48, 20)
        colour = np.where(alpha[..., None] > 0, seen, (255, 0, 255)).astype(np.uint8)  # magenta where nothing is seen
        frames.append(with_alpha(colour, alpha))
    made = fusion.pair(*frames).at(0.5)
    visible = made[..., 3] > 8
    assert np.abs(made[..., :3][visible].astype(int) - seen).max() <= 4
    assert not made[..., :3][made[..., 3] == 0].any()


@pytest.mark.parametrize("seen", [0, 255])
def test_the_outline_moves_with_what_it_belongs_to(fusion: Interpolator, seen: int):
    frames = [
        with_alpha(np.full((96, 128, 3), seen, np.uint8), disc(96, 128, x, 48, 20)) for x in (48, 56, 64)
    ]  # of one colour: only alpha tells where it is
    alpha = fusion.pair(frames[0], frames[2]).at(0.5)[..., 3]
    wrong = np.abs(alpha.astype(int) - frames[1][..., 3])
    blended = np.abs((frames[0][..., 3].astype(int) + frames[2][..., 3]) // 2 - frames[1][..., 3])
    assert wrong.mean() < 0.25 * blended.mean()


def test_where_nothing_is_there_the_middle_has_nothing_either(model: Interpolator):
    img0, img1 = (with_alpha(textured(48, 64, seed), 0) for seed in (1, 2))
    assert not model.pair(img0, img1).at(0.5)[8:-8, 8:-8, 3].any() or model.info.arch == "encoder_decoder"


@pytest.mark.parametrize("other", [deep(textured(48, 64)), with_alpha(textured(48, 64), 255)])
def test_frames_of_two_kinds_are_refused_with_both(model: Interpolator, other: np.ndarray):
    with pytest.raises(BadInputError, match=r"RGB with 8 bits and RGBA? with \d+ bits"):
        model.pair(textured(48, 64), other)
