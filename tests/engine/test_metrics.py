"""The figures mean what their names say."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from engine.metrics import blend, psnr, ssim


def noise(seed: int, shape: tuple[int, int, int] = (24, 32, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def test_identical_pictures_score_100_db_and_1() -> None:
    assert psnr(noise(0), noise(0)) == 100.0
    assert ssim(noise(0), noise(0)) == pytest.approx(1.0, abs=1e-6)


def test_an_error_of_one_grey_level_everywhere_is_48_13_db() -> None:
    grey = np.full((16, 16, 3), 100, np.uint8)
    assert psnr(grey, grey + 1) == pytest.approx(48.1308, abs=1e-4)
    assert psnr(np.zeros_like(grey), np.full_like(grey, 255)) == 0.0


def test_ssim_is_the_gaussian_one_of_the_literature() -> None:
    a, b = noise(1), blend(noise(1), noise(2), 0.3)
    expected = structural_similarity(
        a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, channel_axis=-1
    )
    assert ssim(a, b) == pytest.approx(expected, abs=1e-5)


def test_ssim_keeps_its_digits_in_bright_flat_pictures_and_at_hard_edges() -> None:
    flat, halves = np.full((40, 40, 3), 250, np.uint8), np.zeros((40, 40, 3), np.uint8)
    halves[:, 20:] = 255
    for a, b in ((flat, flat - 1), (halves, blend(halves, flat, 0.1))):
        expected = structural_similarity(
            a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, channel_axis=-1
        )
        assert ssim(a, b) == pytest.approx(expected, abs=2e-5)


def test_pictures_smaller_than_the_window_have_no_ssim() -> None:
    with pytest.raises(ValueError, match="11 pixels"):
        ssim(noise(0, (10, 32, 3)), noise(1, (10, 32, 3)))


def test_blend_runs_from_one_picture_to_the_other() -> None:
    a, b = noise(1), noise(2)
    assert np.array_equal(blend(a, b, 0), a)
    assert np.array_equal(blend(a, b, 1), b)
    assert blend(np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 200, np.uint8), 0.25).tolist() == [[[50, 50, 50]]]


def test_pictures_of_different_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="shapes"):
        psnr(noise(0), noise(0, (24, 30, 3)))
