"""Training scenes made on the fly: layers of photographs (or drawn textures) that move, cover each other and change light.

Pictures, flows and occlusions are exact at any time t, from sub-pixel motion to a quarter of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypedDict

import cv2
import numpy as np

from ..errors import BadOptionsError
from .degrade import Camera, Light, random_camera, random_light
from .motions import Motion, Rigid, random_rigid, random_waves
from .scene import Layer, Scene
from .shapes import random_mask, soften, text, thin_mask
from .textures import Rng, TextureBank, random_colour

OBJECTS = (0.07, 0.16, 0.21, 0.21, 0.15, 0.12, 0.08)  # how likely 0, 1, ... 6 layers lie over the background
SLOWEST = 0.3  # px between times 0 and 1, of what moves at all
FASTEST = 0.25  # of the side


class Sample(TypedDict):
    """Pictures RGB uint8 (S, S, 3). Flows float32 (S, S, 2) as (dx, dy) px: gt(x) is seen in img0 at x + flow_t0(x), in img1
    at x + flow_t1(x). occ0, occ1 uint8 (S, S): 1 where that point is covered or out of the picture there; the flow is exact
    even so."""

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
        if not 32 <= size <= 512:
            raise BadOptionsError(f"Synthetic pictures of {size} px are out of range. Choose 32 to 512.")
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
        scene, fastest = random_scene(rng, self.bank, self.size)
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
    occ0, occ1 = (plan.scene.hidden(owners[1], flow, other) for flow, other in zip(flows, (owners[0], owners[2])))
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


def random_scene(rng: Rng, bank: TextureBank, side: int) -> tuple[Scene, float]:
    """A scene, and about how far its fastest part moves between times 0 and 1, px."""
    still = rng.random() < 0.02
    camera_speed = 0.0 if still or rng.random() < 0.3 else _speed(rng, side * 0.6)
    middle = (side - 1) / 2
    camera = random_rigid(rng, (middle, middle), side / 2, camera_speed)
    fastest = camera_speed
    photo = bank.pick(rng)
    layers = [_background(rng, bank, photo, side, camera)]
    count = int(rng.choice(len(OBJECTS), p=OBJECTS))
    for number in range(count):
        speed = 0.0 if still or rng.random() < 0.2 else _speed(rng, side)
        near = _parallax(camera, 1 + rng.uniform(0, 0.6) * (number + 1) / count)
        parent = layers[-1].motion.chain if number and rng.random() < 0.2 else (near,)
        layers.append(_object(rng, bank, photo if rng.random() < 0.25 else None, side, speed, parent))
        fastest = max(fastest, camera_speed + speed)
    if rng.random() < 0.08:
        layers.append(_overlay(rng, side))
    return Scene(tuple(layers), side), fastest


def _speed(rng: Rng, side: float) -> float:
    return float(np.exp(rng.uniform(np.log(SLOWEST), np.log(side * FASTEST))))


def _parallax(camera: Rigid, factor: float) -> Rigid:
    """The camera's motion as a nearer layer sees it."""
    return replace(camera, shift=(camera.shift[0] * factor, camera.shift[1] * factor))


def _background(rng: Rng, bank: TextureBank, photo: list[np.ndarray], side: int, camera: Rigid) -> Layer:
    """An opaque layer, large enough to fill the picture from time 0 to 1 unless it is tilted very much."""
    waves = random_waves(rng, side, _speed(rng, side * 0.25)) if rng.random() < 0.12 else None
    motion = Motion((camera,), waves)
    edge = np.float32(side - 1)
    corners = np.array([[[0, 0], [edge, 0], [0, edge], [edge, edge]]], np.float32)
    seen = np.concatenate([motion.to_surface(corners, time) for time in (0.0, 0.5, 1.0)], 1)[0]
    margin = waves.reach if waves else 0.0
    low = np.clip(seen.min(0) - margin - 1, -side, 0)
    high = np.clip(seen.max(0) + margin + 1, side, 2 * side)
    texels = float(rng.uniform(1.0, 1.9) if rng.random() < 0.9 else rng.uniform(0.4, 1))
    width, height = np.ceil((high - low) * texels).astype(int) + 1
    return Layer(bank.crop(rng, int(width), int(height), photo), _point(low), texels, motion)


