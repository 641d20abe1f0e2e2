"""Every kind of file on the allow-list goes through a whole render: as many frames as promised, at the right time."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from engine import RenderOptions, interpolate_video
from engine.render import RenderResult, render_video
from engine.sequence import as_film
from engine.video import probe, read_frames

from .clips import difference, film
from .footage import BlendModel, shot, write_video

COUNT = 6
FRAMES = shot(1, COUNT)


def coded(name: str, codec: str, pix_fmt: str = "yuv420p", format: str | None = None) -> Callable[[Path], Path]:
    return lambda folder: film(folder / name, FRAMES, codec=codec, rate=10, pix_fmt=pix_fmt, format=format)


def raw(folder: Path) -> Path:
    return film(folder / "a.y4m", FRAMES, codec="wrapped_avframe", rate=10, format="yuv4mpegpipe")


def animated(folder: Path, kind: str, **more: Any) -> Path:
    path = folder / f"a.{kind}"
    first, *rest = (Image.fromarray(rgb) for rgb in FRAMES)
    first.save(path, save_all=True, append_images=rest, duration=100, loop=0, **more)
    return path


def zipped(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        for number, rgb in enumerate(FRAMES, 8):  # 8, 9, 10: by number, not by letter
            Image.fromarray(rgb).save(folder / "one.png")
            archive.write(folder / "one.png", f"shot/f_{number}.png")
    return as_film(folder / "a.zip", folder / "work", F(10))


KINDS: dict[str, Callable[[Path], Path]] = {
    "MP4": lambda folder: write_video(folder / "a.mp4", FRAMES, fps=F(10)),
    "QuickTime": coded("a.mov", "libx264"),
    "Matroska": coded("a.mkv", "libx265"),
    "WebM": coded("a.webm", "libvpx-vp9"),
    "AVI": coded("a.avi", "mjpeg", "yuvj420p"),
    "MPEG-TS": coded("a.ts", "libx264"),
    "MPEG program stream": coded("a.mpg", "mpeg2video", format="vob"),
    "Flash video": coded("a.flv", "flv"),
    "Windows Media": coded("a.wmv", "wmv2", format="asf"),
    "Ogg": coded("a.ogv", "libvpx", format="ogg"),
    "IVF": coded("a.ivf", "libvpx"),
    "YUV4MPEG2": raw,
    "GIF": lambda folder: animated(folder, "gif"),
    "animated PNG": lambda folder: animated(folder, "png"),
    "animated WebP": lambda folder: animated(folder, "webp", lossless=True),
    "picture sequence": zipped,
}


def rendered(source: Path, folder: Path, **options: Any) -> RenderResult:
    return render_video(source, folder, RenderOptions(crf=18, **options), BlendModel())


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_rendered_end_to_end(kind: str, tmp_path: Path) -> None:
    source = KINDS[kind](tmp_path)
    info = probe(source)
    assert (info.container, info.frame_count, info.fps) == (kind, COUNT, F(10))
    result = rendered(source, tmp_path / "out", held_out=False)
    made = probe(result.master)
    assert (made.frame_count, made.fps, made.duration) == (2 * COUNT, F(20), F(COUNT, 10))
    assert result.certificate["ok"], result.certificate
    assert result.source_preview is not None and probe(result.source_preview).frame_count == COUNT
    first = next(read_frames(result.master)).rgb
    assert difference(first, FRAMES[0]) < 6


def test_the_ending_of_the_name_plays_no_part(tmp_path: Path) -> None:
    source = KINDS["Matroska"](tmp_path).rename(tmp_path / "a.jpg")
    assert rendered(source, tmp_path / "out", held_out=False).certificate["ok"]


def test_a_sequence_with_a_gap_is_drawn_over_its_whole_time(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number, rgb in zip((1, 2, 4, 5), FRAMES[:4], strict=True):
        Image.fromarray(rgb).save(folder / f"f{number}.png")
    result = rendered(as_film(folder, tmp_path, F(10)), tmp_path / "out", mode="fps", target_fps=F(20))
    made = probe(result.master)
    assert (made.frame_count, made.duration) == (10, F(1, 2))
    assert result.metrics["frames"]["new"] == 5  # one in each short gap, three in the long one
    assert any("Number 3 is missing" in note for note in result.metrics["notes"])


def test_frames_of_a_sequence_are_found_again_for_the_figures(tmp_path: Path) -> None:
    result = rendered(zipped(tmp_path), tmp_path / "out", held_out=True)
    assert result.metrics["held_out"]["label"] == "held-out"


def test_uneven_times_of_an_animated_webp_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    first, *rest = (Image.fromarray(rgb) for rgb in FRAMES)
    first.save(path, save_all=True, append_images=rest, duration=[100, 50, 200, 70, 90, 40], lossless=True)
    result = rendered(path, tmp_path / "out", held_out=False)
    made = [frame.pts for frame in read_frames(result.master)]
    assert made[::2] == [F(n, 1000) for n in (0, 100, 150, 350, 420, 510)]
    assert probe(result.master).duration == F(550, 1000)


def test_a_source_that_is_rendered_again_uses_its_finished_segments(tmp_path: Path) -> None:
    source = zipped(tmp_path)
    model = BlendModel()
    render_video(source, tmp_path / "out", RenderOptions(crf=18, held_out=False), model)
    drawn = len(model.times)
    render_video(source, tmp_path / "out", RenderOptions(crf=18, held_out=False), model)
    assert (drawn, len(model.times)) == (COUNT - 1, COUNT - 1)


def test_a_folder_of_pictures_is_a_film_in_one_call(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number, rgb in enumerate(FRAMES):
        Image.fromarray(rgb).save(tmp_path / f"in/{number}.png")
    made = interpolate_video(
        tmp_path / "in", 2, input_fps=12, held_out=False, output_dir=tmp_path / "out", interpolator=BlendModel()
    )
    assert (probe(made.video_path).frame_count, probe(made.video_path).fps) == (3 * COUNT, 36)


@pytest.mark.parametrize("kind", ["GIF", "animated PNG", "animated WebP"])
def test_frames_are_those_that_were_drawn(kind: str, tmp_path: Path) -> None:
    read = [frame.rgb for frame in read_frames(KINDS[kind](tmp_path))]
    assert all(np.array_equal(a, b) for a, b in zip(read, FRAMES, strict=True))


def test_py_av_still_cannot_read_animated_webp(tmp_path: Path) -> None:
    """When it can, engine/animated_webp.py may go."""
    path = KINDS["animated WebP"](tmp_path)
    try:
        with av.open(str(path)) as container:
            found = sum(1 for _ in container.decode(video=0))
    except av.FFmpegError:
        found = 0
    assert found < COUNT
