"""Outlines of synthetic layers: masks uint8 (H, W), 0 clear to 255 covered, with soft edges."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .textures import FONTS, Rng, fractal, random_text

SUBPIXEL = 4  # bits: outlines are placed to 1/16 of a texel


def random_mask(rng: Rng, width: int, height: int, texels: float) -> np.ndarray:
    """A random shape that fills most of (height, width), clear of the border. `texels`: texels per output pixel."""
    kind = SHAPES[rng.choice(len(SHAPES), p=_WEIGHTS)][0]
    mask = kind(rng, width, height, texels)
    if rng.random() < 0.15:
        _punch(rng, mask)
    return soften(rng, mask, texels)


def thin_mask(rng: Rng, width: int, height: int, texels: float) -> np.ndarray:
    """Wires, a fence, a line of text or twigs, one to five output pixels thick."""
    kind = (wires, fence, text, twigs)[rng.integers(4)]
    return soften(rng, kind(rng, width, height, texels), texels, sharp=True)


def soften(rng: Rng, mask: np.ndarray, texels: float, *, sharp: bool = False) -> np.ndarray:
    """Edges as a lens draws them, at least as soft as one output pixel; the border is cleared."""
    sigma = texels * (0.3 if sharp else rng.uniform(0.3, 0.8))
    soft = cv2.GaussianBlur(mask, (0, 0), sigma)
    soft[[0, -1]] = 0
    soft[:, [0, -1]] = 0
    return soft


def blob(rng: Rng, width: int, height: int, texels: float) -> np.ndarray:
    """A smooth closed curve: a circle bent by a few low frequencies."""
    angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    radius = np.ones_like(angle)
    for frequency in range(2, int(rng.integers(3, 9))):
        radius += rng.normal(0, 0.45 / frequency) * np.cos(frequency * angle + rng.uniform(0, 2 * np.pi))
    radius = np.maximum(radius, 0.15)
    return _fill(np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1), width, height)


def polygon(rng: Rng, width: int, height: int, texels: float) -> np.ndarray:
    """A convex or star-like polygon of 3-9 corners."""
    count = int(rng.integers(3, 10))
    angle = np.sort(2 * np.pi * (np.arange(count) + rng.uniform(-0.4, 0.4, count)) / count + rng.uniform(0, 7))
    radius = rng.uniform(0.35 if rng.random() < 0.5 else 0.8, 1.0, count)
    return _fill(np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1), width, height)


def box(rng: Rng, width: int, height: int, texels: float) -> np.ndarray:
    """A rectangle, upright or a little turned: signs, windows, vehicles, walls."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float) * rng.uniform(0.5, 1, 2)
    angle = rng.normal(0, 0.2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return _fill(corners @ turn + rng.normal(0, 0.06, (4, 2)), width, height)


def ellipse(rng: Rng, width: int, height: int, texels: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    return _fill(np.stack([np.cos(angle), np.sin(angle)], -1), width, height)


def islands(rng: Rng, width: int, height: int, texels: float) -> np.ndarray:
    """Noise cut at a level: several pieces and holes with natural coasts, inside a smooth outline."""
    noise = fractal(rng, width, height, int(rng.integers(2, 7)), int(rng.integers(2, 5)), 0.5)
    level = np.float32(np.quantile(noise[::4, ::4], rng.uniform(0.3, 0.65)))
    slope = 255 * max(width, height) / rng.uniform(6, 12) / texels
    return cv2.min(blob(rng, width, height, texels), cv2.convertScaleAbs(np.maximum(noise - level, 0), alpha=slope))


def figure(rng: Rng, width: int, height: int, texels: float) -> np.ndarray:
    """A body with head, arms and legs bent at random."""
    mask = np.zeros((height, width), np.uint8)
    size = np.array([width, height]) * 0.5
    neck, hip = np.array([rng.normal(0, 0.1), -0.45]), np.array([rng.normal(0, 0.1), 0.12])
    _limb(mask, size, [neck, hip], rng.uniform(0.35, 0.5))
    head = neck + np.array([rng.normal(0, 0.05), -0.22])
    centre = tuple(int(c) for c in (head + 1) * size)
    cv2.ellipse(mask, centre, (int(0.13 * size.min()) + 1, int(0.17 * size.min()) + 1), 0, 0, 360, 255, -1, cv2.LINE_AA)
    for start, length, down in ((neck, 0.3, 0.9), (neck, 0.3, 0.9), (hip, 0.38, 0.45), (hip, 0.38, 0.45)):
        angle = rng.normal(0, down, 2) + np.pi / 2
        knee = start + length * np.array([np.cos(angle[0]), np.sin(angle[0])])
        foot = knee + length * np.array([np.cos(angle.mean()), np.sin(angle.mean())])
        _limb(mask, size, [start, knee, foot], rng.uniform(0.12, 0.2))
    return mask


def limb(rng: Rng, width: int, height: int, texels: float) -> np.ndarray:
    """One thick bent stroke: an arm, a branch, a pole."""
    mask = np.zeros((height, width), np.uint8)
    points = np.cumsum(np.vstack([rng.uniform(-0.8, -0.3, 2), rng.uniform(0, 0.7, (3, 2))]), axis=0)
    points = np.clip(points, -0.85, 0.85) * rng.choice([-1, 1], 2)
    _limb(mask, np.array([width, height]) * 0.5, list(points), rng.uniform(0.08, 0.4))
    return mask


def ring(rng: Rng, width: int, height: int, texels: float) -> np.ndarray:
    """A frame: a shape with a smaller copy of itself cut out."""
    outer = (blob, polygon, box, ellipse)[rng.integers(4)](rng, width, height, texels)
    hole = rng.uniform(0.5, 0.88)
    middle = (width - 1) / 2, (height - 1) / 2
    inner = cv2.warpAffine(outer, cv2.getRotationMatrix2D(middle, 0, hole), (width, height))
    return cv2.subtract(outer, inner)


def foliage(rng: Rng, width: int, height: int, texels: float) -> np.ndarray:
    """Many small leaves in a cloud."""
    mask = np.zeros((height, width), np.uint8)
    long = rng.uniform(2.5, 9) * texels
    count = int(np.clip(rng.uniform(0.2, 0.9) * width * height / (2 * long * long), 5, 220))
    places = np.clip(rng.normal(0, 0.38, (count, 2)), -0.9, 0.9)
    for x, y in ((places + 1) * [width / 2, height / 2]).astype(int).tolist():
        size = long * rng.uniform(0.5, 1)
        axes, angle = (int(size) + 1, int(size * 0.45) + 1), rng.uniform(0, 360)
        cv2.ellipse(mask, (x, y), axes, angle, 0, 360, 255, -1, cv2.LINE_AA)
    return mask


def wires(rng: Rng, width: int, height: int, texels: float) -> np.ndarray:
    """One to five hanging cables, or upright ones."""
    mask = np.zeros((height, width), np.uint8)
    along = np.linspace(0, 1, 24)
    for _ in range(rng.integers(1, 6)):
        start, end = rng.uniform(0, 1, 2)
        across = start + (end - start) * along + rng.normal(0, 0.25) * along * (1 - along)
        points = np.stack([along * width, across * height], -1)
        _line(mask, points, rng.uniform(0.8, 3) * texels)
    return mask if rng.random() < 0.6 or width != height else np.ascontiguousarray(mask.T)


def fence(rng: Rng, width: int, height: int, texels: float) -> np.ndarray:
    """Parallel bars, or a grid of them."""
    mask = np.zeros((height, width), np.uint8)
    base, reach = rng.normal(0, 0.15) + (np.pi / 4 if rng.random() < 0.3 else 0), float(width + height)
    gap, thick = rng.uniform(9, 34) * texels, rng.uniform(1, 4) * texels
    middle = np.array([width, height]) / 2
    for angle in (base,) if rng.random() < 0.5 else (base, base + np.pi / 2):
        along, across = np.array([np.sin(angle), np.cos(angle)]), np.array([np.cos(angle), -np.sin(angle)])
        for shift in np.arange(-reach / 2, reach / 2, gap):
            centre = middle + shift * across
            _line(mask, np.stack([centre - reach * along, centre + reach * along]), thick)
    return mask


def text(rng: Rng, width: int, height: int, texels: float) -> np.ndarray:
    """Lines of letters, 8-40 output pixels tall."""
    mask = np.zeros((height, width), np.uint8)
    scale = texels * rng.uniform(8, 40) / 22
    y = int(24 * scale) + 2
    for _ in range(rng.integers(1, 4)):
        line, font, thick = (
            random_text(rng, int(rng.integers(3, 16))),
            int(rng.choice(FONTS)),
            max(1, round(scale * rng.uniform(1, 3))),
        )
        cv2.putText(mask, line, (3, y), font, scale, 255, thick, cv2.LINE_AA)
        y += int(rng.uniform(32, 44) * scale)
    return mask


def twigs(rng: Rng, width: int, height: int, texels: float) -> np.ndarray:
    """A branching stroke that thins out."""
    mask = np.zeros((height, width), np.uint8)
    ends = [
        (np.array([width * rng.uniform(0.2, 0.8), height * 0.97]), -np.pi / 2, height * 0.3, rng.uniform(2, 5) * texels)
    ]
    while ends:
        place, angle, length, thick = ends.pop()
        tip = place + length * np.array([np.cos(angle), np.sin(angle)])
        _line(mask, np.stack([place, tip]), thick)
        if thick > 0.6 * texels and length > 3 * texels:
            ends += [
                (tip, angle + rng.normal(turn, 0.2), length * rng.uniform(0.6, 0.85), thick * 0.68)
                for turn in (-0.4, 0.4)
            ]
    return mask


def _punch(rng: Rng, mask: np.ndarray) -> None:
    """Cut one to four elliptic holes into the mask."""
    height, width = mask.shape
    for _ in range(rng.integers(1, 5)):
        centre = int(width * rng.uniform(0.25, 0.75)), int(height * rng.uniform(0.25, 0.75))
        axes = int(width * rng.uniform(0.02, 0.15)) + 1, int(height * rng.uniform(0.02, 0.15)) + 1
        cv2.ellipse(mask, centre, axes, rng.uniform(0, 180), 0, 360, 0, -1, cv2.LINE_AA)


def _fill(points: np.ndarray, width: int, height: int) -> np.ndarray:
    """Fill the closed outline `points` (N, 2), scaled so that it just fits."""
    mask = np.zeros((height, width), np.uint8)
    low, high = points.min(0), points.max(0)
    fitted = (points - low) / (high - low) * [width - 9, height - 9] + 4
    cv2.fillPoly(mask, [np.round(fitted * 2**SUBPIXEL).astype(np.int32)], 255, cv2.LINE_AA, SUBPIXEL)
    return mask


def _line(mask: np.ndarray, points: np.ndarray, thick: float) -> None:
    """Draw an open polyline (N, 2). Thinner than one texel is drawn as one texel."""
    cv2.polylines(
        mask, [np.round(points * 2**SUBPIXEL).astype(np.int32)], False, 255, max(1, round(thick)), cv2.LINE_AA, SUBPIXEL
    )


def _limb(mask: np.ndarray, size: np.ndarray, points: list[np.ndarray], thick: float) -> None:
    """A polyline through points in -1..1, `thick` as a part of the smaller half size."""
    _line(mask, (np.array(points) + 1) * size, thick * float(size.min()))


Shape = Callable[[Rng, int, int, float], np.ndarray]
SHAPES: tuple[tuple[Shape, float], ...] = (
    (blob, 0.2),
    (polygon, 0.11),
    (box, 0.09),
    (ellipse, 0.05),
    (islands, 0.15),
    (figure, 0.12),
    (limb, 0.1),
    (ring, 0.06),
    (foliage, 0.12),
)
_WEIGHTS = [weight for _, weight in SHAPES]
