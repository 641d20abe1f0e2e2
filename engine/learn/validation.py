"""Figures on triplets kept apart from training, drawn exactly as users' frames are: through the Interpolator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.checkpoint import untrained_info
from engine.config import ModelConfig
from engine.interpolator import Interpolator
from engine.metrics import blend, psnr, ssim
from engine.motion import Picture
from engine.nets import FlowFusion, Network, build
from engine.nets.byte_steps import Observed, Steps


@dataclass(frozen=True)
class Figures:
    """Means over the triplets; None without triplets."""

    psnr: float | None = None  # dB
    ssim: float | None = None


def validate(net: Network, triplets: Sequence[dict[str, Any]], device: str) -> Figures:
    """PSNR and SSIM of `net`, which is copied and left as it is."""
    interpolator = Interpolator(deepcopy(net), untrained_info(net.config.arch), device)
    return _measure(lambda img0, img1, t: interpolator.pair(img0, img1).at(t), triplets)


def measured_byte_steps(net: Network, triplets: Sequence[dict[str, Any]]) -> Steps:
    """What drawing in 8 bits needs to know of `net`, from what it draws of the triplets; empty where there are none."""
    if not isinstance(net, FlowFusion) or not triplets:
        return {}
    drawing = Observed(net)
    interpolator = Interpolator(drawing, untrained_info(net.config.arch), "cpu")
    for one in triplets:
        interpolator.pair(one["img0"], one["img1"]).at(one["timestep"])
    return drawing.steps


def validate_references(triplets: Sequence[dict[str, Any]], config: ModelConfig) -> dict[str, float | None]:
    """PSNR of blending the two frames, and of the untrained network: what training has to be above."""
    blended = _measure(blend, triplets)
    return {"blend": blended.psnr, "untrained": validate(build(config), triplets, "cpu").psnr}


def _measure(draw: Callable[[Picture, Picture, float], Picture], triplets: Sequence[dict[str, Any]]) -> Figures:
    if not triplets:
        return Figures()
    made = [(draw(one["img0"], one["img1"], one["timestep"]), one["gt"]) for one in triplets]
    return Figures(
        psnr=float(np.mean([psnr(picture, truth) for picture, truth in made])),
        ssim=float(np.mean([ssim(picture, truth) for picture, truth in made])),
    )
