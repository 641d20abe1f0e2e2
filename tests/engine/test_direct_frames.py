"""Frames on their way from a decoder to a preview: never made RGB where that is not needed, with the same colours."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.metrics import psnr
from engine.reading import Reading
from engine.remux import make_preview, write_direct
from engine.video import probe, read_frames
from engine.writer import VideoWriter

from .clips import film, pictures
from .planes import BT601_PC, BT601_TV, BT709_PC, BT709_TV, HDR10, Tags, moving_planes, plane_film, planes_of

DIRECT = Reading(direct=True)


def smooth(count: int) -> list[np.ndarray]:
    """Without detail that the two orders of scaling and thinning out colours would treat differently."""
    return [cv2.GaussianBlur(picture, (0, 0), 5) for picture in pictures(count, 128, 96)]


@pytest.mark.parametrize("rotation", [0, 90])
def test_frames_that_keep_their_size_are_the_decoders_to_the_last_bit(tmp_path: Path, rotation: int) -> None:
    frames = moving_planes(3, "yuv420p")
    source = plane_film(tmp_path / "a.mp4", frames, "yuv420p", codec="libx264", options={"qp": "0"}, rotation=rotation)
    found = list(read_frames(source, reading=DIRECT))
    assert len(found) == 3
    for frame, planes in zip(found, frames, strict=True):
        assert frame.rgb.size == 0
        for one, other in zip(planes_of(frame.native), planes, strict=True):
            assert np.array_equal(one, np.rot90(other, rotation // 90))


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize("tags", [BT709_TV, BT709_PC, BT601_TV, BT601_PC])
def test_a_scaled_frame_has_the_colours_of_the_scaled_picture(tmp_path: Path, pix_fmt: str, tags: Tags) -> None:
    source = film(tmp_path / "a.mkv", smooth(3), codec="ffv1", pix_fmt=pix_fmt, tags=tags)
    size, info = (64, 48), probe(source)
    with VideoWriter(tmp_path / "b.mp4", width=64, height=48, fps=info.fps, info=info, crf=0) as writer:
        for frame in read_frames(source, resolution=size, reading=DIRECT):
            assert (frame.native.width, frame.native.height, frame.native.format.name) == (64, 48, pix_fmt)
            write_direct(writer, frame, frame.pts)
    wanted = [frame.rgb for frame in read_frames(source, resolution=size)]
    found = [frame.rgb for frame in read_frames(tmp_path / "b.mp4")]
    assert len(found) == len(wanted) == 3
    for one, other in zip(found, wanted, strict=True):
        assert psnr(one, other) > 36
        assert np.abs(one.mean(axis=(0, 1)) - other.mean(axis=(0, 1))).max() < 1


@pytest.mark.parametrize("pix_fmt", ["bgr0", "yuva444p10le"])
def test_frames_without_yuv_or_with_alpha_come_as_pictures(tmp_path: Path, pix_fmt: str) -> None:
    codec = "ffv1" if pix_fmt == "bgr0" else "prores_ks"
    source = film(
        tmp_path / "a.mov" if codec == "prores_ks" else tmp_path / "a.mkv", pictures(2), codec=codec, pix_fmt=pix_fmt
    )
    for frame in read_frames(source, reading=DIRECT):
        assert frame.native is None
        assert frame.rgb.shape == (48, 64, 3)


@pytest.mark.parametrize("tags", [BT709_TV, BT601_PC, HDR10])
@pytest.mark.parametrize("height", [48, 96])
def test_a_preview_looks_like_its_master(tmp_path: Path, tags: Tags, height: int) -> None:
    pix_fmt = "yuv420p10le" if tags == HDR10 else "yuv420p"
    master = film(tmp_path / "a.mkv", smooth(4), codec="ffv1", pix_fmt=pix_fmt, tags=tags)
    make_preview(master, tmp_path / "p.mp4", height)
    info = probe(tmp_path / "p.mp4")
    assert info.colour == probe(master).colour
    wanted = [frame.rgb for frame in read_frames(master, resolution=(info.width, info.height))]
    for one, other in zip(read_frames(tmp_path / "p.mp4"), wanted, strict=True):
        assert psnr(one.rgb, other) > 32
        assert np.abs(one.rgb.mean(axis=(0, 1)) - other.mean(axis=(0, 1))).max() < 1.5
