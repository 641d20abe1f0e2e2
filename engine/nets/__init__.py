"""The networks, by name."""

from __future__ import annotations

import torch
from torch import nn

from engine.config import ModelConfig
from engine.errors import BadOptionsError

from .encoder_decoder import EncoderDecoder
from .flow_fusion import FlowFusion

ARCHITECTURES: dict[str, type[nn.Module]] = {"flow_fusion": FlowFusion, "encoder_decoder": EncoderDecoder}


def build(config: ModelConfig) -> nn.Module:
    """A network with fresh weights, channels_last. Raises BadOptionsError for an unknown architecture."""
    if config.arch not in ARCHITECTURES:
        raise BadOptionsError(f'"{config.arch}" is not an architecture. Choose {" or ".join(ARCHITECTURES)}.')
    return ARCHITECTURES[config.arch](config).to(memory_format=torch.channels_last)
