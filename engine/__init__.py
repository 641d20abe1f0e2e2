"""Inbetween's engine: everything that touches pixels, without the web.

    from engine import Interpolator, interpolate_frames, interpolate_video

The names below are loaded when first used, so that looking into a file's header does not load PyTorch.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import interpolate_frames, interpolate_video
    from .config import ModelConfig, RenderOptions, TrainConfig
    from .errors import EngineError
    from .interpolator import Interpolator
    from .pairs import interpolate_pairs
    from .render import render_pictures, render_video
    from .video import probe

# PyTorch's threads spin while they wait, and so take the cores from decoding and encoding beside them (measured: a
# render on two busy cores took six times as long). Read when PyTorch is loaded, so it has to be said before.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_HOMES = {
    "EngineError": "errors",
    "Interpolator": "interpolator",
    "ModelConfig": "config",
    "RenderOptions": "config",
    "TrainConfig": "config",
    "interpolate_frames": "api",
    "interpolate_pairs": "pairs",
    "interpolate_video": "api",
    "probe": "video",
    "render_pictures": "render",
    "render_video": "render",
}

__all__ = [
    "EngineError",
    "Interpolator",
    "ModelConfig",
    "RenderOptions",
    "TrainConfig",
    "interpolate_frames",
    "interpolate_pairs",
    "interpolate_video",
    "probe",
    "render_pictures",
    "render_video",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
