"""flow_fusion: encode each frame once, match each pair once, synthesise each new frame.

Motion is not invented but chosen. Classical flow (DIS) of both directions, followed to the middle of the pair, gives
several candidates for every place: what each frame says, what both say together, and what is said a little to the left,
right, above and below, since classical flow is wrong mostly beside the edges of moving things. The network weighs the
candidates, first at 1/4 size, then once more at 1/2 size, and says how much of the finest detail is left out where it
cannot be known (noise, water, what neither frame shows). Every learned part starts at zero, so an untrained network
already is motion-compensated interpolation (the candidates are weighed by how well they make both frames agree), and
training can only be measured against that.

Conventions: pictures are float 0-1 RGB (N, 3, H, W) with H and W multiples of 8; flows and motions float32
(N, 2, h, w), (dx, dy) in pixels of their own level; a motion is the way from frame 0 to frame 1 of what lies at x at
the time it is given for; features are in the compute type (bf16 where it is faster), geometry always in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.config import ModelConfig
from engine.fusion import fuse_warped
from engine.matching import seen_along
from engine.motion import (
    backward_warp,
    halved,
    inconsistency,
    interleaved,
    luma,
    planar,
    project_backward,
    resize_flow_tensor,
)

from .layers import Network, Scaled, compute_dtype, conv, correction_head, joined, shifted, upsample

# What enters the convolutions is brought to about the same size, or what is small is not listened to.
_FLOW_SCALE = 1 / 8  # of motions, pixels
_MISS_SCALE = 1 / 2  # of what should be no motion at all
_COST_SCALE = 8.0  # of differences between pictures
_TOLERANCE = 0.5  # pixels at 1/4 size; a forward-backward miss of this much halves the trust
_STEPS = ((0, 1), (0, -1), (1, 0), (-1, 0))  # (down, right)
_COARSE_REACH = (2, 4, 8)  # how far from x candidates are taken, pixels of 1/4 size
_FINE_REACH = 2  # and of 1/2 size
_COARSE_CANDIDATES = 3 + len(_STEPS) * len(_COARSE_REACH)
_FINE_CANDIDATES = 1 + len(_STEPS)
# channels of what the decoders are told besides features: both pictures, compared; geometry; the candidates' costs
COARSE_TOLD = (3, 3, 2, 2, 2, _COARSE_CANDIDATES)
FINE_TOLD = (3, 3, 4, _FINE_CANDIDATES)
_BETA = 60.0  # a candidate whose difference is larger by 1/_BETA of the range counts e times less
_COARSE_LEAD, _FINE_LEAD = 2.0, 3.0  # head start of the place itself, before anything is learned (logits)


@dataclass
class Features:
    """One frame, encoded."""

    picture: Tensor  # (N, 3, H, W) float32
    small: Tensor  # (N, 3, H/2, W/2) float32, the same picture at half size
    luma: Tensor  # (N, 1, H/2, W/2) float32, of the same
    tiny: Tensor  # (N, 3, H/4, W/4) float32, at a quarter
    quarter: Tensor  # (N, C, H/4, W/4)


@dataclass
class Choice:
    """What was chosen from at one level. Kept for training only; `picture_loss` and the like read it."""

    weights: Tensor  # (N, K, h, w), their sum is 1
    motions: Tensor  # (K, N, 2, h, w)
    early: Tensor  # (K, N, C, h, w): frame 0 (RGB or luma) seen along each motion, without gradient
    late: Tensor  # frame 1


@dataclass
class Match:
    """One pair of frames, matched; all that is needed to draw any t between them."""

    frame0: Features
    frame1: Features
    flow_01: Tensor  # (N, 2, H/4, W/4) float32, classical, in pixels of 1/4 size
    flow_10: Tensor
    motion: Tensor  # (N, 2, H/4, W/4) at t = 1/2
    hidden: Tensor  # (N, C, H/4, W/4) what the decoder knows there
    choice: Choice | None


@dataclass
class Synthesis:
    """A new frame and how it was made. Flows point from the new frame into the two sources."""

    picture: Tensor  # (N, 3, H, W) float32, not clamped
    flow_t0: Tensor  # (N, 2, H/2, W/2), pixels of 1/2 size
    flow_t1: Tensor
    mask: Tensor  # (N, 1, H, W): share of frame 0
    pair: Match
    choice: Choice | None  # at 1/2 size


class FlowFusion(Network):
    """See the module's docstring."""

    multiple = 8
    grid = 32  # pixels between the points of its smallest level: a part of a frame that begins on it is seen alike

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        half, quarter, eighth, features = config.half, config.quarter, config.eighth, config.features
        # weights from before there was a stem read the picture at full size
        first, seen = (conv(3, config.stem), config.stem) if config.stem else (conv(3, half, stride=2), half)
        self.encode_net = nn.Sequential(first, conv(seen, features, stride=2), conv(features, features))
        self.coarse_net = _CoarseNet(2 * features + sum(COARSE_TOLD), quarter, eighth, config.wide)
        self.coarse_head = correction_head(quarter, _COARSE_CANDIDATES)
        context = max(half // 2, half - 10)
        self.to_half = upsample(quarter, context)
        self.fine_net = nn.Sequential(conv(context + sum(FINE_TOLD), half), conv(half, half))
        # the choice, and a change of both flows, in tenths of a pixel so that early steps do not jump
        self.fine_head = Scaled(correction_head(half, _FINE_CANDIDATES + 4), [1.0] * _FINE_CANDIDATES + [0.1] * 4)
        self.mask_head = correction_head(half, 1, doubling=True)
        if config.detail:  # weights from before there was such a part have none
            self.detail_net = conv(half, config.detail)
            self.detail_head = correction_head(config.detail, 2, doubling=True)

    def forward(self, img0: Tensor, img1: Tensor, flow_01: Tensor, flow_10: Tensor, timestep: Tensor) -> Synthesis:
        """Both pictures (N, 3, H, W), first flows at 1/4 size, timestep (N, 1, 1, 1)."""
        pair = self.match(self.encode(img0), self.encode(img1), flow_01, flow_10)
        return self.synthesise(pair, timestep)

    def encode(self, picture: Tensor) -> Features:
        """Pictures (N, 3, H, W) float32 0-1 to their features."""
        small = halved(picture)
        features = self.read(small if self.config.stem else picture)
        return Features(planar(picture), small, luma(small), halved(small), features)

    def match(self, frame0: Features, frame1: Features, flow_01: Tensor, flow_10: Tensor) -> Match:
        """Chooses the motion in the middle of the pair from what the first flows (1/4 size) offer."""
        motions, geometry = _candidates(flow_01, flow_10)
        early, late, costs = seen_along(motions, frame0.tiny, frame1.tiny)
        middle = motions[0]
        features = backward_warp(frame0.quarter, -0.5 * middle), backward_warp(frame1.quarter, 0.5 * middle)
        told = *_compared(early[0], late[0]), *geometry, costs * _COST_SCALE
        hidden, logits = self.weigh(features, told)
        weights = _share(logits - _BETA * costs, _COARSE_LEAD)
        motion = _mixed(motions, weights)
        choice = Choice(weights, torch.stack(motions), early, late) if torch.is_grad_enabled() else None
        return Match(frame0, frame1, flow_01, flow_10, motion, hidden, choice)

    def synthesise(self, pair: Match, timestep: Tensor | float) -> Synthesis:
        """The frame at `timestep` (0-1; a number, or (N, 1, 1, 1))."""
        t = torch.as_tensor(timestep, dtype=torch.float32, device=pair.motion.device).reshape(-1, 1, 1, 1)
        motion, hidden = _at_time(pair, t)
        motion = planar(resize_flow_tensor(motion, 2))
        motions = [motion, *shifted(motion, [(y * _FINE_REACH, x * _FINE_REACH) for y, x in _STEPS])]
        early, late, costs = seen_along(motions, pair.frame0.luma, pair.frame1.luma, t)
        flows = torch.cat([-t * motion, (1 - t) * motion], dim=1)
        seen = backward_warp(pair.frame0.small, flows[:, :2]), backward_warp(pair.frame1.small, flows[:, 2:])
        told = *_compared(*seen), flows * _FLOW_SCALE, costs * _COST_SCALE
        chosen, mask, less = self.refine(hidden, told)
        logits, change = chosen.split([_FINE_CANDIDATES, 4], dim=1)
        weights = _share(logits - _BETA * costs, _FINE_LEAD)
        motion = _mixed(motions, weights)
        choice = Choice(weights, torch.stack(motions), early, late) if torch.is_grad_enabled() else None
        flows = torch.cat([-t * motion, (1 - t) * motion], dim=1) + change
        prior = torch.log((1 - t).clamp(min=1e-4) / t.clamp(min=1e-4))  # nearer in time counts more
        mask = torch.sigmoid(mask + prior)
        if less is not None:  # nothing is left out at the frames themselves
            less = less * (4 * t * (1 - t))
            less = less.clamp(0, 1)  # beyond, what is unlike anything learned would be sharpened without measure
        picture = fuse_warped(pair.frame0.picture, pair.frame1.picture, flows[:, :2], flows[:, 2:], mask, less)
        return Synthesis(picture, flows[:, :2], flows[:, 2:], mask, pair, choice)

    # The three parts that are convolutions and nothing else; `int8` does the same in 8 bits.

    def read(self, picture: Tensor) -> Tensor:
        """A picture (N, 3, H, W), or with a stem the one of half size, to features (N, C, H/4, W/4) of the full one."""
        seen = (interleaved(picture) - 0.5) * 2
        return self.encode_net(seen.to(compute_dtype(self, picture.device.type)))

    def weigh(self, features: tuple[Tensor, Tensor], told: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Both frames' features along the motion and what else is known, (N, _, h, w) at 1/4 size, to what is made of
        it (N, C, h, w), and the candidates' logits (N, K, h, w) float32."""
        hidden = self.coarse_net(joined(*features, *told))
        return hidden, planar(self.coarse_head(hidden))

    def refine(self, hidden: Tensor, told: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor | None]:
        """What was made at 1/4 size and what is known at 1/2 size (N, _, h, w) to float32: the candidates' logits and
        the change of both flows (N, K + 4, h, w), the mask's logits (N, 1, 2h, 2w), and the detail to leave out
        (N, 2, 2h, 2w), or None."""
        fine = self.fine_net(joined(self.to_half(hidden), *told))
        less = self.detail_head(self.detail_net(fine)).float() if self.config.detail else None
        return planar(self.fine_head(fine)), self.mask_head(fine).float(), less


class _CoarseNet(nn.Module):
    """A small U-Net: 1/4 size, 1/8 size, and back; with `wide` also 1/16 and 1/32, so that it sees far around."""

    def __init__(self, channels_in: int, quarter: int, eighth: int, wide: int) -> None:
        super().__init__()
        self.enter = conv(channels_in, quarter)
        self.deep = nn.Sequential(
            conv(quarter, eighth, stride=2), conv(eighth, eighth), conv(eighth, eighth), upsample(eighth, quarter)
        )
        self.leave = conv(quarter, quarter)
        if wide:  # weights from before there was such a part have none
            self.wide = _WideNet(eighth, wide)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels_in, h, w) to (N, quarter, h, w)."""
        entered = self.enter(x)
        shrink, first, second, grow = self.deep
        eighth = first(shrink(entered))
        if hasattr(self, "wide"):
            eighth = eighth + self.wide(eighth)
        return self.leave(entered + grow(second(eighth)))


class _WideNet(nn.Module):
    """What is known at 1/16 and 1/32 size of the surroundings, as a change at 1/8 size: zero before it is trained."""

    def __init__(self, eighth: int, wide: int) -> None:
        super().__init__()
        self.shrink = nn.Sequential(conv(eighth, wide, stride=2), conv(wide, wide))
        self.widest = nn.Sequential(
            conv(wide, wide, stride=2), conv(wide, wide), conv(wide, wide), upsample(wide, wide)
        )
        self.grow = nn.Sequential(conv(wide, wide), upsample(wide, wide), correction_head(wide, eighth))

    def forward(self, x: Tensor) -> Tensor:
        """(N, eighth, h, w) to the same."""
        height, width = x.shape[-2:]
        padded = F.pad(x, (0, -width % 4, 0, -height % 4), mode="replicate")
        sixteenth = self.shrink(padded)
        return self.grow(sixteenth + self.widest(sixteenth))[..., :height, :width]


def _candidates(flow_01: Tensor, flow_10: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """K motions at t = 1/2 to choose from (N, 2, h, w), and what the decoder is told of them, (N, 2, h, w) each.

    Each direction of flow is followed from its own frame to the middle. The first candidate weighs the two answers by
    trust, the next two are the answers themselves, the others the first one's neighbours.
    """
    miss_01, miss_10 = inconsistency(flow_01, flow_10), inconsistency(flow_10, flow_01)
    from0 = backward_warp(torch.cat([flow_01, miss_01], dim=1), project_backward(flow_01, 0.5))
    from1 = backward_warp(torch.cat([flow_10, miss_10], dim=1), project_backward(flow_10, 0.5))
    trust0, trust1 = _trust(from0[:, 2:]) + 1e-3, _trust(from1[:, 2:]) + 1e-3
    motion = planar((trust0 * from0[:, :2] - trust1 * from1[:, :2]) / (trust0 + trust1))
    disagreement = from0[:, :2] + from1[:, :2]
    around = shifted(motion, [(y * reach, x * reach) for reach in _COARSE_REACH for y, x in _STEPS])
    geometry = [motion * _FLOW_SCALE, disagreement * _MISS_SCALE, torch.cat([trust0, trust1], dim=1)]
    return [motion, from0[:, :2], -from1[:, :2], *around], geometry


def _compared(early: Tensor, late: Tensor) -> tuple[Tensor, Tensor]:
    """Two pictures as what they have in common and what they differ by: a difference of a few grey levels says much."""
    return early + late - 1, (early - late) * _COST_SCALE


def _share(logits: Tensor, lead: float) -> Tensor:
    """Weights (N, K, h, w) that sum to 1; the first candidate has a head start."""
    start = logits.new_zeros(logits.shape[1])
    start[0] = lead
    return torch.softmax(logits + start.reshape(1, -1, 1, 1), dim=1)


def _mixed(motions: list[Tensor], weights: Tensor) -> Tensor:
    """K motions (N, 2, h, w) weighed by (N, K, h, w): (N, 2, h, w)."""
    total = motions[0] * weights[:, :1]
    for number, motion in enumerate(motions[1:], start=1):
        total = torch.addcmul(total, motion, weights[:, number : number + 1])
    return total


def _at_time(pair: Match, t: Tensor) -> tuple[Tensor, Tensor]:
    """Motion and what is known, carried along that motion from the middle of the pair to time t."""
    if not torch.is_grad_enabled() and bool((t == 0.5).all()):
        return pair.motion, pair.hidden
    offset = project_backward(pair.motion, t - 0.5)
    return backward_warp(pair.motion, offset), backward_warp(pair.hidden, offset)


def _trust(miss: Tensor) -> Tensor:
    """Forward-backward miss in pixels to a weight: 1 at none, 1/2 at _TOLERANCE, then quickly less."""
    return 1 / (1 + (miss / _TOLERANCE) ** 2)
