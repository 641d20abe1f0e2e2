"""Films made of YUV planes themselves, and planes read back, for tests of what reaches the encoder."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Planes = list[NDArray[Any]]
BT709_TV, BT601_TV, BT601_PC, BT709_PC = (1, 1, 1, 1), (6, 6, 6, 1), (5, 6, 5, 2), (1, 1, 1, 2)
BT2020_TV, HDR10 = (9, 1, 9, 1), (9, 16, 9, 1)
Tags = tuple[int, int, int, int]


def plane_of(plane: av.video.plane.VideoPlane, bits: int) -> NDArray[Any]:
    """(h, w), a view."""
    kind = np.uint8 if bits <= 8 else np.uint16
    return np.frombuffer(memoryview(plane), kind).reshape(plane.height, -1)[:, : plane.width]


def planes_of(frame: av.VideoFrame) -> Planes:
    bits = frame.format.components[0].bits
    return [plane_of(plane, bits).copy() for plane in frame.planes]


def frame_of(planes: Sequence[NDArray[Any]], pix_fmt: str) -> av.VideoFrame:
    """planes: (h, w) of every plane of the pixel format."""
    frame = av.VideoFrame(planes[0].shape[1], planes[0].shape[0], pix_fmt)
    for plane, data in zip(frame.planes, planes, strict=True):
        plane_of(plane, frame.format.components[0].bits)[:] = data
    return frame


def moving_planes(count: int, pix_fmt: str, size: tuple[int, int] = (64, 48), seed: int = 0) -> list[Planes]:
    """Soft random planes over nearly the whole range of numbers, moving two points a frame; size = (width, height)."""
    shape = av.VideoFrame(*size, pix_fmt)
    rng, peak = np.random.default_rng(seed), (1 << shape.format.components[0].bits) - 1
    grounds = list[NDArray[Any]]()
    for plane in shape.planes:
        soft = cv2.GaussianBlur(rng.random((plane.height, plane.width)), (0, 0), 2)
        soft = (soft - soft.min()) / np.ptp(soft)
        grounds.append(np.rint((0.02 + 0.96 * soft) * peak).astype(np.uint8 if peak < 256 else np.uint16))
    return [[np.roll(ground, 2 * number, axis=1) for ground in grounds] for number in range(count)]


def plane_film(
    path: Path,
    frames: Sequence[Planes],
    pix_fmt: str,
    *,
    codec: str = "ffv1",
    tags: Tags | None = None,
    options: dict[str, str] | None = None,
    rate: int = 25,
    rotation: float | None = None,
    mirrored: bool = False,
) -> Path:
    """Lossless with ffv1, and with libx264 and {"qp": "0"}. tags: (primaries, transfer, matrix, range)."""
    height, width = frames[0][0].shape
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate, options=options or {}, width=width, height=height)
        stream.pix_fmt = pix_fmt
        if tags is not None:
            context = stream.codec_context
            context.color_primaries, context.color_trc, context.colorspace, context.color_range = tags
        if rotation is not None:
            stream.set_display_rotation(rotation, hflip=mirrored)
        for number, planes in enumerate(frames):
            frame = frame_of(planes, pix_fmt)
            frame.pts, frame.time_base = number, Fraction(1, rate)
            if tags is not None:
                frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range = tags
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def decoded_frames(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as source:
        return list(source.decode(video=0))
