"""What a network draws of a few pictures kept apart: to see how it learns, not only to read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.checkpoint import untrained_info
from engine.interpolator import Interpolator
from engine.metrics import psnr
from engine.motion import Picture, flow_to_picture
from engine.nets import Network

SHOWN = 4  # triplets
ERROR_GAIN = 4  # differences are shown this many times as bright


@dataclass(frozen=True)
class Shown:
    """One triplet as it is drawn now. Pictures are RGB uint8 (H, W, 3), all of one size."""

    img0: Picture
    img1: Picture
    truth: Picture
    drawn: Picture
    error: Picture  # ERROR_GAIN times the difference, grey
    flow: Picture | None  # img0 -> img1; None of a network that knows no motion
    psnr: float


def show(net: Network, triplets: Sequence[dict[str, Any]], device: str) -> Iterator[Shown]:
    """`net` is copied and left as it is. The triplets are of `samples.validation_set`, spread over all of them."""
    if not triplets:
        return
    interpolator = Interpolator(deepcopy(net), untrained_info(net.config.arch), device)
    for at in sorted({round(at) for at in np.linspace(0, len(triplets) - 1, SHOWN)}):
        one = triplets[at]
        pair = interpolator.pair(one["img0"], one["img1"])
        drawn, truth, flow = pair.at(one["timestep"]), one["gt"], pair.flow()
        yield Shown(
            one["img0"],
            one["img1"],
            truth,
            drawn,
            error_picture(drawn, truth),
            None if flow is None else flow_to_picture(flow),
            float(psnr(drawn, truth)),
        )


def error_picture(drawn: Picture, truth: Picture) -> Picture:
    """Black where they agree; the mean difference of the channels, brighter by ERROR_GAIN, elsewhere."""
    difference = np.abs(drawn.astype(np.int16) - truth.astype(np.int16)).mean(axis=2)
    grey = np.minimum(difference * ERROR_GAIN, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
