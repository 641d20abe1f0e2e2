"""flow_fusion: encode each frame once, match each pair once, synthesise each new frame.

Motion starts from DIS (classical flow) and is corrected by what the network has learned. Every correction starts at
zero, so an untrained network already is motion-compensated interpolation, and training is measured against that.

Conventions: pictures are float 0-1 RGB (N, 3, H, W) with H and W multiples of 8; flows float32 (N, 2, h, w), (dx, dy)
in pixels of their own level; features are in the compute type (bf16 where it is faster), geometry always in float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.config import ModelConfig
from engine.motion import backward_warp, inconsistency, project_backward, resize_flow_tensor

from .layers import Network, compute_dtype, conv, correction_head, joined, upsample

_FLOW_SCALE = 1 / 16  # flows enter the convolutions in units of 16 pixels
_TOLERANCE = 0.5  # pixels at 1/4 size; a forward-backward miss of this much halves the trust


@dataclass
class Features:
    """One frame, encoded."""

    picture: Tensor  # (N, 3, H, W) float32
    small: Tensor  # (N, 3, H/2, W/2) float32, the same picture at half size
    quarter: Tensor  # (N, C, H/4, W/4)


@dataclass
class Match:
    """One pair of frames, matched; all that is needed to draw any t between them."""

    frame0: Features
    frame1: Features
    flow_01: Tensor  # (N, 2, H/4, W/4) float32, in pixels of 1/4 size
    flow_10: Tensor
    miss_01: Tensor  # (N, 1, H/4, W/4) forward-backward inconsistency, pixels of 1/4 size
    miss_10: Tensor


@dataclass
class Synthesis:
    """A new frame and how it was made. Flows point from the new frame into the two sources."""

    picture: Tensor  # (N, 3, H, W) float32, not clamped
    flow_t0: Tensor  # (N, 2, H/2, W/2), pixels of 1/2 size
    flow_t1: Tensor
    coarse_t0: Tensor  # (N, 2, H/4, W/4), pixels of 1/4 size, before the last refinement
    coarse_t1: Tensor
    mask: Tensor  # (N, 1, H, W): share of frame 0


class FlowFusion(Network):
    """See the module's docstring."""

    multiple = 8

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        half, quarter, eighth = config.half, config.quarter, config.eighth
        self.encode_net = nn.Sequential(conv(3, half, stride=2), conv(half, quarter, stride=2), conv(quarter, quarter))
        self.match_net = nn.Sequential(_deep(2 * quarter + 3, eighth), upsample(eighth, quarter))
        self.match_head = correction_head(quarter, 2)
        self.coarse_net = _CoarseNet(2 * quarter + 7, quarter, eighth)
        self.coarse_head = correction_head(quarter, 4)
        context = max(half // 2, half - 10)  # besides it, six channels of picture and four of flow
        self.to_half = upsample(quarter, context)
        self.fine_net = nn.Sequential(conv(context + 10, half), conv(half, half))
        self.fine_flow_head = correction_head(half, 4)
        self.picture_head = correction_head(half, 4, doubling=True)  # mask and residual, at full size

    def forward(self, img0: Tensor, img1: Tensor, flow_01: Tensor, flow_10: Tensor, timestep: Tensor) -> Synthesis:
        """Both pictures (N, 3, H, W), first flows at 1/4 size, timestep (N, 1, 1, 1)."""
        pair = self.match(self.encode(img0), self.encode(img1), flow_01, flow_10)
        return self.synthesise(pair, timestep)

    def encode(self, picture: Tensor) -> Features:
        """Pictures (N, 3, H, W) float32 0-1 to their features."""
        features = self.encode_net(picture.to(compute_dtype(self, picture.device.type)))
        return Features(picture, F.avg_pool2d(picture, 2), features)

    def match(self, frame0: Features, frame1: Features, flow_01: Tensor, flow_10: Tensor) -> Match:
        """Corrects the first flows (1/4 size), both directions in one batch."""
        own = torch.cat([frame0.quarter, frame1.quarter])
        other = torch.cat([frame1.quarter, frame0.quarter])
        flow, back = torch.cat([flow_01, flow_10]), torch.cat([flow_10, flow_01])
        geometry = torch.cat([flow * _FLOW_SCALE, _trust(inconsistency(flow, back))], dim=1)
        hidden = self.match_net(joined(own, backward_warp(other, flow), geometry))
        flow = flow + self.match_head(hidden).float()
        flow_01, flow_10 = flow.chunk(2)
        return Match(frame0, frame1, flow_01, flow_10, inconsistency(flow_01, flow_10), inconsistency(flow_10, flow_01))

    def synthesise(self, pair: Match, timestep: Tensor | float) -> Synthesis:
        """The frame at `timestep` (0-1; a number, or (N, 1, 1, 1))."""
        t = torch.as_tensor(timestep, dtype=torch.float32, device=pair.flow_01.device).reshape(-1, 1, 1, 1)
        coarse, hidden = self._coarse_flows(pair, t)
        flows = resize_flow_tensor(coarse, 2)
        seen0, seen1 = backward_warp(pair.frame0.small, flows[:, :2]), backward_warp(pair.frame1.small, flows[:, 2:])
        fine = self.fine_net(joined(self.to_half(hidden), seen0, seen1, flows * _FLOW_SCALE))
        flows = flows + self.fine_flow_head(fine).float()
        correction = self.picture_head(fine).float()
        prior = torch.log((1 - t).clamp(min=1e-4) / t.clamp(min=1e-4))  # nearer in time counts more
        mask = torch.sigmoid(correction[:, :1] + prior)
        towards0, towards1 = resize_flow_tensor(flows, 2).chunk(2, dim=1)
        warped0 = backward_warp(pair.frame0.picture, towards0, cubic=True)
        warped1 = backward_warp(pair.frame1.picture, towards1, cubic=True)
        picture = torch.lerp(warped1, warped0, mask) + correction[:, 1:]
        return Synthesis(picture, flows[:, :2], flows[:, 2:], coarse[:, :2], coarse[:, 2:], mask)

    def _coarse_flows(self, pair: Match, t: Tensor) -> tuple[Tensor, Tensor]:
        """Both flows at 1/4 size (N, 4, h, w), and the decoder's features there."""
        frame0, frame1 = pair.frame0.quarter, pair.frame1.quarter
        motion, geometry = _project(pair, t)
        flows = torch.cat([-t * motion, (1 - t) * motion], dim=1)
        seen0, seen1 = backward_warp(frame0, flows[:, :2]), backward_warp(frame1, flows[:, 2:])
        hidden = self.coarse_net(joined(seen0, seen1, geometry))
        return flows + self.coarse_head(hidden).float(), hidden


def _deep(channels_in: int, channels: int) -> nn.Sequential:
    """Where most of the depth sits: at half the size of its input a layer costs a quarter."""
    return nn.Sequential(conv(channels_in, channels, stride=2), conv(channels, channels), conv(channels, channels))


class _CoarseNet(nn.Module):
    """A small U-Net: 1/4 size, 1/8 size, and back."""

    def __init__(self, channels_in: int, quarter: int, eighth: int) -> None:
        super().__init__()
        self.enter = conv(channels_in, quarter)
        self.deep = nn.Sequential(_deep(quarter, eighth), upsample(eighth, quarter))
        self.leave = conv(quarter, quarter)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels_in, h, w) to (N, quarter, h, w)."""
        entered = self.enter(x)
        return self.leave(entered + self.deep(entered))


def _trust(miss: Tensor) -> Tensor:
    """Forward-backward miss in pixels to a weight: 1 at none, 1/2 at _TOLERANCE, then quickly less."""
    return 1 / (1 + (miss / _TOLERANCE) ** 2)


def _project(pair: Match, t: Tensor) -> tuple[Tensor, Tensor]:
    """Motion 0 -> 1 of what is at x at time t (N, 2, h, w), and what the decoder is told of it (N, 7, h, w).

    Each direction of flow is followed back from time t to its own frame; the two answers are weighed by trust.
    """
    from0 = backward_warp(torch.cat([pair.flow_01, pair.miss_01], dim=1), project_backward(pair.flow_01, t))
    from1 = backward_warp(torch.cat([pair.flow_10, pair.miss_10], dim=1), project_backward(pair.flow_10, 1 - t))
    trust0, trust1 = _trust(from0[:, 2:]) + 1e-3, _trust(from1[:, 2:]) + 1e-3
    motion = (trust0 * from0[:, :2] - trust1 * from1[:, :2]) / (trust0 + trust1)
    disagreement = from0[:, :2] + from1[:, :2]
    time = t.expand_as(trust0)
    return motion, torch.cat([motion * _FLOW_SCALE, disagreement * _FLOW_SCALE, trust0, trust1, time], dim=1)
