"""What training minimises. Pictures are float 0-1 (N, 3, H, W)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.motion import smoothed
from engine.nets.flow_fusion import Choice, Synthesis

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


def choice_loss(choice: Choice, truth: Tensor, counts: Tensor | None = None) -> Tensor:
    """The error that the chosen motions lead to: of each candidate on its own, weighed by its share.

    A picture drawn with the mixed motion tells little of which candidate was the right one; this tells it directly, on
    footage without known motion too. A candidate has to fit both frames, but half the error is that of the better one:
    where one frame hides the place, no motion fits both.

    Args:
        truth: (N, C, h, w) at the size of the choice, RGB or luma as it is.
        counts: (N,), how much each sample counts; None: all alike.
    """
    early, late = _distance(choice.early, truth), _distance(choice.late, truth)
    error = 0.25 * (early + late) + 0.5 * torch.minimum(early, late)
    expected = (choice.weights * error).sum(dim=1).mean(dim=(1, 2))
    if counts is None:
        return expected.mean()
    return (expected * counts).sum() / counts.sum().clamp(min=1)


def chosen_flow_loss(choice: Choice, motion: Tensor, known: Tensor) -> Tensor:
    """How far the candidates are from the true motion, weighed by their shares; 0-1, see `_saturated`.

    Args:
        motion: (N, 2, h, w) from frame 0 to frame 1, pixels of the choice's size. known: (N, 1, h, w), 0-1.
    """
    distance = _saturated(choice.motions - motion, 0.5).transpose(0, 1)
    return ((choice.weights * distance).sum(dim=1, keepdim=True) * known).sum() / (known.sum() + 1)


def flow_loss(made: Synthesis, flow_t0: Tensor, flow_t1: Tensor, seen: Tensor) -> Tensor:
    """How far the final flows are from the true ones where the point is visible; 0-1, see `_saturated`.

    Args:
        flow_t0, flow_t1: true flows at half size, pixels of half size (N, 2, h, w).
        seen: (N, 2, h, w), 0 where a flow is unknown or its point is hidden; channel 0 for flow_t0, 1 for flow_t1.
    """
    total = seen.new_zeros(())
    for flow, true, weight in ((made.flow_t0, flow_t0, seen[:, :1]), (made.flow_t1, flow_t1, seen[:, 1:])):
        distance = _saturated((flow - true)[None], 1.0)[0]
        total = total + (distance[:, None] * weight).sum() / (weight.sum() + 1)
    return total / 2


def _distance(pictures: Tensor, truth: Tensor) -> Tensor:
    """(K, N, C, h, w) and (N, C, h, w) to the mean difference over 3x3 pixels, (N, K, h, w)."""
    distance = (pictures - truth).abs().mean(dim=2).transpose(0, 1)
    return smoothed(distance)


def _saturated(difference: Tensor, half_at: float) -> Tensor:
    """Length of the vectors (K, N, 2, h, w) as d / (d + half_at), (K, N, h, w): what is hopelessly wrong, because
    nothing at hand knows that motion, must not outweigh what can be put right."""
    distance = (difference.square().sum(dim=2) + 1e-6).sqrt()
    return distance / (distance + half_at)


def mask_loss(mask: Tensor, seen: Tensor) -> Tensor:
    """Cross entropy of the fusion mask where the point is visible in one frame only, which is then the one to take.

    Args:
        mask: share of frame 0, (N, 1, H, W). seen: (N, 2, H/2, W/2), 1 where the point is visible in frame 0, frame 1.
    """
    seen0, seen1 = seen.chunk(2, dim=1)
    only0, only1 = seen0 * (1 - seen1), seen1 * (1 - seen0)
    mask = F.avg_pool2d(mask, 2).clamp(1e-4, 1 - 1e-4)
    total = only0 * mask.log() + only1 * (1 - mask).log()
    return -total.sum() / ((only0 + only1).sum() + 1)


def picture_loss(predicted: Tensor, truth: Tensor) -> Tensor:
    """The loss of flow_fusion's pictures."""
    return laplacian_loss(predicted, truth)


def decibel_loss(predicted: Tensor, truth: Tensor) -> Tensor:
    """Mean over the samples of the logarithm (base 10) of the mean squared error: PSNR is -10 times it.

    Every sample counts alike, however hard it is, and averaging what is uncertain is rewarded as PSNR rewards it.
    """
    return torch.log10((predicted - truth).square().mean(dim=(1, 2, 3)) + 1e-6).mean()


def baseline_loss(predicted: Tensor, truth: Tensor) -> Tensor:
    """The loss of encoder_decoder: mean squared error, as first specified."""
    return torch.nn.functional.mse_loss(predicted, truth)
