"""Small pieces shared by the networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def conv(channels_in: int, channels_out: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    """Convolution and leaky ReLU, initialised for it (Kaiming normal): PyTorch's default makes this network collapse."""
    layer = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2)
    nn.init.kaiming_normal_(layer.weight, a=0.1)
    nn.init.zeros_(layer.bias)
    return nn.Sequential(layer, nn.LeakyReLU(0.1, inplace=True))


def correction_head(channels_in: int, channels_out: int) -> nn.Conv2d:
    """A convolution that starts at exactly zero: before training nothing is corrected."""
    layer = nn.Conv2d(channels_in, channels_out, 3, padding=1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def upsample(channels_in: int, channels_out: int) -> nn.Sequential:
    """(N, channels_in, H, W) to (N, channels_out, 2H, 2W): 1x1 convolution, pixel shuffle, leaky ReLU."""
    layer = nn.Conv2d(channels_in, channels_out * 4, 1)
    nn.init.kaiming_normal_(layer.weight, a=0.1)
    nn.init.zeros_(layer.bias)
    return nn.Sequential(layer, nn.PixelShuffle(2), nn.LeakyReLU(0.1, inplace=True))


def compute_dtype(module: nn.Module, device_type: str) -> torch.dtype:
    """What the convolutions of `module` work in: autocast's type when it is on, else that of the weights."""
    if torch.is_autocast_enabled(device_type):
        return torch.get_autocast_dtype(device_type)
    return next(module.parameters()).dtype


class UNet2(nn.Module):
    """Two levels: 1/1 and 1/2 of its input. Most of the depth sits in the smaller, where a layer costs a quarter."""

    def __init__(self, channels_in: int, width: int, inner: int, depth: int = 3) -> None:
        super().__init__()
        self.enter = conv(channels_in, width)
        self.down = conv(width, inner, stride=2)
        self.inner = nn.Sequential(*[conv(inner, inner) for _ in range(depth)])
        self.up = upsample(inner, width)
        self.leave = conv(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels_in, H, W), H and W even, to (N, width, H, W)."""
        outer = self.enter(x)
        inner = self.down(outer)
        return self.leave(outer + self.up(inner + self.inner(inner)))
