"""Large frames in tiles: each is drawn with enough of its surroundings that it comes out as in the whole frame.

What surrounds a tile is what the convolutions look at (CONTEXT) and as far as anything in it moves: the warps fetch
their pixels from there. Tiles overlap by a narrow band in which one fades into the next.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from torch import Tensor

from .errors import BadOptionsError
from .motion import Flow
from .pixels import AnyPicture
from .translation import gettext as _

BYTES_PER_PIXEL = 400  # working memory of drawing in float32; measured, rounded up (docs/video.md)
KEPT_PER_PIXEL = 64  # of it, what a matched pair holds for the next new frame and the next pair
CONTEXT = 96  # pixels the convolutions look around; what they know from farther away changes nothing (docs/video.md)
FADE = 16  # pixels on either side of a seam in which the tiles fade into each other
_MIN_MEMORY_MB = 200
_STEP = 64  # margins are rounded up to it, so that the tiles of one pair mostly are those of the next
_SLACK = 16  # pixels that the network may correct the first motion by
_MIN_CORE = 256


@dataclass(frozen=True, slots=True)
class Box:
    """Pixels [left, right) x [top, bottom)."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def pixels(self) -> int:
        return (self.right - self.left) * (self.bottom - self.top)

    def grown(self, x: int, y: int, within: Box) -> Box:
        """With x pixels more to the left and right and y above and below, as far as `within` goes."""
        return Box(
            max(self.left - x, within.left),
            max(self.top - y, within.top),
            min(self.right + x, within.right),
            min(self.bottom + y, within.bottom),
        )

    def within(self, window: Box) -> Box:
        """The same pixels, counted from the corner of `window`."""
        return Box(self.left - window.left, self.top - window.top, self.right - window.left, self.bottom - window.top)

    def cut(self, picture: AnyPicture, scale: int = 1) -> AnyPicture:
        """This part of a picture or flow (H, W, C) that is `scale` times smaller than the frame: a view."""
        rows = slice(self.top // scale, -(-self.bottom // scale))
        return picture[rows, self.left // scale : -(-self.right // scale)]

    def crop(self, tensor: Tensor) -> Tensor:
        """This part of a tensor (N, C, H, W): a view."""
        return tensor[..., self.top : self.bottom, self.left : self.right]


@dataclass(frozen=True, slots=True)
class Tile:
    """core: the part that is used. window: the part that is computed, on the network's grid."""

    core: Box
    window: Box


def tile_memory() -> int:
    """Bytes that drawing may take before a frame is cut into tiles: INBETWEEN_TILE_MEMORY_MB.

    Raises:
        BadOptionsError: not a number, or too few to draw anything.
    """
    text = os.environ.get("INBETWEEN_TILE_MEMORY_MB", "1500").strip() or "1500"
    if not text.isdecimal() or int(text) < _MIN_MEMORY_MB:
        raise BadOptionsError(
            _(
                'INBETWEEN_TILE_MEMORY_MB = "{text}" is not usable. Give a whole number of megabytes, '
                "{min_memory_mb} or more."
            ).format(text=text, min_memory_mb=_MIN_MEMORY_MB)
        )
    return int(text) * 1_000_000


def plan_tiles(size: tuple[int, int], flows: tuple[Flow, Flow], grid: int, memory: int) -> list[Tile]:
    """Tiles that cover a frame of size = (width, height), as few as fit into `memory` bytes; in reading order.

    flows: img0 -> img1 and back, of 1/4 size and in its pixels. Windows begin and end at multiples of `grid`,
    or with the frame.
    """
    frame = Box(0, 0, *size)
    if frame.pixels * BYTES_PER_PIXEL <= memory:
        return [Tile(frame, frame)]
    kept = frame.pixels * KEPT_PER_PIXEL if keeps_matches(size, memory) else 0
    most = (memory - kept) // BYTES_PER_PIXEL
    reach = np.maximum(*(np.abs(flow) for flow in flows))
    # a tile of the smallest core, with the fade and what is rounded up, and this margin still fits
    widest = (math.isqrt(most) - _MIN_CORE - 2 * FADE - 4 * grid) // 2
    side = max(size)
    while True:
        tiles = [Tile(core, _window(core, frame, reach, grid, widest)) for core in _cores(frame, side, grid)]
        if side <= _MIN_CORE or all(tile.window.pixels <= most for tile in tiles):
            return tiles
        side = max(_MIN_CORE, min(side - 1, side * 7 // 8))


def keeps_matches(size: tuple[int, int], memory: int) -> bool:
    """Whether the matches of all tiles may be kept; if not, every new frame matches its tiles again."""
    return size[0] * size[1] * KEPT_PER_PIXEL <= memory // 2


def paste(canvas: AnyPicture, drawn: AnyPicture, core: Box, scale: int = 1) -> None:
    """Puts what was drawn of `core` into `canvas`, fading from what is there on its left and upper edge.

    Give the tiles in reading order. A canvas may be `scale` times smaller than the frame.
    """
    target = core.cut(canvas, scale)
    height, width = target.shape[:2]
    across, down = _ramp(width, 2 * FADE // scale, core.left > 0), _ramp(height, 2 * FADE // scale, core.top > 0)
    top, left = int(np.count_nonzero(down < 1)), int(np.count_nonzero(across < 1))
    for rows, columns in ((slice(0, top), slice(0, width)), (slice(top, height), slice(0, left))):
        weight = (down[rows, None] * across[None, columns])[..., None]
        mixed = target[rows, columns] * (1 - weight) + drawn[rows, columns] * weight
        target[rows, columns] = np.rint(mixed) if canvas.dtype.kind == "u" else mixed
    target[top:, left:] = drawn[top:, left:]


def _cores(frame: Box, side: int, grid: int) -> Iterator[Box]:
    """The frame in rows and columns of at most about `side` pixels, as even as the grid allows, overlapping by FADE."""
    for top, bottom in _spans(frame.bottom, side, grid):
        for left, right in _spans(frame.right, side, grid):
            yield Box(left, top, right, bottom).grown(FADE, FADE, frame)


def _spans(length: int, side: int, grid: int) -> list[tuple[int, int]]:
    count = -(-length // side)
    ends = [round(length * n / count / grid) * grid for n in range(count)] + [length]
    return list(pairwise(ends))


def _window(core: Box, frame: Box, reach: Flow, grid: int, widest: int) -> Box:
    """What has to be computed for `core`; margins are `widest` pixels at most."""
    moving = core.grown(CONTEXT, CONTEXT, frame).cut(reach, 4).max(axis=(0, 1)) * 4 if reach.size else np.zeros(2)
    x, y = (min(_STEP * math.ceil((CONTEXT + _SLACK + far) / _STEP), widest) for far in moving)
    window = core.grown(x, y, frame)
    return Box(
        window.left // grid * grid,
        window.top // grid * grid,
        min(-(-window.right // grid) * grid, frame.right),
        min(-(-window.bottom // grid) * grid, frame.bottom),
    )


def _ramp(length: int, band: int, fades: bool) -> np.ndarray:
    """Weights (length,) float32: rising over `band` pixels and then 1; all 1 if it does not fade."""
    if not fades:
        return np.ones(length, np.float32)
    return np.minimum((np.arange(length, dtype=np.float32) + 0.5) / band, 1)
