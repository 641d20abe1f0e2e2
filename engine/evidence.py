"""Small pictures and fields to judge a render by: where held-out frames went wrong, and the motion that was found.

They are made while everything is at hand, and kept with the previews.
"""

from __future__ import annotations

import gzip
import heapq
import io
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas
from .disk import full_disk_in_words
from .draw import Pair, Picture
from .files import atomically
from .motion import Flow, resize_flow, warp_picture
from .pictures import write_picture

Motion = tuple[Flow, Flow]  # img0 -> img1 and back, (H, W, 2) in pixels
WORST = 8  # held-out frames whose pictures are kept
SIDE = 640  # pixels, the longer side of these pictures
FULL = 64  # levels of 255: an error of so much or more has the last colour
FIELD_SIDE = 320  # points, the longer side of a field of motion
STEPS = 16  # motion is kept in sixteenths of a pixel, so that it packs well


@dataclass(frozen=True, slots=True)
class HeldOutPictures:
    """Of one held-out frame: as it was filmed, as it was drawn, and how far off that is (`error_picture`)."""

    time: float  # seconds of the result
    truth: Path
    drawn: Path
    error: Path


@dataclass(slots=True)
class Worst:
    """Remembers the worst of many frames, small."""

    count: int = WORST
    _kept: list[tuple[float, int, float, tuple[Picture, Picture, Picture]]] = field(default_factory=list)

    def look(self, number: int, time: float, psnr: float, drawn: Picture, truth: Picture) -> None:
        """One more frame: its number in the source, when it is shown (seconds of the result), how good it is."""
        if len(self._kept) >= self.count and -psnr <= self._kept[0][0]:
            return
        small = (_small(truth), _small(drawn), error_picture(drawn, truth))
        add = heapq.heappushpop if len(self._kept) >= self.count else heapq.heappush
        add(self._kept, (-psnr, number, time, small))

    def write(self, folder: Path) -> list[HeldOutPictures]:
        """The pictures as files, the worst frame first."""
        with full_disk_in_words():
            folder.mkdir(parents=True, exist_ok=True)
        found = []
        for _, number, time, (truth, drawn, error) in sorted(self._kept, reverse=True):
            name = f"frame_{number:06d}"
            found.append(
                HeldOutPictures(
                    time,
                    write_picture(folder / f"{name}_truth.jpg", truth),
                    write_picture(folder / f"{name}_drawn.jpg", drawn),
                    write_picture(folder / f"{name}_error.png", error),
                )
            )
        return found


def error_picture(drawn: Picture, truth: Picture) -> NDArray[np.uint8]:
    """|drawn - truth| as RGBA (H, W, 4) to lay over a picture: see-through where they agree, then violet, red, yellow.

    Of every point the channel that is furthest off counts; the last colour begins at FULL levels.
    """
    apart = np.max(cv2.absdiff(drawn, truth), axis=2)
    share = np.minimum(_small(apart).astype(np.float32) / FULL, 1)
    colours = cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    alpha = (np.sqrt(share) * 255).astype(np.uint8)
    alpha[share < 2 / FULL] = 0  # a level or so is no error that anybody sees
    return np.dstack([cv2.cvtColor(colours, cv2.COLOR_BGR2RGB), alpha])


def motion_of(pair: Pair | None) -> Motion | None:
    """What `write_motion` takes; None if nothing was matched, or the model knows no motion."""
    flow = pair.flow() if pair is not None else None
    back = pair.flow(back=True) if pair is not None else None
    return None if flow is None or back is None else (flow, back)


def write_motion(path: Path, motion: Motion, canvas: Canvas) -> Path:
    """The motion img0 -> img1 as a packed NumPy file (`numpy.load(gzip.open(path))`).

    float16 (H, W, 3), the longer side at most 320: dx and dy in pixels of the frame, and by how many pixels the way
    there and back misses its start: large where a point is hidden in the other frame. 0 in the bars beside a picture.
    """
    flow, back = (canvas.place(one) for one in motion)
    height, width = flow.shape[:2]
    shrink = min(1.0, FIELD_SIDE / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    there, again = resize_flow(flow, size), resize_flow(back, size)
    scale = np.array([width / size[0], height / size[1]], np.float32)
    missed = np.linalg.norm((there + warp_picture(again, there)) * scale, axis=2)
    values = np.dstack([there * scale, missed])
    packed = io.BytesIO()
    np.save(packed, (np.round(values * STEPS) / STEPS).astype(np.float16))
    with atomically(path) as part:
        part.write_bytes(gzip.compress(packed.getvalue(), 6, mtime=0))
    return path


def motion_file(picture: str) -> str:
    """The name of the file of motion beside an in-between picture."""
    return f"{Path(picture).stem}_motion.npy.gz"


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    shrink = SIDE / max(height, width)
    if shrink >= 1:
        return picture.copy()  # callers may fill the same array with the next frame
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
