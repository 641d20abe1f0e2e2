"""Random scenes: what lies over what, how large, how it looks and how it moves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from .motions import Motion, Rigid, random_rigid, random_waves
from .scene import Layer, Scene
from .shapes import random_mask, soften, text, thin_mask
from .textures import Rng, TextureBank, random_colour

OBJECTS = (0.06, 0.16, 0.21, 0.21, 0.16, 0.12, 0.08)  # how likely 0, 1, ... 6 layers lie over the background
SLOWEST = 0.4  # px between times 0 and 1, of what moves at all
FASTEST = 0.25  # of the side, in one motion; those of camera and object add up
FARTHEST = 0.4  # of the side: what would go farther, all motions together, is left out
STILL, STEADY, RESTING = 0.02, 0.2, 0.2  # nothing moves at all; the camera stands; an object only moves with the camera
THIN, WAVY, ATTACHED, ACCELERATING, SAME_PHOTO, OVERLAY = 0.18, 0.2, 0.2, 0.08, 0.25, 0.08
DEFOCUSED, GLASSY, MATTED, SHADED = 0.07, 0.04, 0.12, 0.4

Photo = list[np.ndarray]


@dataclass(frozen=True)
class Caster:
    """Makes one scene of side x side pixels."""

    rng: Rng
    bank: TextureBank
    side: int

    def scene(self) -> tuple[Scene, float]:
        """A scene, and about how far its fastest part moves between times 0 and 1, px."""
        rng, side = self.rng, self.side
        still = self.often(STILL)
        speed = 0.0 if still or self.often(STEADY) else self.speed(0.8)
        camera = random_rigid(rng, ((side - 1) / 2, (side - 1) / 2), side / 2, speed)
        photo = self.bank.pick(rng)
        layers, fastest = [self.background(photo, camera, still=still)], speed
        count = int(rng.choice(len(OBJECTS), p=OBJECTS))
        for number in range(count):
            own = 0.0 if still or self.often(RESTING) else self.speed()
            near = nearer(camera, 1 + rng.uniform(0, 0.6) * (number + 1) / count)
            parent = layers[-1].motion.chain if len(layers) > 1 and self.often(ATTACHED) else (near,)
            layer = self.object(photo if self.often(SAME_PHOTO) else None, own, parent)
            distance = layer.travel()
            if distance <= FARTHEST * side:
                layers.append(layer)
                fastest = max(fastest, distance)
        if self.often(OVERLAY):
            layers.append(self.overlay())
        return Scene(tuple(layers), side), fastest

    def often(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def speed(self, scale: float = 1.0) -> float:
        """Log-uniform from SLOWEST to `scale` times the fastest, px between times 0 and 1."""
        return float(np.exp(self.rng.uniform(np.log(SLOWEST), np.log(self.side * FASTEST * scale))))

    def background(self, photo: Photo, camera: Rigid, *, still: bool) -> Layer:
        """An opaque layer, large enough to fill the picture from time 0 to 1 unless it is tilted very much."""
        rng, side = self.rng, self.side
        waves = random_waves(rng, side, self.speed(0.25)) if not still and self.often(WAVY / 2) else None
        motion = Motion((camera,), waves)
        edge, margin = side - 1, 1 + (waves.reach if waves else 0.0)
        corners = np.array([[[0, 0], [edge, 0], [0, edge], [edge, edge]]], np.float32)
        seen = np.concatenate([motion.to_surface(corners, time) for time in (0.0, 0.5, 1.0)], 1)[0]
        low = np.clip(seen.min(0) - margin, -side, 0)
        high = np.clip(seen.max(0) + margin, side, 2 * side)
        texels = float(rng.uniform(0.4, 1) if self.often(0.1) else rng.uniform(1.0, 1.9))  # below 1: out of focus
        width, height = (int(n) for n in np.ceil((high - low) * texels) + 1)
        texture = antialias(self.bank.crop(rng, width, height, photo), texels)
        return Layer(texture, point(low), texels, motion)

    def object(self, photo: Photo | None, speed: float, parent: tuple[Rigid, ...]) -> Layer:
        """A layer with an outline that moves on its own on top of `parent`: the camera's motion, or the camera's and
        another layer's, to which it is then attached (a hand to an arm).
        """
        rng, side, thin = self.rng, self.side, self.often(THIN)
        radius = side * float(rng.uniform(0.2, 0.65) if thin else np.exp(rng.uniform(np.log(0.06), np.log(0.6))))
        texels = float(rng.uniform(1.5, 2.1) if thin else rng.uniform(1.0, 1.9))
        centre = rng.uniform(-0.05, 1.05, 2) * side
        if len(parent) > 1:
            centre = np.array(parent[-1].centre) + rng.normal(0, 0.12 * side, 2)
            parent = (*parent[:-1], replace(parent[-1], tilt=(0.0, 0.0), tilting=(0.0, 0.0)))  # explode far from it
        own = random_rigid(rng, point(centre), radius, speed, accelerate=self.often(ACCELERATING))
        waves = random_waves(rng, int(2 * radius) + 8, min(speed, radius / 2)) if speed and self.often(WAVY) else None
        patch = self.cut_out(photo, radius * texels, texels, thin=thin)
        if self.often(DEFOCUSED):
            patch = defocus(patch, texels * rng.uniform(0.8, 3))
        origin = centre - np.array([patch.shape[1] - 1, patch.shape[0] - 1]) / 2 / texels
        return Layer(patch, point(origin), texels, Motion((*parent, own), waves))

    def cut_out(self, photo: Photo | None, radius: float, texels: float, *, thin: bool) -> np.ndarray:
        """A textured shape: uint8 (h, w, 4), RGB times alpha, and alpha. `radius` in texels."""
        rng = self.rng
        aspect = np.exp(np.clip(rng.normal(0, 0.35), -0.8, 0.8))
        width, height = int(2 * radius * aspect) + 9, int(2 * radius / aspect) + 9
        mask = (thin_mask if thin else random_mask)(rng, width, height, texels)
        if thin and self.often(0.6):
            texture = self.paint(width, height)
        else:
            texture = antialias(self.bank.crop(rng, width, height, photo), texels)
            if self.often(MATTED):
                mask = cv2.min(mask, matte(rng, texture))
            if self.often(SHADED):
                texture = shade(rng, texture)
        if self.often(GLASSY):
            mask = cv2.convertScaleAbs(mask, alpha=rng.uniform(0.4, 0.9))
        return with_alpha(texture, mask)

    def paint(self, width: int, height: int) -> np.ndarray:
        """One colour that varies a little from corner to corner."""
        corners = 0.35 * np.stack([random_colour(self.rng) for _ in range(4)]) + 0.65 * random_colour(self.rng)
        return cv2.resize(corners.reshape(2, 2, 3).astype(np.float32), (width, height)).astype(np.uint8)

    def overlay(self) -> Layer:
        """A caption or logo, some on a plate, that stands still on the screen whatever the camera does."""
        rng, side = self.rng, self.side
        width, height = int(side * rng.uniform(0.3, 1)), int(side * rng.uniform(0.12, 0.4))
        mask = soften(rng, text(rng, width, height, 1.0), 1.0, sharp=True)
        if self.often(0.3):
            mask = np.maximum(mask, np.uint8(rng.integers(80, 256)))
        origin = float(rng.integers(0, side - width + 1)), float(rng.integers(0, side - height + 1))
        return Layer(with_alpha(self.paint(width, height), mask), origin, 1.0, Motion())


def nearer(camera: Rigid, factor: float) -> Rigid:
    """The camera's motion as a nearer layer sees it."""
    return replace(camera, shift=(camera.shift[0] * factor, camera.shift[1] * factor))


