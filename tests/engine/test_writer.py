"""Videos out: exact times, exact sizes, whole files or none."""

from __future__ import annotations

import errno
import resource
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from engine.damage import mp4_boxes
from engine.errors import NoSpaceError
from engine.video import frame_times, probe, read_frames
from engine.writer import VideoWriter

from .clips import difference, film, pictures

F = Fraction
FPS = F(25)


def write(path: Path, count: int, fps: Fraction = FPS, width: int = 64, height: int = 48, **more: object) -> Path:
    with VideoWriter(path, width=width, height=height, fps=fps, **more) as writer:  # type: ignore[arg-type]
        for index, rgb in enumerate(pictures(count, width, height)):
            writer.write(rgb, index / fps)
    return path


@pytest.mark.parametrize("fps", [F(24), F(24000, 1001), F(60000, 1001), F(1, 2), F(240), F(7 * 30000, 1001), F(25, 3)])
def test_frame_count_times_rate_and_duration_are_exact(tmp_path: Path, fps: Fraction) -> None:
    path = write(tmp_path / "a.mp4", 31, fps)
    info = probe(path)
    assert (info.frame_count, info.fps, info.duration, info.is_vfr) == (31, fps, 31 / fps, False)
    assert frame_times(path) == [index / fps for index in range(31)]


def test_the_file_is_h264_yuv420p_with_its_index_in_front(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", 5)
    assert (probe(path).codec, probe(path).pix_fmt) == ("h264", "yuv420p")
    kinds = [box.kind for box in mp4_boxes(path)]
    assert kinds.index("moov") < kinds.index("mdat")


def test_frames_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", 3, crf=10)
    for frame, rgb in zip(read_frames(path), pictures(3), strict=True):
        assert difference(frame.rgb.mean(axis=2), rgb.mean(axis=2)) < 2.5  # colour is at half size in every yuv420p
        assert difference(frame.rgb, rgb) < 5


@pytest.mark.parametrize("size", [(53, 31), (64, 47), (53, 48), (17, 16)])
def test_odd_sizes_are_kept_exactly(tmp_path: Path, size: tuple[int, int]) -> None:
    path = write(tmp_path / "a.mp4", 3, width=size[0], height=size[1])
    info = probe(path)
    assert ((info.width, info.height), info.pix_fmt) == (size, "yuv444p")
    assert next(read_frames(path)).rgb.shape == (size[1], size[0], 3)


def test_uneven_times_are_exact_to_the_end_of_the_last_frame(tmp_path: Path) -> None:
    times = [F(tick, 90000) for tick in (0, 1500, 4500, 4501, 49500, 52503, 90000)]
    end = times[-1] + F(1, 7)
    with VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=7 / end, time_base=F(1, 630000), end=end) as writer:
        for rgb, time in zip(pictures(7), times, strict=True):
            writer.write(rgb, time)
    info = probe(tmp_path / "a.mp4")
    assert frame_times(tmp_path / "a.mp4") == times
    assert (info.duration, info.is_vfr) == (end, True)


def test_a_part_of_a_film_begins_at_zero(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=F(25), start=F(4), end=F(42, 10)) as writer:
        for index, rgb in enumerate(pictures(5)):
            writer.write(rgb, 4 + F(index, 25))
    assert frame_times(tmp_path / "a.mp4") == [F(index, 25) for index in range(5)]


def test_tags_and_pixel_shape_of_the_source_are_written(tmp_path: Path) -> None:
    info = probe(film(tmp_path / "source.mp4", pictures(2), tags=(9, 18, 9, 1), sar=F(4, 3)))
    written = probe(write(tmp_path / "a.mp4", 2, info=info))
    assert (written.colour, written.sar) == (info.colour, F(4, 3))


def test_pixels_are_square_at_another_size_unless_said(tmp_path: Path) -> None:
    info = probe(film(tmp_path / "source.mp4", pictures(2), sar=F(4, 3)))
    assert probe(write(tmp_path / "a.mp4", 2, width=128, info=info)).sar == 1
    assert probe(write(tmp_path / "b.mp4", 2, width=128, info=info, sar=F(2, 3))).sar == F(2, 3)


def test_key_frames_come_as_often_as_asked(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", 51, keyframe_seconds=F(1, 2))
    with av.open(str(path)) as source:
        keys = [packet.pts * packet.time_base for packet in source.demux(video=0) if packet.size and packet.is_keyframe]
    assert len(keys) >= 4
    assert max(after - before for before, after in pairwise(keys)) <= F(12, 25)


def test_the_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with VideoWriter(path, width=64, height=48, fps=F(25)) as writer:
        for index, rgb in enumerate(pictures(5)):
            writer.write(rgb, F(index, 25))
            assert not path.exists()
    assert path.exists()
    assert list(tmp_path.glob("*a*mp4*")) == [path]


def test_an_error_leaves_nothing_behind_and_the_old_file_in_place(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", 2)
    before = path.read_bytes()
    with pytest.raises(RuntimeError), VideoWriter(path, width=64, height=48, fps=F(25)) as writer:
        for index, rgb in enumerate(pictures(5)):
            writer.write(rgb, F(index, 25))
        raise RuntimeError
    assert path.read_bytes() == before
    assert list(tmp_path.glob("*a*mp4*")) == [path]


@pytest.mark.parametrize(
    ("rgb", "time"),
    [
        (np.zeros((48, 63, 3), np.uint8), F(1)),
        (np.zeros((48, 64, 3)), F(1)),
        (np.zeros((48, 64, 3), np.uint8), F(0)),
        (np.zeros((48, 64, 3), np.uint8), F(-1)),
    ],
)
def test_mistakes_of_the_caller_are_told(tmp_path: Path, rgb: np.ndarray, time: Fraction) -> None:
    writer = VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=F(25))
    writer.write(pictures(1)[0], F(0))
    with pytest.raises(ValueError, match=r"Expected|not after"):
        writer.write(rgb, time)
    writer.abort()
    assert not list(tmp_path.glob("*a*mp4*"))


def test_a_video_without_frames_is_a_mistake(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="at least one frame"),
        VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=F(25)),
    ):
        pass


_FILL = """
import resource, sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from engine.errors import NoSpaceError
from engine.writer import VideoWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
try:
    with VideoWriter(sys.argv[1], width=320, height=240, fps=Fraction(25), crf=10) as writer:
        for index in range(40):
            writer.write(np.roll(noise, index * 7, axis=0), Fraction(index, 25))
except NoSpaceError as error:
    print(error)
"""


def test_a_disk_without_room_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    """The system refuses to let a file grow, as a full disk or a quota does."""
    run = subprocess.run(
        [sys.executable, "-c", _FILL, str(tmp_path / "a.mp4")],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert "The disk is full" in run.stdout
    assert not list(tmp_path.glob("*a*mp4*"))
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 50_000


def test_no_space_as_the_library_reports_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise av.error.OSError(errno.ENOSPC, "No space left on device")

    writer = VideoWriter(tmp_path / "a.mp4", width=64, height=48, fps=F(25))
    writer.write(pictures(1)[0], F(0))
    monkeypatch.setattr(VideoWriter, "_opened", full)
    with pytest.raises(NoSpaceError):
        writer.write(pictures(1)[0], F(1, 25))
