"""Cuts are found and nothing else is taken for one; duplicates are found, slow motion is not one."""

import cv2
import numpy as np
import pytest

from engine.scenes import SceneScanner, small_size

Picture = np.ndarray


def texture(seed: int, size: int = 256) -> Picture:
    """Soft random blobs in colour: matched by flow, unlike any other seed's."""
    noise = np.random.default_rng(seed).integers(0, 256, (size // 8, size // 8, 3)).astype(np.uint8)
    return cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)


def pan(seed: int, count: int, speed: int = 3) -> list[Picture]:
    """A view of 192x108 moving over a texture by `speed` pixels per frame."""
    wide = texture(seed, 400)
    return [np.ascontiguousarray(wide[20:128, index * speed : index * speed + 192]) for index in range(count)]


def lit(frame: Picture, gain: float, add: float = 0) -> Picture:
    return np.clip(frame.astype(np.float32) * gain + add, 0, 255).astype(np.uint8)


def cuts(frames: list[Picture]) -> list[int]:
    return [index + 1 for index, gap in enumerate(scan(frames)) if gap.cut]


def scan(frames: list[Picture]) -> list:
    scanner = SceneScanner()
    for frame in frames:
        scanner.push(frame)
    return scanner.finish()


def test_a_cut_is_found_at_the_first_frame_of_the_new_shot() -> None:
    assert cuts(pan(1, 8) + pan(2, 8) + pan(3, 8)) == [8, 16]


def test_a_cut_in_the_very_first_and_last_gap_is_found() -> None:
    assert cuts(pan(1, 1) + pan(2, 6) + pan(3, 1)) == [1, 7]


def test_two_frames_alone_can_be_a_cut() -> None:
    assert cuts([*pan(1, 1), *pan(2, 1)]) == [1]


@pytest.mark.parametrize("speed", [0, 1, 5, 9])
def test_a_pan_has_no_cut(speed: int) -> None:
    assert cuts(pan(4, 20, speed)) == []


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize(("gain", "add"), [(1, 120), (0, 255), (2.5, 40), (0.1, 0)])
def test_a_flash_is_no_cut(length: int, gain: float, add: float) -> None:
    frames = pan(5, 20, 1)
    frames[8 : 8 + length] = [lit(frame, gain, add) for frame in frames[8 : 8 + length]]
    assert cuts(frames) == []


@pytest.mark.parametrize("steps", [6, 12])
@pytest.mark.parametrize("level", [0, 255])
def test_a_fade_out_and_in_is_no_cut(steps: int, level: int) -> None:
    frames = pan(6, 2 * steps + 4, 1)
    gains = [*np.linspace(1, 0, steps), 0, 0, 0, 0, *np.linspace(0, 1, steps)]
    assert cuts([lit(frame, gain, level * (1 - gain)) for frame, gain in zip(frames, gains, strict=True)]) == []


@pytest.mark.parametrize("gain", [0.5, 0.3])
@pytest.mark.parametrize("turned", [False, True])
def test_a_fade_of_two_frames_over_a_soft_picture_is_drawn_and_no_cut(gain: float, turned: bool) -> None:
    soft = cv2.resize(texture(3, 400)[::3, ::3], (400, 400), interpolation=cv2.INTER_CUBIC)
    frames = [np.ascontiguousarray(soft[20:128, index : index + 192]) for index in range(14)]
    gains = [1] * 6 + [gain] + [0] * 7
    gaps = scan([lit(frame, level) for frame, level in zip(frames, gains[:: -1 if turned else 1], strict=True)])
    assert not any(gap.cut for gap in gaps)
    begins = 6 if turned else 5
    assert [gap.still for gap in gaps[begins : begins + 2]] == [False, False]


def test_a_cut_to_a_darker_shot_is_a_cut() -> None:
    assert cuts(pan(14, 6) + [lit(frame, 0.4) for frame in pan(15, 6)]) == [6]


def test_a_dissolve_is_no_cut() -> None:
    a, b = pan(7, 24, 1), pan(8, 24, 1)
    shares = np.clip((np.arange(24) - 6) / 12, 0, 1)
    assert cuts([np.rint(x * (1 - s) + y * s).astype(np.uint8) for x, y, s in zip(a, b, shares, strict=True)]) == []


def test_from_black_to_a_picture_and_from_one_colour_to_another_are_cuts() -> None:
    black, red, blue = (
        np.full((108, 192, 3), colour, np.uint8) for colour in ((0, 0, 0), (200, 30, 30), (30, 30, 200))
    )
    assert cuts([black] * 5 + pan(9, 5, 1)) == [5]
    assert cuts([red] * 5 + [blue] * 5) == [5]


def test_only_equal_frames_are_duplicates() -> None:
    still, moving = pan(10, 1)[0], pan(10, 4, 1)
    noisy = lit(still, 1, 1)
    assert [gap.duplicate for gap in scan([still, still.copy(), noisy, *moving[1:]])] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_duplicates_compressed_twice_are_found_in_a_moving_scene() -> None:
    frames = [frame for frame in pan(11, 8, 4) for _ in range(2)]
    frames[1::2] = [with_specks(frame) for frame in frames[1::2]]
    assert [gap.duplicate for gap in scan(frames)] == [index % 2 == 0 for index in range(15)]


def with_specks(frame: Picture) -> Picture:
    """A few points off by up to 12 levels, as recompression leaves them."""
    noisy = frame.astype(np.int16)
    noisy[::24, ::24] += 12
    return np.clip(noisy, 0, 255).astype(np.uint8)


def test_a_small_thing_that_moves_is_no_duplicate() -> None:
    frames = [pan(12, 1)[0].copy() for _ in range(2)]
    frames[1][50:53, 90:93] = 255 - frames[1][50:53, 90:93]
    assert scan(frames)[0].duplicate is False


def test_motion_is_the_median_speed_in_pixels() -> None:
    assert [round(gap.motion, 1) for gap in scan(pan(13, 5, 4))] == [4.0] * 4
    assert scan(pan(13, 2, 0))[0].motion == 0


def test_small_copies_are_192_pixels_long_and_never_too_thin() -> None:
    assert small_size(1920, 1080) == (192, 108)
    assert small_size(720, 1280) == (108, 192)
    assert small_size(1920, 16) == (192, 32)
