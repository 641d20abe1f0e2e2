"""encoder_decoder: the plain baseline. Two pictures stacked in, the middle one out; no motion, no arbitrary time.

Convolution + ReLU + max-pool encoder, transposed-convolution decoder, sigmoid output; trained with MSE and Adam.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from engine.config import ModelConfig

from .layers import Network, compute_dtype


class EncoderDecoder(Network):
    """(img0, img1) at t = 0.5."""

    multiple = 8

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        widths = (6, config.half, config.quarter, config.eighth)
        stages: list[nn.Module] = []
        for channels_in, channels_out in pairwise(widths):
            stages += [nn.Conv2d(channels_in, channels_out, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
        self.encoder = nn.Sequential(*stages)
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(config.eighth, config.quarter, 2, stride=2), nn.ReLU(inplace=True),
            nn.ConvTranspose2d(config.quarter, config.half, 2, stride=2), nn.ReLU(inplace=True),
            nn.ConvTranspose2d(config.half, 3, 2, stride=2), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, img0: Tensor, img1: Tensor) -> Tensor:
        """Pictures 0-1 (N, 3, H, W) to the middle one (N, 3, H, W) float32."""
        stacked = torch.cat([img0, img1], dim=1).to(compute_dtype(self, img0.device.type))
        return self.decoder(self.encoder(stacked)).float()
