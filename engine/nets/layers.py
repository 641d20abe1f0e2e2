"""Small pieces shared by the networks."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.config import ModelConfig
from engine.motion import planar


class Network(nn.Module):
    """What every architecture has: its configuration, and what picture sides must be divisible by."""

    config: ModelConfig
    multiple: int


SLOPE = 0.1  # of the leaky ReLU


class ConvLeaky(nn.Sequential):
    """Convolution and leaky ReLU; on the CPU without gradients both in one pass (oneDNN)."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W)."""
        layer = self[0]
        if not _fused(x) or x.dtype != layer.weight.dtype:
            return super().forward(x)
        return torch.ops.mkldnn._convolution_pointwise(
            x, layer.weight, layer.bias, layer.padding, layer.stride, layer.dilation, 1, "leaky_relu", [SLOPE], ""
        )


def _fused(x: Tensor) -> bool:
    """Whether oneDNN takes it in one pass: bf16 it refuses on a CPU that has none."""
    if x.device.type != "cpu" or torch.is_grad_enabled():
        return False
    return x.dtype != torch.bfloat16 or torch.ops.mkldnn._is_mkldnn_bf16_supported()


def conv(channels_in: int, channels_out: int, stride: int = 1) -> ConvLeaky:
    """Convolution and leaky ReLU; with stride 2 its kernel is 4x4, so that it sees every pixel alike.

    Initialised by Kaiming's rule: with PyTorch's default the network learns to silence its own corrections.
    """
    layer = nn.Conv2d(channels_in, channels_out, 3 if stride == 1 else 4, stride, padding=1)
    nn.init.kaiming_normal_(layer.weight, a=SLOPE)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return ConvLeaky(layer, nn.LeakyReLU(SLOPE, inplace=True))


def correction_head(channels_in: int, channels_out: int, *, doubling: bool = False) -> nn.Module:
    """A 1x1 convolution that starts at exactly zero: before training nothing is corrected.

    With `doubling` it writes four pixels for each it reads, (N, channels_out, 2H, 2W).
    """
    layer: nn.Conv2d | nn.ConvTranspose2d
    layer = _Doubling(channels_in, channels_out, 2, 2) if doubling else nn.Conv2d(channels_in, channels_out, 1)
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


class _Doubling(nn.ConvTranspose2d):
    """A transposed convolution of few channels in float32; OpenCV puts its pixels in place in half of the time."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """(N, C, H, W) to (N, C', 2H, 2W)."""
        if not _fused(x) or len(x) != 1:
            return super().forward(x, output_size).float()
        corners = head_conv(self)
        return doubled(planar(F.conv2d(x, corners.weight, corners.bias)))


def head_conv(head: nn.Module) -> nn.Conv2d:
    """A `correction_head` as a convolution of 1x1, if it doubles one of (channel, row, column); see `doubled`."""
    if isinstance(head, _Doubling):
        assert head.bias is not None
        weight = head.weight.detach().permute(1, 2, 3, 0).flatten(0, 2)[..., None, None]
        return conv_of(weight, head.bias.detach().repeat_interleave(4))
    assert isinstance(head, nn.Conv2d)
    return head


def conv_of(weight: Tensor, bias: Tensor) -> nn.Conv2d:
    """A convolution of 1x1 with these weights (C', C, 1, 1)."""
    layer = nn.Conv2d(weight.shape[1], weight.shape[0], 1, device="meta")
    layer.weight, layer.bias = (nn.Parameter(values, requires_grad=False) for values in (weight, bias))
    return layer


def doubled(corners: Tensor) -> Tensor:
    """(1, C * 4, H, W) float32 planes, four for each channel, (row, column), to (1, C, 2H, 2W)."""
    _, planes, height, width = corners.shape
    made = np.empty((planes // 4, height, 2, width, 2), np.float32)
    for half_row, pair in enumerate(corners.reshape(planes // 2, 2, height, width).numpy()):
        cv2.merge(list(pair), dst=made[half_row // 2, :, half_row % 2])
    return torch.from_numpy(made).reshape(1, planes // 4, 2 * height, 2 * width)


class Scaled(nn.Module):
    """`head` in float32, each channel times a fixed factor: how far one step of the optimiser can move it.

    Adam moves every weight by about the learning rate whatever it does. A head of 32 channels that writes pixels of
    flow would jump by tenths of a pixel at each step, and the features below learn to be silent.
    """

    factors: Tensor

    def __init__(self, head: nn.Module, factors: list[float]) -> None:
        super().__init__()
        self.head = head
        self.register_buffer("factors", torch.tensor(factors).reshape(1, -1, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) float32."""
        return self.head(x).float() * self.factors


def shifted(x: Tensor, steps: Sequence[tuple[int, int]]) -> list[Tensor]:
    """`x` (N, C, H, W) as it is so far (down, right) of every pixel, once for each step, edges repeated; views."""
    height, width = x.shape[-2:]
    reach = max(abs(way) for step in steps for way in step)
    padded = F.pad(x, (reach, reach, reach, reach), mode="replicate")
    return [
        padded[..., reach + down : reach + down + height, reach + right : reach + right + width]
        for down, right in steps
    ]


def channels_last(net: Network) -> Network:
    """`net` with its weights laid out for convolutions over channels-last pictures; changed in place."""
    for parameter in net.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return net


def joined(*parts: Tensor) -> Tensor:
    """The parts (N, C, H, W) one after the other in channels, in channels_last and the type of the first.

    torch.cat falls back to the slow layout as soon as one part has it, and the convolution after it pays twice. A part
    of one channel always counts as slow: give it together with others.
    """
    first = parts[0]
    return torch.cat([part.to(first.dtype).contiguous(memory_format=torch.channels_last) for part in parts], dim=1)


def upsample(channels_in: int, channels_out: int) -> nn.Sequential:
    """(N, channels_in, H, W) to (N, channels_out, 2H, 2W): transposed convolution, leaky ReLU."""
    layer = nn.ConvTranspose2d(channels_in, channels_out, 2, stride=2)  # each pixel of the result sees one of the input
    nn.init.normal_(layer.weight, std=(2 / (1 + SLOPE**2) / channels_in) ** 0.5)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return nn.Sequential(layer, nn.LeakyReLU(SLOPE, inplace=True))


def compute_dtype(module: nn.Module, device_type: str) -> torch.dtype:
    """What the convolutions of `module` work in: autocast's type when it is on, else that of the weights."""
    if torch.is_autocast_enabled(device_type):
        return torch.get_autocast_dtype(device_type)
    return next(module.parameters()).dtype
