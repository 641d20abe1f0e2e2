"""The networks, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from engine.config import ModelConfig
from engine.errors import BadOptionsError

from ..translation import any_of
from ..translation import gettext as _
from .encoder_decoder import EncoderDecoder
from .flow_fusion import FlowFusion
from .layers import Network, channels_last

__all__ = ["ARCHITECTURES", "EncoderDecoder", "FlowFusion", "Network", "build", "channels_last", "grown"]

ARCHITECTURES: dict[str, Callable[[ModelConfig], Network]] = {
    "flow_fusion": FlowFusion,
    "encoder_decoder": EncoderDecoder,
}

_ADDABLE = ("detail", "wide")  # parts that change nothing before they are trained


def grown(net: Network, wished: ModelConfig) -> Network:
    """`net`, with the parts of `wished` that it lacks; they change nothing before they are trained."""
    lacking = {name: getattr(wished, name) for name in _ADDABLE if not getattr(net.config, name)}
    if not any(lacking.values()) or not isinstance(net, FlowFusion):
        return net
    larger = build(replace(net.config, **lacking))
    larger.load_state_dict(net.state_dict(), strict=False)
    return larger.eval()


def build(config: ModelConfig) -> Network:
    """A network with fresh weights, channels_last. Raises BadOptionsError for an unknown architecture."""
    if config.arch not in ARCHITECTURES:
        raise BadOptionsError(
            _('"{arch}" is not an architecture. Choose {names}.').format(
                arch=config.arch, names=any_of(tuple(ARCHITECTURES))
            )
        )
    return channels_last(ARCHITECTURES[config.arch](config))
