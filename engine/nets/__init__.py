"""The networks, by name."""

from __future__ import annotations

from collections.abc import Callable

from engine.config import ModelConfig
from engine.errors import BadOptionsError

from .encoder_decoder import EncoderDecoder
from .flow_fusion import FlowFusion
from .layers import Network, channels_last

__all__ = ["ARCHITECTURES", "EncoderDecoder", "FlowFusion", "Network", "build", "channels_last"]

ARCHITECTURES: dict[str, Callable[[ModelConfig], Network]] = {
    "flow_fusion": FlowFusion,
    "encoder_decoder": EncoderDecoder,
}


def build(config: ModelConfig) -> Network:
    """A network with fresh weights, channels_last. Raises BadOptionsError for an unknown architecture."""
    if config.arch not in ARCHITECTURES:
        raise BadOptionsError(f'"{config.arch}" is not an architecture. Choose {" or ".join(ARCHITECTURES)}.')
    return channels_last(ARCHITECTURES[config.arch](config))