def _object(
    rng: Rng, bank: TextureBank, photo: list[np.ndarray] | None, side: int, speed: float, parent: tuple[Rigid, ...]
) -> Layer:
    """A layer with an outline that moves on its own on top of `parent`: the camera's motion, or camera's and another
    layer's, to which it is then attached (a hand to an arm)."""
    thin = rng.random() < 0.18
    radius = side * (rng.uniform(0.2, 0.65) if thin else np.exp(rng.uniform(np.log(0.06), np.log(0.6))))
    texels = float(rng.uniform(1.5, 2.1) if thin else rng.uniform(1.0, 1.9))
    aspect = np.exp(np.clip(rng.normal(0, 0.35), -0.8, 0.8))
    half = radius * np.array([aspect, 1 / aspect])
    centre = rng.uniform(-0.05, 1.05, 2) * side
    if len(parent) > 1:
        centre = np.array(parent[-1].centre) + rng.normal(0, 0.12 * side, 2)
        parent = (*parent[:-1], replace(parent[-1], tilt=(0.0, 0.0), tilting=(0.0, 0.0)))  # these explode far from it
    own = random_rigid(rng, _point(centre), float(radius), speed, accelerate=bool(rng.random() < 0.08))
    waves = (
        random_waves(rng, int(2 * radius) + 8, min(speed, radius * 0.5) + 0.1)
        if speed and rng.random() < 0.22
        else None
    )
    width, height = (int(n) for n in np.ceil(2 * half * texels) + 9)
    mask = (thin_mask if thin else random_mask)(rng, width, height, texels)
    patch = _cover(rng, bank, photo, mask, plain=thin and rng.random() < 0.6)
    origin = centre - np.array([width - 1, height - 1]) / 2 / texels
    if rng.random() < 0.07:  # out of focus
        patch, pad = _defocus(patch, texels * rng.uniform(0.8, 3))
        origin = origin - pad / texels
    return Layer(patch, _point(origin), texels, Motion((*parent, own), waves))


def _cover(rng: Rng, bank: TextureBank, photo: list[np.ndarray] | None, mask: np.ndarray, *, plain: bool) -> np.ndarray:
    """A texture cut out by `mask`: uint8 (h, w, 4), RGB times alpha, and alpha."""
    height, width = mask.shape
    if plain:
        colours = np.stack([random_colour(rng) for _ in range(4)]) * 0.35 + random_colour(rng) * 0.65
        texture = cv2.resize(colours.reshape(2, 2, 3).astype(np.float32), (width, height)).astype(np.uint8)
    else:
        texture = bank.crop(rng, width, height, photo)
        if rng.random() < 0.12:
            mask = cv2.min(mask, _matte(rng, texture))
        if rng.random() < 0.4:
            texture = _shade(rng, texture)
    if rng.random() < 0.04:  # glass, smoke
        mask = cv2.convertScaleAbs(mask, alpha=rng.uniform(0.4, 0.9))
    return cv2.merge([*cv2.split(cv2.multiply(texture, cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB), scale=1 / 255)), mask])


def _matte(rng: Rng, texture: np.ndarray) -> np.ndarray:
    """The bright or the dark part of a photograph: outlines as nature draws them. uint8 (h, w)."""
    grey = cv2.GaussianBlur(cv2.cvtColor(texture, cv2.COLOR_RGB2GRAY), (0, 0), rng.uniform(0.8, 3)).astype(np.float32)
    sign = rng.choice([-1.0, 1.0])
    level = np.quantile(sign * grey[::4, ::4], rng.uniform(0.2, 0.6))
    return np.clip((sign * grey - level) * rng.uniform(8, 30), 0, 255).astype(np.uint8)


def _shade(rng: Rng, texture: np.ndarray) -> np.ndarray:
    """Light that falls unevenly on the thing, so that it looks less like paper."""
    light = cv2.resize(
        rng.uniform(0.55, 1.2, (3, 3)).astype(np.float32), texture.shape[1::-1], interpolation=cv2.INTER_CUBIC
    )
    return cv2.multiply(texture, cv2.cvtColor(light, cv2.COLOR_GRAY2RGB), dtype=cv2.CV_8U)


def _defocus(patch: np.ndarray, sigma: float) -> tuple[np.ndarray, int]:
    """The patch blurred, with the room that this needs around it; and how many texels of room."""
    pad = int(3 * sigma) + 1
    return cv2.stackBlur(cv2.copyMakeBorder(patch, pad, pad, pad, pad, cv2.BORDER_CONSTANT), (2 * pad + 1,) * 2), pad


def _overlay(rng: Rng, side: int) -> Layer:
    """A caption or logo that stands still on the screen whatever the camera does."""
    texels, width = 1.0, int(side * rng.uniform(0.3, 1))
    height = int(side * rng.uniform(0.12, 0.4))
    mask = soften(rng, text(rng, width, height, texels), texels, sharp=True)
    if rng.random() < 0.3:  # on a plate
        mask = np.maximum(mask, np.uint8(rng.integers(80, 256)))
    colour = np.full((height, width, 3), random_colour(rng), np.uint8)
    patch = cv2.merge([*cv2.split(cv2.multiply(colour, cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB), scale=1 / 255)), mask])
    origin = float(rng.integers(0, side - width + 1)), float(rng.integers(0, side - height + 1))
    return Layer(patch, origin, texels, Motion())


def _point(values: np.ndarray) -> tuple[float, float]:
    return float(values[0]), float(values[1])
