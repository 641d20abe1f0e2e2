"""What training minimises. Pictures are float 0-1 (N, 3, H, W)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.nets.flow_fusion import Synthesis

_PYRAMID_LEVELS = 4


def charbonnier(difference: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Mean of a smooth absolute value (Charbonnier et al., 1994)."""
    return (difference * difference + epsilon * epsilon).sqrt().mean()


def laplacian_loss(predicted: Tensor, truth: Tensor, levels: int = _PYRAMID_LEVELS) -> Tensor:
    """Absolute difference over a Laplacian pyramid, every level counting alike (Niklaus and Liu, CVPR 2018).

    The pyramid is linear, so that of the difference is the difference of the pyramids.
    """
    rest, total = predicted - truth, predicted.new_zeros(())
    for _ in range(levels):
        smaller = F.avg_pool2d(rest, 2)
        band = rest - F.interpolate(smaller, scale_factor=2, mode="bilinear", align_corners=False)
        total = total + charbonnier(band)
        rest = smaller
    return total + charbonnier(rest)


def flow_loss(made: Synthesis, flow_t0: Tensor, flow_t1: Tensor, weight: Tensor) -> Tensor:
    """Mean endpoint distance in pixels of full size, of the coarse and the fine flows.

    Args:
        flow_t0, flow_t1: true flows (N, 2, H, W).
        weight: (N, 2, H, W), 0 where a flow is unknown or its point is hidden; channel 0 for flow_t0, 1 for flow_t1.
    """
    total = weight.new_zeros(())
    for coarse, fine, true, seen in (
        (made.coarse_t0, made.flow_t0, flow_t0, weight[:, :1]),
        (made.coarse_t1, made.flow_t1, flow_t1, weight[:, 1:]),
    ):
        for flow, factor in ((coarse, 4), (fine, 2)):
            target, share = F.avg_pool2d(true, factor), F.avg_pool2d(seen, factor)
            distance = ((flow * factor - target).square().sum(1, keepdim=True) + 1e-4).sqrt()
            total = total + (distance * share).sum() / (share.sum() + 1)
    return total / 4


def mask_loss(mask: Tensor, seen: Tensor) -> Tensor:
    """Cross entropy of the fusion mask where the point is visible in one frame only, which is then the one to take.

    Args:
        mask: share of frame 0, (N, 1, H, W). seen: (N, 2, H, W), 1 where the point is visible in frame 0, frame 1.
    """
    seen0, seen1 = seen.chunk(2, dim=1)
    only0, only1 = seen0 * (1 - seen1), seen1 * (1 - seen0)
    mask = mask.clamp(1e-4, 1 - 1e-4)
    total = only0 * mask.log() + only1 * (1 - mask).log()
    return -total.sum() / ((only0 + only1).sum() + 1)


def picture_loss(predicted: Tensor, truth: Tensor) -> Tensor:
    """The loss of flow_fusion's pictures."""
    return laplacian_loss(predicted, truth)


def baseline_loss(predicted: Tensor, truth: Tensor) -> Tensor:
    """The loss of encoder_decoder: mean squared error, as first specified."""
    return torch.nn.functional.mse_loss(predicted, truth)
