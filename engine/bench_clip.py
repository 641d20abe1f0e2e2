"""Clips to measure with: made up, or the beginning of a given film, in any size."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from .errors import BadInputError
from .motion import Picture
from .video import read_frames
from .writer import VideoWriter

FPS = Fraction(24)


def moving_frames(size: tuple[int, int], count: int) -> Iterator[Picture]:
    """Like photographs that move, RGB uint8: a textured ground that pans, and a textured disc that goes its own way."""
    width, height = size
    ground, thing = (_texture((width + 4 * count + 64, height + 2 * count + 64), seed) for seed in (1, 2))
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    for n in range(count):
        frame = ground[2 * n : 2 * n + height, 4 * n : 4 * n + width].copy()
        x, y = width * 0.3 + 7 * n, height * 0.5 - 3 * n
        inside = np.clip(height / 5 - np.hypot(columns - x, rows - y) + 0.5, 0, 1)[..., None]
        moved = np.roll(thing[:height, :width], (-3 * n, 7 * n), axis=(0, 1))
        yield np.rint(frame * (1 - inside) + moved * inside).astype(np.uint8)


def _texture(size: tuple[int, int], seed: int) -> Picture:
    """Noise with as much in coarse as in fine structure, uint8 RGB, `size` = (width, height)."""
    random, total = np.random.default_rng(seed), np.zeros((size[1], size[0], 3), np.float32)
    for octave in range(8):
        grid = random.standard_normal((2 + (size[1] >> (8 - octave)), 2 + (size[0] >> (8 - octave)), 3), np.float32)
        total += cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC) * 0.75**octave
    return np.clip(128 + 32 * total, 0, 255).astype(np.uint8)


def make_clip(path: Path, size: tuple[int, int], count: int, source: Path | None = None) -> Path:
    """`count` frames of `source`, scaled to `size` = (width, height), or of `moving_frames`, as H.264.

    Raises:
        BadInputError: `source` is no video, or has fewer than four frames.
    """
    frames = moving_frames(size, count) if source is None else _frames_of(source, size, count)
    written = 0
    with VideoWriter(path, width=size[0], height=size[1], fps=FPS) as writer:
        for written, frame in enumerate(frames, 1):
            writer.write(frame, Fraction(written - 1) / FPS)
    if written < 4:
        raise BadInputError(f"{source} has {written} frames; at least four are needed.")
    return path


def _frames_of(source: Path, size: tuple[int, int], count: int) -> Iterator[Picture]:
    for frame in islice(read_frames(source, resolution=size), count):
        yield frame.rgb
