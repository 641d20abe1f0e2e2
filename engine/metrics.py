"""How alike two pictures are: PSNR and SSIM on RGB uint8 (H, W, 3)."""

from __future__ import annotations

import math

import cv2
import numpy as np
from skimage.metrics import structural_similarity

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
    return float(
        structural_similarity(
            a.astype(np.float32),
            b.astype(np.float32),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=255,
            channel_axis=-1,
        )
    )


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
