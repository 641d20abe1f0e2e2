"""Small pieces shared by the networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def conv(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    """Convolution and leaky ReLU; with stride 2 its kernel is 4x4, so that it sees every pixel alike.

    Initialised by Kaiming's rule: with PyTorch's default the network learns to silence its own corrections.
    """
    layer = nn.Conv2d(channels_in, channels_out, 3 if stride == 1 else 4, stride, padding=1)
    nn.init.kaiming_normal_(layer.weight, a=0.1)
    nn.init.zeros_(layer.bias)
    return nn.Sequential(layer, nn.LeakyReLU(0.1, inplace=True))


def correction_head(channels_in: int, channels_out: int, *, doubling: bool = False) -> nn.Module:
    """A convolution that starts at exactly zero: before training nothing is corrected. `doubling`: to twice the size."""
    layer: nn.Conv2d | nn.ConvTranspose2d
    if doubling:
        layer = nn.ConvTranspose2d(channels_in, channels_out, 4, stride=2, padding=1)
    else:
        layer = nn.Conv2d(channels_in, channels_out, 3, padding=1)
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def upsample(channels_in: int, channels_out: int) -> nn.Sequential:
    """(N, channels_in, H, W) to (N, channels_out, 2H, 2W): transposed convolution, leaky ReLU."""
    layer = nn.ConvTranspose2d(channels_in, channels_out, 2, stride=2)  # each pixel of the result sees one of the input
    nn.init.normal_(layer.weight, std=(2 / (1 + 0.1**2) / channels_in) ** 0.5)
    nn.init.zeros_(layer.bias)
    return nn.Sequential(layer, nn.LeakyReLU(0.1, inplace=True))


def compute_dtype(module: nn.Module, device_type: str) -> torch.dtype:
    """What the convolutions of `module` work in: autocast's type when it is on, else that of the weights."""
    if torch.is_autocast_enabled(device_type):
        return torch.get_autocast_dtype(device_type)
    return next(module.parameters()).dtype
