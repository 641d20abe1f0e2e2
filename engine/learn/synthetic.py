"""Training scenes made on the fly: layers of photographs (or drawn textures) that move and cover each other.

Pictures, flows and occlusions are exact at any time t, from sub-pixel motion to a quarter of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import numpy as np

from ..errors import BadOptionsError
from ..translation import gettext as _
from .casting import Caster
from .degrade import Camera, Light, random_camera, random_light
from .scene import Scene
from .textures import Rng, TextureBank

MIN_SIDE, MAX_SIDE = 32, 1024  # px


class Sample(TypedDict):
    """Pictures RGB uint8 (S, S, 3). Flows float32 (S, S, 2) as (dx, dy) px: gt(x) is seen in img0 at x + flow_t0(x), in
    img1 at x + flow_t1(x). occ0, occ1 uint8 (S, S): 1 where that point is covered or out of the picture there; the flow
    is exact even so. What shows through a glassy layer has the layer's flow."""

    img0: np.ndarray
    img1: np.ndarray
    gt: np.ndarray
    timestep: float
    flow_t0: np.ndarray
    flow_t1: np.ndarray
    occ0: np.ndarray
    occ1: np.ndarray


@dataclass(frozen=True)
class Plan:
    """A scene and how it is filmed."""

    scene: Scene
    light: Light = field(default_factory=Light)
    camera: Camera = field(default_factory=Camera)
    shutter: float = 0.0  # part of the time between img0 and img1
    moments: int = 1  # pictures averaged for motion blur; odd


class SyntheticScenes:
    """Makes training samples; one instance holds the textures, every `sample` is a new scene.

    Args:
        photos: picture files to use as textures; none leaves drawn textures only.
        size: side of the pictures, px.
        seed: of the drawn textures, and of samples for which no `rng` is given.
        clean: no noise, JPEG, blur or light change: what the tests of exactness need.
    Raises:
        BadInputError: a photograph cannot be read.
        BadOptionsError: size is out of range.
    """

    def __init__(
        self, photos: Sequence[Path] | None = None, size: int = 192, seed: int = 0, *, clean: bool = False
    ) -> None:
        if not MIN_SIDE <= size <= MAX_SIDE:
            raise BadOptionsError(
                _("Synthetic pictures of {size} px are out of range. Choose {min_side} to {max_side}.").format(
                    size=size, min_side=MIN_SIDE, max_side=MAX_SIDE
                )
            )
        self.size, self.clean = size, clean
        self.bank = TextureBank(photos, seed)
        self._rng = np.random.default_rng(seed)

    def sample(self, rng: Rng | None = None, t: float | None = None) -> Sample:
        """A new scene at `t` (default: mostly 1/2). The same `rng` state gives the same sample."""
        rng = rng if rng is not None else self._rng
        time = random_time(rng) if t is None else t
        return film(rng, self.plan(rng), time)

    def plan(self, rng: Rng) -> Plan:
        """A random scene and a random way to film it."""
        scene, fastest = Caster(rng, self.bank, self.size).scene()
        if self.clean:
            return Plan(scene)
        shutter = float(rng.uniform(0.15, 0.7)) if rng.random() < 0.15 else 0.0
        moments = int(np.clip(fastest * shutter / 1.5, 3, 9)) // 2 * 2 + 1 if shutter else 1
        return Plan(scene, random_light(rng), random_camera(rng), shutter, moments)


def film(rng: Rng, plan: Plan, time: float) -> Sample:
    """The sample of a planned scene at `time`; `rng` is used for noise only."""
    owners, pictures = [], []
    for moment, target in ((0.0, False), (time, True), (1.0, False)):
        picture, owner = plan.scene.draw(moment)
        if plan.moments > 1:
            picture = plan.scene.exposed(moment, plan.shutter, plan.moments)
        owners.append(owner)
        pictures.append(plan.camera.shoot(rng, plan.light.apply(picture, moment), target=target))
    flows = [plan.scene.flow(owners[1], time, end) for end in (0.0, 1.0)]
    occ0, occ1 = (plan.scene.hidden(owners[1], flow, other) for flow, other in zip(flows, owners[::2], strict=True))
    return Sample(
        img0=pictures[0],
        img1=pictures[2],
        gt=pictures[1],
        timestep=time,
        flow_t0=flows[0],
        flow_t1=flows[1],
        occ0=occ0,
        occ1=occ1,
    )


def random_time(rng: Rng) -> float:
    """1/2 in seven cases of ten, else an eighth or any time between 0.1 and 0.9."""
    draw = rng.random()
    if draw < 0.7:
        return 0.5
    return float(rng.integers(1, 8)) / 8 if draw < 0.85 else float(rng.uniform(0.1, 0.9))
