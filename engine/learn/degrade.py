"""What light, lens, sensor and codec do to the three pictures of a sample.

The choice made here, so that a network learns to place things and not to paint faults:
- Light, shadows, lens blur, motion blur and a soft enlargement happen to all three pictures alike: they are part of
  the scene, and the true picture of time t has them as it would in real footage.
- Noise is new in each of img0 and img1 and absent from gt. It cannot be predicted: the best answer is its mean, none.
- JPEG is applied to img0 and img1 at quality q and to gt half as strongly, at (100 + q) / 2: the loss of detail, which
  real targets share, is mostly kept; the blocks, which are chance, mostly are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from .textures import Rng

FIELD = 24  # light is computed at this size and enlarged
NOISE_SIDE = 1152  # px, larger than any picture


@dataclass(frozen=True)
class Light:
    """Exposure, contrast, slope of brightness and a soft shadow, each at time 0 and at time 1, linear between."""

    gain: tuple[float, float] = (1.0, 1.0)
    gamma: tuple[float, float] = (1.0, 1.0)
    slope: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 0.0), (0.0, 0.0))  # (x, y) per half side
    shadow: np.ndarray | None = None  # float32 (FIELD, FIELD): 1 in light, less in shadow
    path: tuple[tuple[float, float], tuple[float, float]] = (
        (0.0, 0.0),
        (0.0, 0.0),
    )  # of the shadow, in cells of the field

    def apply(self, picture: np.ndarray, time: float) -> np.ndarray:
        """RGB uint8 in and out."""
        gain, gamma = _between(self.gain, time), _between(self.gamma, time)
        if (gain, gamma) != (1.0, 1.0):
            table = 255 * gain * np.linspace(0, 1, 256) ** gamma
            picture = cv2.LUT(picture, np.clip(table, 0, 255).round().astype(np.uint8))
        if self.shadow is None and not np.any(self.slope):
            return picture
        field = cv2.resize(self._field(time), picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return cv2.multiply(picture, cv2.cvtColor(field, cv2.COLOR_GRAY2RGB), dtype=cv2.CV_8U)

    def _field(self, time: float) -> np.ndarray:
        x, y = (_between((self.slope[0][axis], self.slope[1][axis]), time) for axis in range(2))
        axis = np.linspace(-1, 1, FIELD, dtype=np.float32)
        field = 1 + np.float32(x) * axis[None] + np.float32(y) * axis[:, None]
        if self.shadow is not None:
            dx, dy = (_between((self.path[0][axis], self.path[1][axis]), time) for axis in range(2))
            shift = np.array([[1, 0, dx], [0, 1, dy]])
            field = field * cv2.warpAffine(self.shadow, shift, (FIELD, FIELD), borderMode=cv2.BORDER_REPLICATE)
        return field


@dataclass(frozen=True)
class Camera:
    """Lens, sensor and codec; zero or None is off."""

    blur: float = 0.0  # sigma, px
    soften: float = 1.0  # the pictures were enlarged from this part of their size
    noise: float = 0.0  # sigma in grey levels at medium grey
    coarse: bool = False  # noise in grains of about two pixels, as after a codec
    quality: int | None = None  # JPEG

    def shoot(self, rng: Rng, picture: np.ndarray, *, target: bool) -> np.ndarray:
        """RGB uint8 in and out; `target` for gt: see the top of this file."""
        if self.blur:
            picture = cv2.GaussianBlur(picture, (0, 0), self.blur)
        if self.soften < 1:
            small = cv2.resize(picture, None, fx=self.soften, fy=self.soften, interpolation=cv2.INTER_AREA)
            picture = cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        if self.noise and not target:
            picture = add_noise(rng, picture, self.noise, coarse=self.coarse)
        if self.quality is not None:
            picture = jpeg(picture, (100 + self.quality) // 2 if target else self.quality)
        return picture


def random_light(rng: Rng) -> Light:
    """Steady light in two thirds of the scenes."""
    gain = gamma = (1.0, 1.0)
    slope = path = ((0.0, 0.0), (0.0, 0.0))
    shadow = None
    if rng.random() < 0.2:
        first, change = np.exp(rng.normal(0, 0.1)), np.exp(rng.normal(0, 0.09))
        gain = (float(first), float(first * change))
    if rng.random() < 0.08:
        gamma = (float(np.exp(rng.normal(0, 0.06))), float(np.exp(rng.normal(0, 0.06))))
    if rng.random() < 0.12:
        start = rng.normal(0, 0.12, 2)
        slope = (_pair(start), _pair(start + rng.normal(0, 0.08, 2)))
    if rng.random() < 0.12:
        shadow = _random_shadow(rng)
        start, move = rng.normal(0, 2, 2), rng.normal(0, 1.2, 2)
        path = (_pair(start), _pair(start + move))
    return Light(gain, gamma, slope, shadow, path)


def random_camera(rng: Rng) -> Camera:
    """A clean picture in about half of the scenes."""
    noisy = rng.random() < 0.3
    return Camera(
        blur=float(rng.uniform(0.4, 1.4)) if rng.random() < 0.12 else 0.0,
        soften=float(rng.uniform(0.5, 0.9)) if rng.random() < 0.06 else 1.0,
        noise=float(np.exp(rng.uniform(np.log(0.6), np.log(7)))) if noisy else 0.0,
        coarse=bool(rng.random() < 0.3),
        quality=int(rng.integers(50, 96)) if rng.random() < 0.25 else None,
    )


def add_noise(rng: Rng, picture: np.ndarray, sigma: float, *, coarse: bool = False) -> np.ndarray:
    """Sensor noise: stronger in bright parts, mostly grey. RGB uint8 in and out."""
    height, width = picture.shape[:2]
    bank = _noise_bank(coarse)
    grains = np.empty(picture.shape, np.float32)
    for channel in range(3):
        y, x = (int(rng.integers(0, NOISE_SIDE - want + 1)) for want in (height, width))
        grains[..., channel] = bank[y : y + height, x : x + width]
    mixed = cv2.transform(
        grains, np.full((3, 3), 0.28) + 0.5 * np.eye(3)
    )  # rows of norm 0.87: common part and own part
    strength = np.sqrt(0.25 + 1.5 * np.arange(256) / 255) * sigma / 0.87
    local = strength.astype(np.float32)[picture]
    return cv2.add(picture, mixed * local, dtype=cv2.CV_8U)


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    """RGB uint8 through JPEG (4:2:0) and back."""
    data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None  # OpenCV has just written it
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)


@cache
def _noise_bank(coarse: bool) -> np.ndarray:
    """Normal noise of sigma 1, float32 (NOISE_SIDE, NOISE_SIDE), made once: new for each picture it would cost most."""
    noise = np.random.default_rng(2024).standard_normal((NOISE_SIDE, NOISE_SIDE), dtype=np.float32)
    grains = cv2.GaussianBlur(noise, (0, 0), 0.9) if coarse else noise
    return np.asarray(grains / grains.std(), np.float32)


def _random_shadow(rng: Rng) -> np.ndarray:
    rough = cv2.resize(rng.random((5, 5), dtype=np.float32), (FIELD, FIELD), interpolation=cv2.INTER_CUBIC)
    soft = 1 / (1 + np.exp(-(rough - rng.uniform(0.35, 0.6)) * np.float32(rng.uniform(8, 40))))
    return (1 - np.float32(rng.uniform(0.2, 0.55)) * soft).astype(np.float32)


def _between(values: tuple[float, float], time: float) -> float:
    return values[0] + (values[1] - values[0]) * time


def _pair(values: np.ndarray) -> tuple[float, float]:
    return float(values[0]), float(values[1])
