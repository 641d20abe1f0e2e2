"""What one level of a byte is worth at each place of flow_fusion: measured while it draws, for `int8` to draw with.

For each channel the steps reach as far as nearly all of its values do (Jacob et al., CVPR 2018, for whole layers).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from .flow_fusion import FlowFusion
from .layers import SLOPE

Steps = dict[str, Tensor]  # float32 (C,), by the name of the place

ZERO = 128  # the byte that stands for nothing
_RARE = 1e-5  # share of a channel's values that may lie beyond its steps
_SAMPLED = 9973  # values of a channel that are looked at in each picture
_KEPT = 0.6  # a leaky ReLU makes what lies below zero small: of its reach so much is kept


class Observed(FlowFusion):
    """`net`, a copy, which remembers the steps of all that it has drawn."""

    def __init__(self, net: FlowFusion) -> None:
        super().__init__(net.config)
        self.load_state_dict(net.state_dict())
        self.steps: Steps = {}
        coarse = self.coarse_net
        shrink, first, second, grow = coarse.deep
        made = [*zip(("read 0", "read 1", "features"), self.encode_net, strict=True)]
        made += [("joined", coarse.enter), ("shrunk", shrink), ("eighth", first), ("second", second), ("joined", grow)]
        made += [("hidden", coarse.leave), ("half", self.to_half)]
        made += [*zip(("fine 0", "fine"), self.fine_net, strict=True)]
        if self.config.detail:
            made.append(("detail", self.detail_net))
        for name, layer in made:
            layer.register_forward_hook(partial(self._see_made, name))
        for name, layer in (("joined", coarse.leave), ("widened", second)):
            layer.register_forward_pre_hook(partial(self._see_given, name))

    def weigh(self, features: tuple[Tensor, Tensor], told: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        self._see_told("coarse told", told)
        return super().weigh(features, told)

    def refine(self, hidden: Tensor, told: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor | None]:
        self._see_told("fine told", told)
        return super().refine(hidden, told)

    def _see_told(self, name: str, told: Sequence[Tensor]) -> None:
        """The channels of a part share their steps."""
        largest = [part.abs().amax(dim=1, keepdim=True).expand_as(part) for part in told]
        self._see(name, torch.cat(largest, dim=1))

    def _see_made(self, name: str, _layer: nn.Module, _given: tuple[Tensor], made: Tensor) -> None:
        """`int8` rounds before the leaky ReLU, so that is what the steps must reach to."""
        self._see(name, made, _KEPT / SLOPE)

    def _see_given(self, name: str, _layer: nn.Module, given: tuple[Tensor]) -> None:
        self._see(name, given[0])

    def _see(self, name: str, x: Tensor, below: float = 1.0) -> None:
        """Of a tensor (N, C, h, w); what lies below zero counts `below` times."""
        values = x.detach().float().transpose(0, 1).flatten(1)
        values = values[:, :: 1 + values.shape[1] // _SAMPLED]
        low, high = torch.quantile(values, values.new_tensor([_RARE, 1 - _RARE]), dim=1)
        step = torch.maximum(high / (255 - ZERO), -below * low / ZERO).clamp(min=1e-6)
        self.steps[name] = torch.maximum(self.steps.get(name, step), step)
