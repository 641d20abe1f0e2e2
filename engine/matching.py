"""How well motions fit: both frames are seen along each of several, and compared."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .cores import side_by_side
from .motion import backward_warp, by_opencv, from_pixels, pixel_planes, smoothed, to_pixels

Plane = NDArray[np.float32]  # (H, W)


def seen_along(
    motions: Tensor, picture0: Tensor, picture1: Tensor, t: Tensor | float = 0.5
) -> tuple[Tensor, Tensor, Tensor]:
    """Both pictures (N, C, h, w) at time t along each motion (K, N, 2, h, w), without gradient.

    Returns:
        Two (K, N, C, h, w), bilinear; without gradients of the first motion only, (1, N, C, h, w). And how much they
        differ, (N, K, h, w): absolute, mean over the channels and 3x3 pixels.
    """
    if by_opencv(picture0):
        return _seen_by_opencv(motions[:, 0], to_pixels(picture0), to_pixels(picture1), float(t))
    with torch.no_grad():
        early = torch.stack([backward_warp(picture0, -t * motion) for motion in motions])
        late = torch.stack([backward_warp(picture1, (1 - t) * motion) for motion in motions])
        return early, late, smoothed((early - late).abs().mean(dim=2).transpose(0, 1))


def _seen_by_opencv(
    motions: Tensor, picture0: NDArray[np.float32], picture1: NDArray[np.float32], t: float
) -> tuple[Tensor, Tensor, Tensor]:
    """`seen_along` of one pair: motions (K, 2, h, w), pictures (h, w, C); the motions side by side."""
    _, _, height, width = motions.shape
    grid, planes = pixel_planes(height, width)[:, None], motions.transpose(0, 1)
    from0, from1 = (torch.add(grid, planes, alpha=share).numpy() for share in (-t, 1 - t))
    costs = np.empty((len(motions), height, width), np.float32)

    def compare(number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        early, late = (
            cv2.remap(picture, across[number], down[number], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for picture, (across, down) in ((picture0, from0), (picture1, from1))
        )
        apart = cv2.absdiff(early, late)
        if apart.ndim == 3:
            apart = cv2.transform(apart, np.full((1, apart.shape[2]), 1 / apart.shape[2], np.float32))
        cv2.blur(apart, (3, 3), dst=costs[number], borderType=cv2.BORDER_REPLICATE)
        return early, late

    early, late = side_by_side(compare, range(len(motions)))[0]
    return from_pixels(early)[None], from_pixels(late)[None], torch.from_numpy(costs)[None]
