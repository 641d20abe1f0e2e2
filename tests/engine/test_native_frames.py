"""Source frames reach the encoder as they were decoded, and new frames beside them have the same colours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import film as film_module
from engine.config import RenderOptions
from engine.formats import Encoding
from engine.interpolator import Interpolator
from engine.render import RenderResult, render_video
from engine.video import read_frames
from engine.writer import VideoWriter

from .clips import film
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
    chosen = film_module.encoding_of

    def encoding_of(*args: Any) -> Encoding:
        encoding = chosen(*args)
        return replace(encoding, options={"preset": "ultrafast", "x265-params": "lossless=1:log-level=none"})

    monkeypatch.setattr(film_module, "encoding_of", encoding_of)


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


@pytest.mark.parametrize(
    ("turn", "mirrored", "upright"),
    [
        (90, False, lambda plane: np.rot90(plane, 1)),
        (-90, False, lambda plane: np.rot90(plane, -1)),
        (180, False, lambda plane: np.rot90(plane, 2)),
        (0, True, lambda plane: plane[:, ::-1]),
        (90, True, lambda plane: np.rot90(plane[:, ::-1], -1)),
    ],
)
def test_turned_films_of_phones_are_turned_plane_by_plane(
    tmp_path: Path, turn: int, mirrored: bool, upright: Any
) -> None:
    frames = moving_planes(3, "yuv420p")
    source = plane_film(
        tmp_path / "a.mp4", frames, "yuv420p", codec="libx264", options={"qp": "0"}, rotation=turn, mirrored=mirrored
    )
    result = render(source, tmp_path / "out")
    written = [planes_of(frame) for frame in decoded_frames(result.master)]
    assert same_planes(written[::2], [[upright(plane) for plane in planes] for planes in frames])
    assert result.certificate["ok"], result.certificate


def test_a_turned_film_whose_colours_cannot_be_turned_alone_goes_through_rgb(tmp_path: Path) -> None:
    frames = half_still(3, "yuv422p")
    source = plane_film(
        tmp_path / "a.mp4", frames, "yuv422p", codec="libx264", options={"qp": "0"}, rotation=90, tags=BT709_TV
    )
    result = render(source, tmp_path / "out")
    written = [planes_of(frame) for frame in decoded_frames(result.master)]
    for planes, original in zip(written[::2], frames, strict=True):
        assert np.abs(planes[0].astype(int) - np.rot90(original[0])).max() <= 1
    assert result.certificate["ok"], result.certificate


@pytest.mark.parametrize("asked", [{"resolution": (96, 64)}, {"format": "png"}])
def test_scaled_frames_and_pictures_are_not_passed_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]
) -> None:
    write_native = VideoWriter.write_native

    def refuse(writer: VideoWriter, *given: Any) -> None:
        assert writer.path.parent.name != "segments", "this frame is changed, so it is not the decoder's"
        write_native(writer, *given)

    monkeypatch.setattr(VideoWriter, "write_native", refuse)
    source = plane_film(tmp_path / "a.mkv", moving_planes(3, "yuv420p"), "yuv420p", tags=BT709_TV)
    result = render(source, tmp_path / "out", **{"crf": None, **asked})
    assert result.certificate["ok"], result.certificate


def test_an_rgb_source_is_written_in_the_colours_it_has(tmp_path: Path) -> None:
    shots = [np.full((48, 64, 3), (200, 60, 90), np.uint8) for _ in range(3)]
    for number, picture in enumerate(shots):
        picture[10:20, 10 + 4 * number : 20 + 4 * number] = 255
    source = film(tmp_path / "a.mkv", shots, codec="ffv1", pix_fmt="bgr0")
    result = render(source, tmp_path / "out")
    for frame in read_frames(result.master):
        assert np.abs(frame.rgb[30:].astype(int) - (200, 60, 90)).max() <= 2
    assert result.certificate["ok"], result.certificate


def test_the_network_leaves_flat_colours_as_they_are(tmp_path: Path) -> None:
    """Patches of one colour beside something that moves: source frames and drawn ones agree to half a level."""
    frames = [[plane.copy() for plane in planes] for planes in half_still(3, "yuv420p")]
    for planes in frames:
        for plane, (high, low) in zip(planes, ((180, 90), (110, 150), (140, 100)), strict=True):
            middle = plane.shape[0] // 2
            plane[:middle, : plane.shape[1] // 2], plane[middle:, : plane.shape[1] // 2] = high, low
    source = plane_film(tmp_path / "a.mkv", frames, "yuv420p", codec="libx264", tags=BT709_TV, options={"qp": "0"})
    written = [planes_of(frame) for frame in decoded_frames(render(source, tmp_path / "o", Interpolator.load()).master)]
    for old, new in zip(written[0], written[1], strict=True):
        still, half = old.shape[1] // 2 - 12, old.shape[0] // 2
        for rows in (slice(4, half - 6), slice(half + 6, -4)):
            assert abs(new[rows, 4:still].mean() - old[rows, 4:still].mean()) < 0.5
