"""Source frames reach the encoder as they were decoded, and new frames beside them have the same colours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import render as render_module
from engine.config import RenderOptions
from engine.formats import Encoding
from engine.render import RenderResult, render_video

from .footage import BlendModel
from .planes import (
    BT601_PC,
    BT601_TV,
    BT709_PC,
    BT709_TV,
    BT2020_TV,
    HDR10,
    Planes,
    Tags,
    decoded_frames,
    moving_planes,
    plane_film,
    planes_of,
)

SOURCES = [  # codec, pixel format, tags; H.264 says where its chroma lies, ffv1 does not
    ("libx264", "yuv420p", BT709_TV),
    ("libx264", "yuv420p", BT601_TV),
    ("libx264", "yuv420p", BT601_PC),
    ("libx264", "yuv420p", None),
    ("ffv1", "yuv420p", BT709_PC),
    ("ffv1", "yuv420p", BT2020_TV),
    ("ffv1", "yuv420p10le", BT709_TV),
    ("ffv1", "yuv420p10le", HDR10),
    ("ffv1", "yuv420p10le", BT709_PC),
]


def lossless(monkeypatch: pytest.MonkeyPatch) -> None:
    """CRF 0 is lossless with 8 bits only; this is with any."""
    chosen = render_module.encoding_of

    def encoding_of(*args: Any) -> Encoding:
        encoding = chosen(*args)
        return replace(encoding, options={"preset": "ultrafast", "x265-params": "lossless=1:log-level=none"})

    monkeypatch.setattr(render_module, "encoding_of", encoding_of)


def render(source: Path, folder: Path, model: Any = None, **settings: Any) -> RenderResult:
    options = RenderOptions(**{"held_out": False, "crf": 0, **settings})
    return render_video(source, folder, options, model or BlendModel())


def same_planes(one: list[Planes], other: list[Planes]) -> bool:
    return all(all(np.array_equal(a, b) for a, b in zip(x, y, strict=True)) for x, y in zip(one, other, strict=True))


@pytest.mark.parametrize(("codec", "pix_fmt", "tags"), SOURCES)
def test_every_second_frame_of_a_lossless_render_is_the_decoded_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: str, pix_fmt: str, tags: Tags | None
) -> None:
    frames = moving_planes(5, pix_fmt)
    source = plane_film(tmp_path / "a.mkv", frames, pix_fmt, codec=codec, tags=tags, options={"qp": "0"})
    settings: dict[str, Any] = {}
    if pix_fmt != "yuv420p":
        lossless(monkeypatch)
        settings = {"format": "mp4_h265"}
    result = render(source, tmp_path / "out", **settings)
    written = decoded_frames(result.master)
    assert len(written) == 10
    assert {frame.format.name.replace("yuvj", "yuv") for frame in written} == {pix_fmt}
    assert same_planes([planes_of(frame) for frame in written[::2]], frames)
    assert result.certificate["ok"], result.certificate


def half_still(count: int, pix_fmt: str, lowest: float = 0.25, highest: float = 0.75) -> list[Planes]:
    """The left half never changes, the right half moves. The numbers are colours that fit into RGB."""
    films = [moving_planes(count, pix_fmt, (128, 64), seed) for seed in (3, 4)]
    peak = 255 if films[0][0][0].dtype == np.uint8 else 1023
    found = list[Planes]()
    for number in range(count):
        planes = Planes()
        for still, moving in zip(films[0][0], films[1][number], strict=True):
            plane = np.where(np.arange(still.shape[1]) < still.shape[1] // 2, still, moving)
            grey = plane.astype(float) / peak
            around = grey - 0.5 if planes else grey  # chroma is less strong than luma
            scaled = 0.5 + 0.35 * around if planes else lowest + (highest - lowest) * around
            planes.append(np.rint(scaled * peak).astype(plane.dtype))
        found.append(planes)
    return found


@pytest.mark.parametrize(("codec", "pix_fmt", "tags"), SOURCES)
def test_what_stands_still_has_the_same_colours_in_new_frames_as_in_source_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: str, pix_fmt: str, tags: Tags | None
) -> None:
    """Were the matrix, the range or the place of the chroma samples another on the way back, it would flicker."""
    source = plane_film(
        tmp_path / "a.mkv", half_still(3, pix_fmt), pix_fmt, codec=codec, tags=tags, options={"qp": "0"}
    )
    settings: dict[str, Any] = {}
    if pix_fmt != "yuv420p":
        lossless(monkeypatch)
        settings = {"format": "mp4_h265"}
    written = [planes_of(frame) for frame in decoded_frames(render(source, tmp_path / "out", **settings).master)]
    level = 1 if pix_fmt == "yuv420p" else 4
    for original, new in ((written[0], written[1]), (written[2], written[3])):
        for old, drawn in zip(original, new, strict=True):
            still = old.shape[1] // 2 - 8
            change = (drawn[:, :still].astype(float) - old[:, :still]) / level
            assert abs(change.mean()) < 0.1
            assert np.abs(change).mean() < 0.5
