"""How a synthetic layer moves: exact maps between its own plane and the picture at any time.

A layer's plane is measured in output pixels; at time 1/2 it lies about where it is seen. A point q of the layer's
surface is seen at time s at x = M(s) w, where w solves w + D(s, w) = q: M is a homography, D a small sum of travelling
waves. So picture -> surface (rendering) is explicit, and surface -> picture (flow) is, too, without waves; with them it
is a contraction.
Times run from 0 (img0) to 1 (img1). Points are float32 (..., 2) as (x, y).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from .textures import Rng

SOLVER_STEPS = 12  # of a contraction by at most BEND: leaves 1e-6 of the first error
BEND = 0.32  # largest sum of |gradient| of the waves


@dataclass(frozen=True)
class Rigid:
    """A homography that changes smoothly. Changes are from time 0 to 1; everything turns and scales about `centre`."""

    centre: tuple[float, float]
    shift: tuple[float, float] = (0.0, 0.0)  # px
    bend: tuple[float, float] = (0.0, 0.0)  # px per unit of time squared
    angle: float = 0.0  # radians, at time 1/2
    turn: float = 0.0  # radians
    zoom: tuple[float, float] = (0.0, 0.0)  # change of log scale in x and y
    shear: float = 0.0
    tilt: tuple[float, float] = (0.0, 0.0)  # perspective, 1/px, at time 1/2
    tilting: tuple[float, float] = (0.0, 0.0)  # perspective, 1/px

    def matrix(self, time: float) -> np.ndarray:
        """Plane to picture, float64 (3, 3)."""
        s = time - 0.5
        (cx, cy), angle = self.centre, self.angle + self.turn * s
        cos, sin = np.cos(angle), np.sin(angle)
        size = np.exp(np.array(self.zoom) * s)
        linear = np.array([[cos, -sin], [sin, cos]]) @ np.array([[size[0], self.shear * s], [0, size[1]]])
        result = np.eye(3)
        result[:2, :2] = linear
        result[2, :2] = np.array(self.tilt) + np.array(self.tilting) * s
        place = np.eye(3)
        place[:2, 2] = [
            cx + self.shift[0] * s + self.bend[0] * s * s / 2,
            cy + self.shift[1] * s + self.bend[1] * s * s / 2,
        ]
        back = np.eye(3)
        back[:2, 2] = -cx, -cy
        return place @ result @ back


@dataclass(frozen=True)
class Waves:
    """D(s, w): for each axis a sum of amplitude * sin(k . w + phase + speed * (s - 1/2)); arrays (2 axes, N waves)."""

    amplitude: np.ndarray  # px
    k: np.ndarray  # (2, N, 2), radians per px
    phase: np.ndarray
    speed: np.ndarray  # radians from time 0 to 1

    def at(self, points: np.ndarray, time: float) -> np.ndarray:
        """Displacement float32 (..., 2) at plane points (..., 2)."""
        result = np.zeros_like(points)
        for axis in range(2):
            for n in range(self.amplitude.shape[1]):
                (kx, ky), offset = self.k[axis, n], self.phase[axis, n] + self.speed[axis, n] * (time - 0.5)
                argument = points[..., 0] * np.float32(kx) + (points[..., 1] * np.float32(ky) + np.float32(offset))
                result[..., axis] += np.float32(self.amplitude[axis, n]) * np.sin(argument)
        return result

    @property
    def reach(self) -> float:
        """The largest displacement, px."""
        return float(np.abs(self.amplitude).sum(1).max())


@dataclass(frozen=True)
class Motion:
    """A chain of rigid motions, outermost first (camera, parent, own), and optional waves on the surface."""

    chain: tuple[Rigid, ...] = ()
    waves: Waves | None = None
    _matrices: dict[float, np.ndarray] = field(default_factory=dict, compare=False, repr=False)

    def matrix(self, time: float) -> np.ndarray:
        """Plane to picture, float64 (3, 3), without the waves."""
        if time not in self._matrices:
            result = np.eye(3)
            for rigid in self.chain:
                result = result @ rigid.matrix(time)
            self._matrices[time] = result
        return self._matrices[time]

    def to_surface(self, pixels: np.ndarray, time: float) -> np.ndarray:
        """The surface points seen at these pixels."""
        plane = project(pixels, np.linalg.inv(self.matrix(time)))
        return plane if self.waves is None else plane + self.waves.at(plane, time)

    def carry(self, pixels: np.ndarray, start: float, end: float) -> np.ndarray:
        """Where what is seen at these pixels at time `start` lies at time `end`."""
        if start == end:
            return pixels
        if self.waves is None:
            return project(pixels, self.matrix(end) @ np.linalg.inv(self.matrix(start)))
        surface = self.to_surface(pixels, start)
        plane = surface - self.waves.at(surface, end)
        for _ in range(SOLVER_STEPS):
            plane = surface - self.waves.at(plane, end)
        return project(plane, self.matrix(end))


def project(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points (H, W, 2) through a homography; float32."""
    if matrix[2, 0] == 0 and matrix[2, 1] == 0:
        return cv2.transform(points, matrix[:2] / matrix[2, 2])
    return cv2.perspectiveTransform(points, matrix)


