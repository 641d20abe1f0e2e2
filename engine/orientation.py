"""How a stored picture is turned to stand upright, from the display matrix phones write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import Type

_MATRIX_BYTES = 36


@dataclass(frozen=True, slots=True)
class Orientation:
    """First mirrored left-right, then turned `quarters` times 90 degrees anticlockwise."""

    quarters: int = 0
    mirrored: bool = False

    @property
    def degrees(self) -> int:
        return self.quarters * 90

    @property
    def transposed(self) -> bool:
        return self.quarters % 2 == 1

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) after turning; turning back gives the same answer."""
        return (height, width) if self.transposed else (width, height)

    @property
    def filters(self) -> list[tuple[str, str]]:
        """The same for frames, by libavfilter's names; nothing to do gives none."""
        turns = {0: [], 1: [("transpose", "cclock")], 2: [("hflip", ""), ("vflip", "")], 3: [("transpose", "clock")]}
        return [*([("hflip", "")] if self.mirrored else []), *turns[self.quarters]]

    def apply(self, rgb: np.ndarray) -> np.ndarray:
        """(H, W, C) upright, contiguous."""
        flipped = rgb[:, ::-1] if self.mirrored else rgb
        return np.ascontiguousarray(np.rot90(flipped, self.quarters))

    @classmethod
    def of(cls, frame: av.VideoFrame) -> Orientation:
        """From a decoded frame. Angles that are not quarter turns go to the nearest one."""
        sides: Iterable[Any] = frame.side_data  # typed as a dict of names; it is a list of buffers
        data = next((side for side in sides if side.type == Type.DISPLAYMATRIX), None)
        if data is None or data.buffer_size < _MATRIX_BYTES:
            return UPRIGHT
        return cls.from_matrix(np.frombuffer(bytes(data), np.int32)[[0, 1, 3, 4]].astype(float))

    @classmethod
    def from_matrix(cls, matrix: np.ndarray) -> Orientation:
        """(a, b, c, d): a stored point (x right, y down) is shown at (a x + c y, b x + d y)."""
        a, b, c, d = matrix
        mirrored = bool(a * d - b * c < 0)
        if mirrored:
            a, b = -a, -b  # what is left after flipping x
        angle = np.degrees(np.arctan2(-b, a))  # y points down: anticlockwise on the screen is negative here
        return cls(round(float(angle) / 90) % 4, mirrored)


UPRIGHT = Orientation()
