"""The networks, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from engine.config import ModelConfig
from engine.errors import BadOptionsError

from .encoder_decoder import EncoderDecoder
from .flow_fusion import FlowFusion
from .layers import Network, channels_last

__all__ = ["ARCHITECTURES", "EncoderDecoder", "FlowFusion", "Network", "build", "channels_last", "grown"]

ARCHITECTURES: dict[str, Callable[[ModelConfig], Network]] = {
    "flow_fusion": FlowFusion,
    "encoder_decoder": EncoderDecoder,
}


def grown(net: Network, detail: int) -> Network:
    """`net`, and where it has no part for `detail` one of that width, which changes nothing before it is trained."""
    if net.config.detail or not detail or not isinstance(net, FlowFusion):
        return net
    larger = build(replace(net.config, detail=detail))
    larger.load_state_dict(net.state_dict(), strict=False)
    return larger.eval()


def build(config: ModelConfig) -> Network:
    """A network with fresh weights, channels_last. Raises BadOptionsError for an unknown architecture."""
    if config.arch not in ARCHITECTURES:
        raise BadOptionsError(f'"{config.arch}" is not an architecture. Choose {" or ".join(ARCHITECTURES)}.')
    return channels_last(ARCHITECTURES[config.arch](config))
