"""Small footage made on the fly: a textured picture that slides by whole pixels, so that every truth is known."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def texture(height: int, width: int, seed: int = 0) -> Picture:
    """Smooth noise, (height, width, 3) RGB, with detail that optical flow can follow."""
    noise = np.random.default_rng(seed).integers(0, 256, (height // 4 + 2, width // 4 + 2, 3), dtype=np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def sliding(count: int, height: int = 72, width: int = 96, step: int = 2, seed: int = 0) -> list[Picture]:
    """Frames of a camera that moves `step` pixels to the right at each one."""
    wide = texture(height, width + step * count, seed)
    return [np.ascontiguousarray(wide[:, n * step : n * step + width]) for n in range(count)]


def write_frames(folder: Path, frames: list[Picture], first: int = 1) -> Path:
    """frame_001.png, frame_002.png, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames, first):
        assert cv2.imwrite(str(folder / f"frame_{number:03d}.png"), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    return folder


def write_video(path: Path, frames: list[Picture], fps: int = 25, times: list[int] | None = None) -> Path:
    """H.264, near lossless; `times` in frames, for gaps in the time stamps."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "4", "preset": "ultrafast"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv444p"
        stream.time_base = Fraction(1, fps)
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts = number if times is None else times[number]
            picture.time_base = Fraction(1, fps)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path
