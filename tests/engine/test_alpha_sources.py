"""Transparent parts are kept where the format of the result holds them, else laid on black, which is told."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from engine.config import RenderOptions
from engine.interpolator import Interpolator
from engine.media_types import Limits
from engine.pictures import read_pixels
from engine.render import RenderResult, render_video
from engine.sequence import pack_sequence
from engine.video import Reading, probe, read_frames

from .footage import BlendModel, decoded
from .planes import decoded_frames

Picture = NDArray[np.uint8]
LEFT_OUT = (
    "The source has transparent parts, and MP4, H.264 holds none: they are laid on black. "
    "ProRes 4444, PNG, WebP and GIF keep them."
)


def cut_outs(count: int = 4) -> list[Picture]:
    """RGBA 64x48: an orange square, half transparent in its upper rows, moves over nothing (which is hidden green)."""
    frames = []
    for number in range(count):
        frame = np.zeros((48, 64, 4), np.uint8)
        frame[..., 1] = 200  # not to be seen
        left = 8 + 4 * number
        frame[12:36, left : left + 24] = (230, 130, 30, 255)
        frame[12:24, left : left + 24, 3] = 128
        frames.append(frame)
    return frames


def alpha_film(path: Path, frames: Sequence[Picture], codec: str, pix_fmt: str, **options: str) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25, options=options, width=64, height=48)
        stream.pix_fmt = pix_fmt
        for number, rgba in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(rgba, format="rgba").reformat(format=pix_fmt)
            frame.pts, frame.time_base = number, F(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def prores(folder: Path) -> Path:
    return alpha_film(folder / "a.mov", cut_outs(), "prores_ks", "yuva444p10le", profile="4444")


def vp9(folder: Path) -> Path:
    return alpha_film(folder / "a.webm", cut_outs(), "libvpx-vp9", "yuva420p", crf="4", b="0")


def lossless(folder: Path) -> Path:
    return alpha_film(folder / "a.mkv", cut_outs(), "ffv1", "bgra")


def sequence(folder: Path) -> Path:
    paths = [folder / f"p{number}.png" for number in range(4)]
    for path, rgba in zip(paths, cut_outs(), strict=True):
        Image.fromarray(rgba).save(path)
    pack_sequence(paths, folder / "a.zip", F(25))
    return folder / "a.zip"


def gif(folder: Path) -> Path:
    frames = [
        Image.fromarray(np.where(rgba[..., 3:] > 0, rgba | [0, 0, 0, 255], 0).astype(np.uint8)) for rgba in cut_outs()
    ]
    frames[0].save(folder / "a.gif", save_all=True, append_images=frames[1:], duration=40, disposal=2, loop=0)
    return folder / "a.gif"


def render(source: Path, folder: Path, model: Any = None, **settings: Any) -> RenderResult:
    options = RenderOptions(**{"held_out": False, "quality": 100, **settings})
    return render_video(source, folder, options, model or BlendModel())


def seen(rgba: NDArray[Any]) -> NDArray[np.float64]:
    """What is seen on black, 0-255."""
    most = np.iinfo(rgba.dtype).max
    return rgba[..., :3].astype(float) * rgba[..., 3:] / most * (255 / most)


@pytest.mark.parametrize("make", [prores, vp9, lossless, sequence, gif])
def test_alpha_is_found_and_read(tmp_path: Path, make: Any) -> None:
    source = make(tmp_path)
    info = probe(source)
    assert (info.alpha, info.frame_count) == (True, 4)
    for frame, truth in zip(read_frames(source, info=info, reading=Reading(alpha=True)), cut_outs(), strict=True):
        assert frame.rgb.shape == (48, 64, 4)
        alpha = np.where(truth[..., 3] > 0, 255, 0) if make is gif else truth[..., 3]
        assert np.abs(frame.rgb[..., 3].astype(int) - alpha).mean() < 1
        if make is not gif:
            assert np.abs(seen(frame.rgb) - seen(truth)).mean() < 3


@pytest.mark.parametrize("make", [prores, vp9, lossless, sequence])
def test_without_alpha_everything_transparent_is_black(tmp_path: Path, make: Any) -> None:
    for frame, truth in zip(read_frames(make(tmp_path)), cut_outs(), strict=True):
        assert frame.rgb.shape == (48, 64, 3)
        assert np.abs(frame.rgb - seen(truth)).mean() < 3


def test_a_gif_without_transparent_parts_has_no_alpha(tmp_path: Path) -> None:
    frames = [Image.fromarray(rgba[..., :3]) for rgba in cut_outs()]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=40)
    assert not probe(tmp_path / "a.gif").alpha
    assert probe(tmp_path / "a.gif").notes == []


@pytest.mark.parametrize("make", [prores, vp9, lossless, sequence])
def test_prores_4444_keeps_alpha_in_source_and_new_frames(tmp_path: Path, make: Any) -> None:
    result = render(make(tmp_path), tmp_path / "out", format="mov_prores4444")
    written = list(read_frames(result.master, reading=Reading(alpha=True)))
    assert len(written) == 8
    for frame, truth in zip(written[::2], cut_outs(), strict=True):
        assert np.abs(frame.rgb[..., 3].astype(int) - truth[..., 3]).mean() < 1
        assert np.abs(seen(frame.rgb) - seen(truth)).mean() < 3
    new, (before, after) = written[1].rgb, cut_outs()[:2]
    between = (before[..., 3].astype(float) + after[..., 3]) / 2
    assert np.abs(new[..., 3] - between).mean() < 1
    assert not any("transparent" in note for note in result.metrics["notes"])
    assert result.certificate["ok"], result.certificate


def test_frames_with_alpha_reach_prores_as_they_were_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = list[av.VideoFrame]()
    from engine.writer import VideoWriter

    real = VideoWriter.write_native
    monkeypatch.setattr(
        VideoWriter, "write_native", lambda self, frame, pts: (given.append(frame), real(self, frame, pts))[1]
    )
    source = prores(tmp_path)
    render(source, tmp_path / "out", format="mov_prores4444")
    kinds = {frame.format.name for frame in decoded_frames(source)}
    assert len(given) == 5  # four, and the last one held
    assert {frame.format.name for frame in given} == kinds


@pytest.mark.parametrize("make", [lossless, sequence])
def test_a_png_sequence_keeps_alpha_to_the_last_bit(tmp_path: Path, make: Any) -> None:
    result = render(make(tmp_path), tmp_path / "out", format="png")
    with zipfile.ZipFile(result.master) as archive:
        written = [read_pixels(archive.read(name), Limits(), deep=False, alpha=True) for name in archive.namelist()]
    assert len(written) == 8
    assert all(np.array_equal(a[..., 3], b[..., 3]) for a, b in zip(written[::2], cut_outs(), strict=True))
    assert all(
        np.array_equal(np.rint(seen(a)), np.rint(seen(b))) for a, b in zip(written[::2], cut_outs(), strict=True)
    )
    assert result.certificate["ok"], result.certificate


@pytest.mark.parametrize("format_", ["gif", "webp"])
def test_gif_and_webp_keep_transparent_parts(tmp_path: Path, format_: str) -> None:
    result = render(lossless(tmp_path), tmp_path / "out", format=format_)
    written = list(read_frames(result.master, reading=Reading(alpha=True)))
    assert len(written) >= 7  # WebP shows a repeated frame for longer instead
    for frame, truth in zip(written[::2], cut_outs(), strict=True):
        assert (frame.rgb[truth[..., 3] == 0, 3] == 0).all()
        assert (frame.rgb[truth[..., 3] == 255, 3] == 255).all()
    assert result.certificate["ok"], result.certificate


@pytest.mark.parametrize("make", [prores, vp9, lossless, sequence, gif])
def test_h264_gets_black_behind_and_a_note(tmp_path: Path, make: Any) -> None:
    result = render(make(tmp_path), tmp_path / "out", crf=0)
    assert LEFT_OUT in result.metrics["notes"]
    first = decoded(result.master)[0][1]
    truth = np.where(cut_outs()[0][..., 3:] > 0, (230, 130, 30), 0) if make is gif else seen(cut_outs()[0])
    assert np.abs(first - truth).mean() < 4
    assert first[2:8].max() < 12  # no hidden green


def test_the_network_draws_alpha_between(tmp_path: Path) -> None:
    result = render(lossless(tmp_path), tmp_path / "out", Interpolator.load(), format="png")
    with zipfile.ZipFile(result.master) as archive:
        new = read_pixels(archive.read("frame_000002.png"), Limits(), deep=False, alpha=True)
    assert new.shape == (48, 64, 4)
    assert new[:8, :, 3].max() == 0
    assert new[26:34, 14:30, 3].min() > 250


def test_scaled_frames_have_no_rim_of_hidden_colour(tmp_path: Path) -> None:
    how = Reading(alpha=True)
    small = next(read_frames(lossless(tmp_path), resolution=(30, 22), reading=how)).rgb
    visible = small[small[..., 3] > 8][..., :3].astype(int)
    assert small.shape == (22, 30, 4)
    assert np.abs(visible - (230, 130, 30)).max() <= 16
