"""Where a picture lies in a result of another shape: scaled to fit, never distorted, what is left over is black."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

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

    @classmethod
    def square(cls, size: tuple[int, int], sar: Fraction) -> Canvas:
        """For a source of `size` with pixels of shape `sar`: square ones, the same shape, no line or column fewer."""
        width, height = size
        if sar == 1:
            return cls(size, size)
        wider, higher = (2 * round(side / 2) for side in (width * sar, height / sar))
        square = (wider, height) if sar > 1 else (width, higher)
        return cls(square, square)

    def scale(self, picture: NDArray[Any]) -> NDArray[Any]:
        """A picture of any size, scaled to `inner`; itself if it has that size."""
        return scaled(picture, self.inner)

    def place(self, picture: NDArray[Any]) -> NDArray[Any]:
        """A picture of size `inner` in the middle of a black one of size `outer`; itself if they are the same.

        Beside a picture with alpha it is transparent.
        """
        if self.inner == self.outer:
            return picture
        left, top = (self.outer[0] - self.inner[0]) // 2, (self.outer[1] - self.inner[1]) // 2
        whole = np.zeros((self.outer[1], self.outer[0], picture.shape[2]), picture.dtype)
        whole[top : top + self.inner[1], left : left + self.inner[0]] = picture
        return whole


def scaled(picture: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """RGB or RGBA, uint8 or uint16, as (width, height) = `size`; itself if it has that size.

    The colours of transparent points do not bleed into visible ones.
    """
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    way = cv2.INTER_AREA if size[0] < picture.shape[1] else cv2.INTER_CUBIC
    if picture.shape[2] == 3:
        return np.asarray(cv2.resize(picture, size, interpolation=way))
    most = float(np.iinfo(picture.dtype).max)
    alpha = picture[..., 3:].astype(np.float32) / most
    light = cv2.resize(np.dstack([picture[..., :3] * alpha, alpha]), size, interpolation=way)
    visible = np.maximum(light[..., 3:], 0.5 / most)
    whole = np.dstack([light[..., :3] / visible, light[..., 3:] * most])
    return np.rint(np.clip(whole, 0, most)).astype(picture.dtype)
