"""The last step of a new frame: both pictures warped at full size, mixed, and freed of detail that cannot be known."""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .cores import side_by_side
from .motion import Flow, backward_warp, by_opencv, pixel_grid, resize_flow_tensor, smoothed, to_pixels

_STRIP_PIXELS = 1 << 16  # of a strip: so its planes stay in the cache, and OpenCV keeps it in one thread
_HALO = 4  # rows more on either side: three that detail is left out with, and even
_TWICE = np.array([1, 2, 3, 2, 1], np.float32) / 9  # means of three, twice

Maps = tuple[NDArray[np.int16], NDArray[np.uint16]]


def fuse_warped(
    img0: Tensor, img1: Tensor, flow_t0: Tensor, flow_t1: Tensor, mask: Tensor, less: Tensor | None = None
) -> Tensor:
    """Both pictures (N, 3, H, W) warped (bicubic) and mixed.

    Args:
        flow_t0, flow_t1: (N, 2, H/2, W/2), pixels of half size.
        mask: (N, 1, H, W), share of img0.
        less: (N, 2, H, W), how much detail is left out, see `without_detail`.
    """
    if by_opencv(img0):
        return _fused_strips(img0, img1, (to_pixels(flow_t0), to_pixels(flow_t1)), mask, less)
    warped0 = backward_warp(img0, resize_flow_tensor(flow_t0, 2), cubic=True)
    warped1 = backward_warp(img1, resize_flow_tensor(flow_t1, 2), cubic=True)
    picture = torch.lerp(warped1, warped0, mask)
    return picture if less is None else without_detail(picture, less)


def without_detail(picture: Tensor, less: Tensor) -> Tensor:
    """`picture` (N, C, H, W) with less of its finest detail.

    Args:
        less: (N, 2, H, W), what is taken away of the detail up to about 2 pixels, and up to about 4; 0 nothing, 1 all.
    """
    soft = smoothed(picture)
    softer = F.avg_pool2d(F.avg_pool2d(F.pad(soft, (2, 2, 2, 2), mode="replicate"), 3, stride=1), 3, stride=1)
    fine, coarse = less.split(1, dim=1)
    return picture + fine * (soft - picture) + coarse * (softer - soft)


def _fused_strips(img0: Tensor, img1: Tensor, flows: tuple[Flow, Flow], mask: Tensor, less: Tensor | None) -> Tensor:
    """`fuse_warped` of one picture, in strips of rows and colour by colour, in which OpenCV warps fastest."""
    sides = img0[0].contiguous().numpy(), img1[0].contiguous().numpy()
    share, parts = mask[0, 0].numpy(), None if less is None else less[0].contiguous().numpy()
    fused = np.empty_like(sides[0])
    height, width = share.shape
    rows = max(2 * _HALO, _STRIP_PIXELS // width // 2 * 2)

    def draw(top: int) -> None:
        bottom = min(top + rows, height)
        first, last = (top, bottom) if parts is None else (max(0, top - _HALO), min(height, bottom + _HALO))
        maps = [_maps(flow, first, last) for flow in flows]
        weight = share[first:last]
        for early, late, target in zip(*sides, fused, strict=True):
            plane, other = (
                cv2.remap(side, *positions, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
                for side, positions in zip((early, late), maps, strict=True)
            )
            plane -= other
            plane *= weight
            plane += other
            if parts is not None:
                _leave_out_detail(plane, parts[:, first:last])
            target[top:bottom] = plane[top - first : bottom - first]

    side_by_side(draw, range(0, height, rows))
    return torch.from_numpy(fused)[None]


def _maps(half_flow: Flow, first: int, last: int) -> Maps:
    """Where a flow (H/2, W/2, 2) of half size points to from rows [first, last) of full size, both even.

    As OpenCV's fixed-point maps, to 1/32 pixel: it would convert them for each colour again.
    """
    height, width = half_flow.shape[:2]
    start, stop = max(0, first // 2 - 1), min(height, last // 2 + 1)
    flow = cv2.resize(half_flow[start:stop], (2 * width, 2 * (stop - start)), interpolation=cv2.INTER_LINEAR)
    grid = pixel_grid(2 * height, 2 * width)[first:last]
    position = cv2.scaleAdd(flow[first - 2 * start : last - 2 * start], 2.0, grid)
    return cv2.convertMaps(position, None, cv2.CV_16SC2)


def _leave_out_detail(plane: NDArray[np.float32], less: NDArray[np.float32]) -> None:
    """`without_detail` of one colour (H, W), in place; `less` (2, H, W)."""
    soft = cv2.blur(plane, (3, 3), borderType=cv2.BORDER_REPLICATE)
    softer = cv2.sepFilter2D(soft, -1, _TWICE, _TWICE, borderType=cv2.BORDER_REPLICATE)
    softer -= soft
    softer *= less[1]
    soft -= plane
    soft *= less[0]
    plane += soft
    plane += softer
