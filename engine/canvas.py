"""Where a picture lies in a result of another shape: scaled to fit, never distorted, what is left over is black."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from .config import MIN_SIDE

SAME_SHAPE = Fraction(1, 50)  # shapes that differ by less fill the whole result: bars of a few pixels help nobody


@dataclass(frozen=True, slots=True)
class Canvas:
    """inner: (width, height) of the picture itself. outer: of the whole result. Both in pixels."""

    inner: tuple[int, int]
    outer: tuple[int, int]

    @classmethod
    def fit(cls, size: tuple[int, int], resolution: tuple[int, int] | None, sar: Fraction = Fraction(1)) -> Canvas:
        """For a source of `size` = (width, height) with pixels of shape `sar` (width / height).

        Without a `resolution` nothing changes. With one, the result has exactly that size and square pixels.
        """
        if resolution is None:
            return cls(size, size)
        shape, wanted = sar * Fraction(*size), Fraction(*resolution)
        if abs(shape / wanted - 1) < SAME_SHAPE:
            return cls(resolution, resolution)
        width, height = resolution
        if shape > wanted:
            height = max(MIN_SIDE, min(height, 2 * round(width / shape / 2)))
        else:
            width = max(MIN_SIDE, min(width, 2 * round(height * shape / 2)))
        return cls((width, height), resolution)

    def scale(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture of any size, scaled to `inner`; itself if it has that size."""
        if (rgb.shape[1], rgb.shape[0]) == self.inner:
            return rgb
        shrinks = self.inner[0] < rgb.shape[1]
        return np.asarray(cv2.resize(rgb, self.inner, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC))

    def place(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture of size `inner` in the middle of a black one of size `outer`; itself if they are the same."""
        if self.inner == self.outer:
            return rgb
        left, top = (self.outer[0] - self.inner[0]) // 2, (self.outer[1] - self.inner[1]) // 2
        whole = np.zeros((self.outer[1], self.outer[0], 3), np.uint8)
        whole[top : top + self.inner[1], left : left + self.inner[0]] = rgb
        return whole