def random_direction(rng: Rng, size: float) -> tuple[float, float]:
    """A vector of length `size`; along x more often than along y, as in most footage."""
    angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.6 else rng.choice([0, np.pi]) + rng.normal(0, 0.2)
    return float(size * np.cos(angle)), float(size * np.sin(angle))


def random_rigid(
    rng: Rng, centre: tuple[float, float], radius: float, size: float, *, accelerate: bool = False
) -> Rigid:
    """Motion of about `size` pixels between times 0 and 1 of a thing of this radius: a shift, with some turning etc."""
    sign, part = rng.choice([-1.0, 1.0], 6), rng.random(6) ** 2 * (rng.random(6) < 0.6)
    amount = size * part / radius  # relative change of place at the rim
    turn, zoom, stretch, shear = np.minimum(amount[:4] * [1, 0.8, 0.4, 0.4], [0.5, 0.3, 0.2, 0.2]) * sign[:4]
    tilting = np.minimum(0.6 * amount[4:], 0.2) / radius * sign[4:]
    shift = random_direction(rng, size * rng.uniform(0.5, 1))
    return Rigid(
        centre=centre,
        shift=shift,
        bend=random_direction(rng, size * rng.uniform(0.2, 1.2)) if accelerate else (0.0, 0.0),
        angle=float(rng.normal(0, 0.08)),
        turn=float(turn),
        zoom=(float(zoom + stretch), float(zoom - stretch)),
        shear=float(shear),
        tilt=tuple(rng.normal(0, 0.05, 2) / max(radius, 40)) if rng.random() < 0.3 else (0.0, 0.0),
        tilting=(float(tilting[0]), float(tilting[1])),
    )


def random_waves(rng: Rng, side: int, size: float) -> Waves:
    """Waves that move the surface by about `size` pixels between times 0 and 1, of length 1/4 to 1.3 of `side`."""
    count = int(rng.integers(1, 3))
    length, angle = side * rng.uniform(0.25, 1.3, (2, count)), rng.uniform(0, 2 * np.pi, (2, count))
    k = 2 * np.pi / length
    speed = rng.uniform(0.4, 2.2, (2, count)) * rng.choice([-1.0, 1.0], (2, count))
    amplitude = size / np.abs(speed) * rng.uniform(0.4, 1, (2, count))
    amplitude *= min(1.0, BEND / float((amplitude * k).sum()))
    return Waves(
        amplitude, np.stack([k * np.cos(angle), k * np.sin(angle)], -1), rng.uniform(0, 2 * np.pi, (2, count)), speed
    )
