"""How well motions fit: both frames are seen along each of several, and compared."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .cores import side_by_side
from .motion import backward_warp, by_opencv, from_pixels, pixel_planes, planar, smoothed, to_pixels

Planes = NDArray[np.float32]


def seen_along(
    motions: Sequence[Tensor], picture0: Tensor, picture1: Tensor, t: Tensor | float = 0.5
) -> tuple[Tensor, Tensor, Tensor]:
    """Both pictures (N, C, h, w) at time t along each of K motions (N, 2, h, w), without gradient.

    Returns:
        Two (K, N, C, h, w), bilinear; without gradients of the first motion only, (1, N, C, h, w). And how much they
        differ, (N, K, h, w): absolute, mean over the channels and 3x3 pixels.
    """
    if by_opencv(picture0):
        planes = [planar(motion)[0].numpy() for motion in motions]
        return _seen_by_opencv(planes, to_pixels(picture0), to_pixels(picture1), float(t))
    with torch.no_grad():
        early = torch.stack([backward_warp(picture0, -t * motion) for motion in motions])
        late = torch.stack([backward_warp(picture1, (1 - t) * motion) for motion in motions])
        return early, late, smoothed((early - late).abs().mean(dim=2).transpose(0, 1))


def _seen_by_opencv(
    motions: Sequence[Planes], picture0: Planes, picture1: Planes, t: float
) -> tuple[Tensor, Tensor, Tensor]:
    """`seen_along` of one pair: motions (2, h, w), pictures (h, w, C); the motions side by side."""
    height, width = motions[0].shape[1:]
    grid = pixel_planes(height, width).numpy()
    costs = np.empty((len(motions), height, width), np.float32)

    def compare(number: int) -> tuple[Planes, Planes]:
        early, late = (
            cv2.remap(picture, *_added(grid, motions[number], share), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for picture, share in ((picture0, -t), (picture1, 1 - t))
        )
        apart = cv2.absdiff(early, late)
        if apart.ndim == 3:
            apart = cv2.transform(apart, np.full((1, apart.shape[2]), 1 / apart.shape[2], np.float32))
        cv2.blur(apart, (3, 3), dst=costs[number], borderType=cv2.BORDER_REPLICATE)
        return early, late

    early, late = side_by_side(compare, range(len(motions)))[0]
    return from_pixels(early)[None], from_pixels(late)[None], torch.from_numpy(costs)[None]


def _added(grid: Planes, motion: Planes, share: float) -> tuple[Planes, Planes]:
    """grid + share * motion, both (2, h, w); in two planes, as OpenCV's maps."""
    return cv2.scaleAdd(motion[0], share, grid[0]), cv2.scaleAdd(motion[1], share, grid[1])
