"""Layers over a background, drawn at any time, with the exact flow and occlusion between times."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from .motions import Motion, project

NO_MAP = np.empty(0, np.float32)  # remap wants a second map also where the first has both x and y
COVERED = 127  # alpha above which a layer owns a pixel


@dataclass(frozen=True)
class Layer:
    """A textured sheet.

    patch: uint8; (h, w, 4) RGB times alpha, and alpha; or (h, w, 3), opaque and mirrored on beyond its border.
    origin: surface point (x, y) of the first texel's centre, output pixels. texels: texels per output pixel.
    """

    patch: np.ndarray
    origin: tuple[float, float]
    texels: float
    motion: Motion

    @property
    def opaque(self) -> bool:
        return self.patch.shape[2] == 3

    def window(self, side: int, time: float) -> tuple[slice, slice]:
        """Rows and columns of the picture (side x side) that the layer may touch."""
        if self.opaque:
            return slice(0, side), slice(0, side)
        reach = self.motion.waves.reach if self.motion.waves else 0.0
        height, width = self.patch.shape[:2]
        x0, y0 = self.origin[0] - reach, self.origin[1] - reach
        x1, y1 = self.origin[0] + width / self.texels + reach, self.origin[1] + height / self.texels + reach
        corners = np.array([[x0, x1, x0, x1], [y0, y0, y1, y1], [1, 1, 1, 1]])
        x, y, depth = self.motion.matrix(time) @ corners
        if depth.min() <= 0.05:  # reaches behind the camera
            return slice(0, side), slice(0, side)
        columns, rows = x / depth, y / depth
        low = np.clip(np.floor([rows.min(), columns.min()]) - 1, 0, side).astype(int)
        high = np.clip(np.ceil([rows.max(), columns.max()]) + 2, 0, side).astype(int)
        return slice(low[0], high[0]), slice(low[1], high[1])

    def travel(self) -> float:
        """How far its farthest corner moves between times 0 and 1, px; infinite if it passes the camera."""
        height, width = self.patch.shape[:2]
        right, bottom = self.origin[0] + width / self.texels, self.origin[1] + height / self.texels
        corners = np.array([[self.origin[0], right] * 2, [self.origin[1]] * 2 + [bottom] * 2, [1] * 4])
        start, end = (self.motion.matrix(time) @ corners for time in (0.0, 1.0))
        if min(start[2].min(), end[2].min()) < 0.2:
            return float("inf")
        waves = 2 * self.motion.waves.reach if self.motion.waves else 0.0
        return float(np.hypot(*(end[:2] / end[2] - start[:2] / start[2])).max()) + waves

    def seen(self, pixels: np.ndarray, time: float) -> np.ndarray:
        """The layer at these pixels (h, w, 2), with bilinear sampling: uint8 (h, w, 3 or 4)."""
        (x, y), scale = self.origin, self.texels
        to_texels = np.array([[scale, 0, -scale * x], [0, scale, -scale * y], [0, 0, 1]])
        if self.motion.waves is None:
            texel = project(pixels, to_texels @ np.linalg.inv(self.motion.matrix(time)))
        else:
            texel = project(self.motion.to_surface(pixels, time), to_texels)
        border = cv2.BORDER_REFLECT_101 if self.opaque else cv2.BORDER_CONSTANT
        return cv2.remap(self.patch, texel, NO_MAP, cv2.INTER_LINEAR, borderMode=border)


@dataclass(frozen=True)
class Scene:
    """Layers from back to front; the first is opaque. Pictures are (side, side). At most 255 layers."""

    layers: tuple[Layer, ...]
    side: int

    def draw(self, time: float) -> tuple[np.ndarray, np.ndarray]:
        """The picture, RGB uint8 (side, side, 3), and which layer owns each pixel, uint8 (side, side)."""
        grid = pixel_grid(self.side)
        canvas = self.layers[0].seen(grid, time)
        owner = np.zeros((self.side, self.side), np.uint8)
        for number, layer in enumerate(self.layers[1:], start=1):
            rows, columns = layer.window(self.side, time)
            if rows.start >= rows.stop or columns.start >= columns.stop:
                continue
            sheet = layer.seen(np.ascontiguousarray(grid[rows, columns]), time)
            alpha = cv2.extractChannel(sheet, 3)
            clear = cv2.cvtColor(cv2.bitwise_not(alpha), cv2.COLOR_GRAY2RGB)
            behind = cv2.multiply(canvas[rows, columns], clear, scale=1 / 255)
            canvas[rows, columns] = cv2.add(behind, cv2.cvtColor(sheet, cv2.COLOR_RGBA2RGB))
            owned = cv2.threshold(alpha, COVERED, number, cv2.THRESH_BINARY)[1]
            owner[rows, columns] = cv2.max(owner[rows, columns], owned)
        return canvas, owner

    def exposed(self, time: float, shutter: float, steps: int) -> np.ndarray:
        """The picture with the shutter open for `shutter` around `time`: the mean of `steps` moments. RGB uint8."""
        total = np.zeros((self.side, self.side, 3), np.float32)
        for moment in time + shutter * (np.arange(steps) / max(steps - 1, 1) - 0.5):
            cv2.accumulate(self.draw(float(moment))[0], total)
        return cv2.convertScaleAbs(total, alpha=1 / steps)

    def flow(self, owner: np.ndarray, start: float, end: float) -> np.ndarray:
        """Where the point seen at each pixel at time `start` goes until `end`, as (dx, dy): float32 (side, side, 2).

        `owner` is `draw(start)[1]`. Exact also where the point is hidden at `end`.
        """
        grid = pixel_grid(self.side)
        target = self.layers[0].motion.carry(grid, start, end).copy()
        for number, layer in enumerate(self.layers[1:], start=1):
            rows, columns = layer.window(self.side, start)
            mask = owner[rows, columns] == number
            if mask.any():
                window = np.ascontiguousarray(grid[rows, columns])
                target[rows, columns][mask] = layer.motion.carry(window, start, end)[mask]
        return target - grid

    def hidden(self, owner: np.ndarray, flow: np.ndarray, other: np.ndarray) -> np.ndarray:
        """1 where the point seen at a pixel is covered or out of the picture at the other time: uint8 (side, side).

        `owner` belongs to the time that `flow` starts from, `other` is the owner map of the time it leads to.
        """
        place, outside = pixel_grid(self.side) + flow, 255
        there = cv2.remap(other, place, NO_MAP, cv2.INTER_NEAREST, None, cv2.BORDER_CONSTANT, outside)
        return (there > owner).astype(np.uint8)


@cache
def pixel_grid(side: int) -> np.ndarray:
    """Pixel centres as (x, y), float32 (side, side, 2); shared, not to be written to."""
    axis = np.arange(side, dtype=np.float32)
    grid = np.stack(np.meshgrid(axis, axis), -1)
    grid.flags.writeable = False
    return grid