def antialias(texture: np.ndarray, texels: float) -> np.ndarray:
    """What sampling every `texels` texels would turn into false detail is blurred away, as a lens and sensor do."""
    if texels <= 1.1:
        return texture
    size = 3 if texels < 1.5 else 5
    return cv2.GaussianBlur(texture, (size, size), 0.45 * texels)


def with_alpha(texture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """RGB times alpha, and alpha: uint8 (h, w, 4)."""
    covered = cv2.multiply(texture, cv2.cvtColor(mask, cv2.COLOR_GRAY2RGB), scale=1 / 255)
    return cv2.merge([*cv2.split(covered), mask])


def matte(rng: Rng, texture: np.ndarray) -> np.ndarray:
    """The bright or the dark part of a photograph: outlines as nature draws them. uint8 (h, w)."""
    grey = cv2.GaussianBlur(cv2.cvtColor(texture, cv2.COLOR_RGB2GRAY), (0, 0), rng.uniform(0.8, 3)).astype(np.float32)
    signed = grey * np.float32(rng.choice([-1.0, 1.0]))
    level = np.quantile(signed[::4, ::4], rng.uniform(0.2, 0.6))
    return np.clip((signed - np.float32(level)) * np.float32(rng.uniform(8, 30)), 0, 255).astype(np.uint8)


def shade(rng: Rng, texture: np.ndarray) -> np.ndarray:
    """Light that falls unevenly on the thing, so that it looks less like paper."""
    coarse = rng.uniform(0.55, 1.2, (3, 3)).astype(np.float32)
    light = cv2.resize(coarse, texture.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return cv2.multiply(texture, cv2.cvtColor(light, cv2.COLOR_GRAY2RGB), dtype=cv2.CV_8U)


def defocus(patch: np.ndarray, sigma: float) -> np.ndarray:
    """The patch out of focus, with the room around it that this needs."""
    pad = int(3 * sigma) + 1
    return cv2.stackBlur(cv2.copyMakeBorder(patch, pad, pad, pad, pad, cv2.BORDER_CONSTANT), (2 * pad + 1, 2 * pad + 1))


def point(values: np.ndarray) -> tuple[float, float]:
    return float(values[0]), float(values[1])
