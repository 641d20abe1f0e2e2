"""`manage.py interpolate`: the engine without the web, and without a database."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from engine import RenderOptions
from engine.errors import BadOptionsError
from engine.pictures import write_picture
from engine.render import Progress
from engine.video import probe
from interpolation.management.commands import interpolate
from interpolation.management.commands.interpolate import FILMS_ONLY, ProgressBar, clock, read_options
from tests.engine.footage import BlendModel, shot, write_video

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """6 frames of 64x48 at 24 fps."""
    return write_video(tmp_path / "clip.mp4", shot(1, 6), fps=F(24))


@pytest.fixture(autouse=True)
def blend_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpolate.Interpolator, "load", lambda *_: BlendModel())


def run(*args: Any) -> str:
    out, err = io.StringIO(), io.StringIO()
    call_command("interpolate", *map(str, args), stdout=out, stderr=err)
    return out.getvalue()


@pytest.mark.parametrize(
    ("given", "frames", "fps"),
    [([], 12, 48), (["--frames", 3], 24, 96), (["--slow", 2], 18, 24), (["--fps", "60"], 15, 60)],
)
def test_each_mode_writes_what_it_promises(clip: Path, tmp_path: Path, given: list[Any], frames: int, fps: int) -> None:
    text = run(clip, tmp_path / "out.mp4", *given)
    info = probe(tmp_path / "out.mp4")
    assert (info.frame_count, info.fps) == (frames, fps)
    assert f"{frames} frames" in text and "Not as expected" not in text
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != "") == ["clip.mp4", "out.mp4"]


@pytest.mark.parametrize(
    ("given", "frames", "seconds", "tracks"),
    [
        (["--slow", 1, "--sound", "stretch"], 24, F(2), 1),
        (["--slow", 1], 24, F(2), 0),
        (["--sound", "drop"], 24, F(1), 0),
        (["--trim_start", "0.25", "--trim_end", "0:00.75"], 12, F(1, 2), 1),
        (["--loop", "--frames", 2], 36, F(1), 1),
        (["--duplicates", "drop"], 11, F(1), 1),
        (["--deinterlace", "off"], 24, F(1), 1),
    ],
)
def test_what_can_be_chosen_in_the_portal_can_be_chosen_here(
    tmp_path: Path, given: list[Any], frames: int, seconds: F, tracks: int
) -> None:
    pictures = shot(1, 11)
    source = write_video(tmp_path / "clip.mp4", [*pictures[:4], pictures[3], *pictures[4:]], fps=F(12), sound=True)
    assert "Not as expected" not in run(source, tmp_path / "out.mp4", *given)
    info = probe(tmp_path / "out.mp4")
    assert (info.frame_count, info.duration, len(info.audio)) == (frames, seconds, tracks)


def test_settings_of_films_are_refused_for_pictures(tmp_path: Path, tiny_pictures: tuple[Path, Path]) -> None:
    with pytest.raises(CommandError, match="--trim_end is for videos, not for two pictures"):
        run(*tiny_pictures, tmp_path / "out.mp4", "--trim_end", "1")


def test_pictures_of_two_sizes_are_refused_with_the_way_out(tmp_path: Path, tiny_pictures: tuple[Path, Path]) -> None:
    larger = write_picture(tmp_path / "larger.png", np.zeros((100, 120, 3), np.uint8))
    with pytest.raises(CommandError, match=r"differ in size: .* and 120x100.*--resize-second does that"):
        run(tiny_pictures[0], larger, tmp_path / "out.mp4")
    run(tiny_pictures[0], larger, tmp_path / "out.mp4", "--resize-second")
    assert probe(tmp_path / "out.mp4").frame_count == 3


def test_two_pictures_make_a_film(tmp_path: Path, tiny_pictures: tuple[Path, Path]) -> None:
    run(*tiny_pictures, tmp_path / "out.mp4", "--frames", 5, "--fps", "30")
    assert (probe(tmp_path / "out.mp4").frame_count, probe(tmp_path / "out.mp4").fps) == (7, 30)


def test_an_existing_file_is_replaced_only_with_force(clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    output.write_bytes(b"precious")
    with pytest.raises(CommandError, match="exists already"):
        run(clip, output)
    assert output.read_bytes() == b"precious"
    run(clip, output, "--force")
    assert probe(output).frame_count == 12


def test_the_source_is_never_overwritten(clip: Path) -> None:
    before = clip.read_bytes()
    with pytest.raises(CommandError, match="the source itself"):
        run(clip, clip, "--force")
    assert clip.read_bytes() == before


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--frames", "2", "--slow", "2"], "exclude each other"),
        (["--frames", "2", "--fps", "60"], "exclude each other"),
        (["--frames", "11"], "Choose 1 to 10"),
        (["--frames", "two"], "not a number"),
        (["--fps", "0"], "out of range"),
        (["--fps", "nan"], "not a frame rate"),
        (["--fps", "1e9"], "out of range"),
        (["--resolution", "3x3"], "out of range"),
        (["--resolution", "big"], "not a resolution"),
        (["--crf", "99"], "out of range"),
        (["--cut", "jump"], '"jump" is not known'),
        (["--trim_start", "soon"], "not a time"),
        (["--trim_start", "0.2", "--trim_end", "0.1"], "before its start"),
        (["--duplicates", "drop", "--slow", "2"], "draws nothing new"),
    ],
)
def test_settings_that_make_no_sense_are_named(clip: Path, tmp_path: Path, given: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run(clip, tmp_path / "out.mp4", *given)
    assert not (tmp_path / "out.mp4").exists()


def test_files_and_folders_that_are_missing_are_named(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"no file .*nothing\.mp4"):
        run(tmp_path / "nothing.mp4", tmp_path / "out.mp4")
    with pytest.raises(CommandError, match="no folder"):
        run(clip, tmp_path / "nowhere" / "out.mp4")
    with pytest.raises(CommandError, match=r"Let the name end in \.mp4, .* or \.zip"):
        run(clip, tmp_path / "out.avi")
    with pytest.raises(CommandError, match="two pictures"):
        run(clip)


def test_an_exact_rate_may_be_a_fraction() -> None:
    given = {"frames": None, "fps": "60000/1001", "slow": None, "resolution": "1280x720", "crf": "20", "cut": "hold"}
    given |= {"format": None, "quality": "80", "bit_depth": "auto", "encoder": "auto", "loop": False}
    given |= FILMS_ONLY
    options = read_options({**given, "model": "default", "no_held_out": True}, Path("a.mp4"), pictures=False)
    assert options == RenderOptions(
        mode="fps", target_fps=F(60000, 1001), resolution=(1280, 720), crf=20, held_out=False
    )
    with pytest.raises(BadOptionsError, match="for videos"):
        read_options(
            {**given, "fps": None, "slow": "2", "model": "", "no_held_out": False}, Path("a.mp4"), pictures=True
        )


@pytest.mark.parametrize(
    ("name", "given", "codec"),
    [
        ("a.mp4", [], "h264"),
        ("a.mp4", ["--format", "mp4_h265", "--bit_depth", "10"], "hevc"),
        ("a.webm", [], "vp9"),
        ("a.mov", [], "prores"),
        ("a.GIF", [], "gif"),
        ("a.webp", ["--quality", "50"], "webp"),
    ],
)
def test_the_name_of_the_result_says_its_format(
    clip: Path, tmp_path: Path, name: str, given: list[str], codec: str
) -> None:
    assert "Not as expected" not in run(clip, tmp_path / name, *given)
    info = probe(tmp_path / name)
    assert (info.codec, info.duration) == (codec, F(1, 4))
    assert info.frame_count == (11 if codec == "webp" else 12)  # WebP shows the last one, which is held, for longer


def test_a_zip_gets_all_pictures(clip: Path, tmp_path: Path) -> None:
    run(clip, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert len(archive.namelist()) == 12


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("a.mp4", ["--format", "gif"], "let a.mp4 end in that"),
        ("a.mp4", ["--format", "avi"], "Choose mp4_h264, .* or png"),
        ("a.webm", ["--crf", "64"], "choose 0 .* to 63"),
        ("a.mov", ["--crf", "18"], "has no CRF"),
        ("a.gif", ["--bit_depth", "10"], "GIF is written with 8 bits"),
        ("a.mp4", ["--quality", "101"], "0 .* to 100"),
        ("a.gif", ["--encoder", "nvenc"], "NVENC does not write GIF"),
    ],
)
def test_what_a_format_cannot_do_is_said(clip: Path, tmp_path: Path, name: str, given: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run(clip, tmp_path / name, *given)
    assert not (tmp_path / name).exists()


def test_on_the_command_line_an_error_is_one_plain_line_and_exit_code_1(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("not a video")
    environment = {
        **os.environ,
        "INBETWEEN_DATA": str(tmp_path / "data"),
        "INBETWEEN_DATABASE": "sqlite:////nowhere/db",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "interpolate", str(text), str(tmp_path / "out.mp4")],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("This is a text, not a video"), done.stderr
    assert not (tmp_path / "out.mp4").exists()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_says_stage_frames_rate_and_time_left() -> None:
    bar = ProgressBar(Terminal())
    bar.show(Progress("interpolating", 0, 240))
    line = bar.line(Progress("interpolating", 120, 240), 10)
    assert line == "interpolating [############------------] 120/240  12.0 fps  0:10 left"
    bar.show(Progress("joining", 0, 1))
    assert bar.out.getvalue().count("\n") == 1  # type: ignore[attr-defined]


def test_without_a_terminal_there_is_a_line_per_stage() -> None:
    out = io.StringIO()
    bar = ProgressBar(out)
    for done in range(5):
        bar.show(Progress("interpolating", done, 5))
    bar.show(Progress("joining", 0, 1))
    assert out.getvalue() == "interpolating\njoining\n"


def test_times_are_written_as_on_a_clock() -> None:
    assert [clock(seconds) for seconds in (0, 65, 3700)] == ["0:00", "1:05", "1:01:40"]
