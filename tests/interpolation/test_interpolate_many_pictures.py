"""`manage.py interpolate` with a folder, a zip or a list of pictures: as one sequence, or as pairs."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from engine.pictures import write_picture
from engine.video import probe
from interpolation.management.commands import interpolate
from tests.engine.footage import BlendModel, shot

ROOT = Path(__file__).parent.parent.parent
loads: list[Any] = []


@pytest.fixture(autouse=True)
def blend_model(monkeypatch: pytest.MonkeyPatch) -> None:
    loads.clear()
    monkeypatch.setattr(interpolate.Interpolator, "load", lambda *given: loads.append(given) or BlendModel())


def run(*args: Any) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("interpolate", *map(str, args), stdout=out, stderr=err)
    except CommandError as error:
        error.args = (f"{error}\n{err.getvalue()}",)
        raise
    return out.getvalue(), err.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """f_7.png to f_12.png."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number, rgb in enumerate(shot(1, 6), 7):
        write_picture(folder / f"f_{number}.png", rgb)
    return folder


def zip_of(folder: Path) -> Path:
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        for path in folder.rglob("*.png"):
            archive.write(path, path.relative_to(folder.parent))
    return folder.with_suffix(".zip")


def test_a_folder_is_a_film_of_24_pictures_a_second(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "out.mp4")
    assert (probe(tmp_path / "out.mp4").frame_count, probe(tmp_path / "out.mp4").fps) == (12, 48)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["out.mp4"]


def test_a_zip_takes_the_rate_it_is_given(folder: Path, tmp_path: Path) -> None:
    run(zip_of(folder), tmp_path / "out.mp4", "--input_fps", "30000/1001", "--frames", 2)
    assert (probe(tmp_path / "out.mp4").frame_count, probe(tmp_path / "out.mp4").fps) == (18, F(90000, 1001))


def test_a_list_of_pictures_is_a_sequence_too(folder: Path, tmp_path: Path) -> None:
    run(*sorted(folder.iterdir()), tmp_path / "out.mp4", "--input_fps", 10)
    assert (probe(tmp_path / "out.mp4").frame_count, probe(tmp_path / "out.mp4").fps) == (12, 20)


def test_a_gap_is_told(folder: Path, tmp_path: Path) -> None:
    (folder / "f_9.png").unlink()
    out, _ = run(folder, tmp_path / "out.mp4")
    assert "Number 9 is missing." in out


def test_a_rate_for_what_has_its_own_is_refused(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "film.mp4")
    with pytest.raises(CommandError, match="A video has its own rate"):
        run(tmp_path / "film.mp4", tmp_path / "out.mp4", "--input_fps", 24)
    with pytest.raises(CommandError, match="is not a frame rate"):
        run(folder, tmp_path / "out.mp4", "--input_fps", "fast")


def test_a_folder_with_something_else_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    (folder / "notes.txt").write_text("words")
    with pytest.raises(CommandError, match=r'"notes\.txt": This is a text'):
        run(folder, tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("packed", [False, True])
def test_every_pair_of_a_folder_or_zip_is_drawn_with_one_load(folder: Path, tmp_path: Path, packed: bool) -> None:
    out, _ = run("--pairs", zip_of(folder) if packed else folder, tmp_path / "out", "--frames", 3)
    assert out == f"{tmp_path / 'out'}: 3 pairs, 3 new each\n"
    made = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    names = [f"{'in_' if packed else ''}{name}" for name in ("f_11-f_12", "f_7-f_8", "f_9-f_10")]
    assert made == [f"{name}/frame_{n:02d}.png" for name in names for n in (1, 2, 3)]
    assert len(loads) == 1


def test_bad_pairs_are_named_at_the_end_and_the_others_done(folder: Path, tmp_path: Path) -> None:
    write_picture(folder / "f_8.png", shot(1, 1, (80, 64))[0])
    (folder / "f_12.png").unlink()
    with pytest.raises(CommandError, match="2 of 3 could not be drawn") as failed:
        run("--pairs", folder, tmp_path / "out")
    assert "f_7-f_8: The two pictures differ in size: 64x48 and 80x64." in str(failed.value)
    assert "f_11.png: It has no partner." in str(failed.value)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["f_9-f_10"]
    run("--pairs", folder / "f_7.png", folder / "f_8.png", tmp_path / "other", "--resize-second")
    assert len(list((tmp_path / "other").rglob("*.png"))) == 1


def test_what_does_not_go_with_pairs_is_refused(folder: Path, tmp_path: Path) -> None:
    for given in (["--fps", 60], ["--slow", 2], ["--resolution", "64x64"], ["--input_fps", 24]):
        with pytest.raises(CommandError, match="does not go with --pairs"):
            run("--pairs", folder, tmp_path / "out", *given)
    with pytest.raises(CommandError, match="lies in the folder of the pairs"):
        run("--pairs", folder, folder / "out")
    with pytest.raises(CommandError, match="not empty"):
        run("--pairs", zip_of(folder), folder)
    with pytest.raises(CommandError, match="There is no file or folder"):
        run("--pairs", tmp_path / "nothing", tmp_path / "out")
    with pytest.raises(CommandError, match="Choose 1 to 10"):
        run("--pairs", folder, tmp_path / "out", "--frames", 0)


def test_on_the_command_line_a_bad_pair_gives_exit_code_1(folder: Path, tmp_path: Path) -> None:
    (folder / "f_12.png").write_bytes(b"nothing of use")
    environment = {
        **os.environ,
        "INBETWEEN_DATA": str(tmp_path / "data"),
        "INBETWEEN_DATABASE": "sqlite:////nowhere/db",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "interpolate", "--pairs", str(folder), str(tmp_path / "out")],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "f_12.png: This is a text" in done.stderr and "2 of 4 could not be drawn" in done.stderr
    assert len(list((tmp_path / "out").rglob("*.png"))) == 2
