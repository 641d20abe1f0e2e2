"""How alike two pictures are: PSNR and SSIM on RGB uint8 (H, W, 3)."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

SSIM_WINDOW, SSIM_SIGMA = 11, 1.5
SSIM_FLOORS = (0.01 * 255) ** 2, (0.03 * 255) ** 2  # keep flat windows from dividing by nothing (Wang et al., 2004)
PSNR_OF_EQUAL = 100.0  # dB; identical pictures have no finite PSNR, and JSON has no infinity


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB over all pixels and channels; 100 for identical pictures.

    Raises:
        ValueError: the shapes differ.
    """
    _check(a, b)
    error = float(np.mean(np.square(np.subtract(a, b, dtype=np.float32)), dtype=np.float64))
    return PSNR_OF_EQUAL if error == 0 else min(PSNR_OF_EQUAL, 10 * math.log10(255.0**2 / error))


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Structural similarity, 1 for identical pictures: Gaussian window 11x11, sigma 1.5, mean over the channels.

    Raises:
        ValueError: the shapes differ, or a side is below 11 pixels.
    """
    _check(a, b)
    if min(a.shape[:2]) < SSIM_WINDOW:
        raise ValueError(f"SSIM needs {SSIM_WINDOW} pixels a side, not {a.shape[1]}x{a.shape[0]}")
    return sum(_ssim(a[..., channel], b[..., channel]) for channel in range(a.shape[2])) / a.shape[2]


def _ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Of one channel, with OpenCV's filters, as SciPy's take three times as long."""
    middle = np.float32(cv2.mean(a)[0])  # squares of small numbers lose less in float32
    x, y = a.astype(np.float32) - middle, b.astype(np.float32) - middle
    mean_x, mean_y = _windows(x), _windows(y)
    spread = _windows(cv2.accumulateSquare(y, x * x)) - mean_x * mean_x - mean_y * mean_y
    common = _windows(x * y) - mean_x * mean_y
    mean_x, mean_y, (level, contrast) = mean_x + middle, mean_y + middle, SSIM_FLOORS
    alike = (2 * mean_x * mean_y + level) * (2 * common + contrast)
    return float(np.mean(alike / ((mean_x * mean_x + mean_y * mean_y + level) * (spread + contrast)), dtype=np.float64))


def _windows(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means over all windows that lie in the picture whole."""
    reach = SSIM_WINDOW // 2
    means = cv2.GaussianBlur(values, (SSIM_WINDOW, SSIM_WINDOW), SSIM_SIGMA)
    return np.asarray(means[reach:-reach, reach:-reach], np.float32)


def blend(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    """Cross-fade: (1 - t) a + t b, rounded to their type. The reference every interpolation has to beat.

    RGB or RGBA, uint8 or uint16; colours of transparent points do not show through.
    """
    if a.shape[-1] != 4:
        return cv2.addWeighted(a, 1 - t, b, t, 0)
    first, second = a.astype(np.float32), b.astype(np.float32)
    mixed = first * (1 - t) + second * t
    light = first[..., :3] * first[..., 3:] * (1 - t) + second[..., :3] * second[..., 3:] * t
    mixed[..., :3] = light / np.maximum(mixed[..., 3:], 0.5)
    return np.rint(mixed).astype(a.dtype)


def _check(a: np.ndarray, b: np.ndarray) -> None:
    if a.shape != b.shape:
        raise ValueError(f"pictures of different shapes: {a.shape} and {b.shape}")
