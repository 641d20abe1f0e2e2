"""Segments become one file, in every format: the frames of the segments, at the times of a render in one piece."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from engine.certificate import certify
from engine.formats import FORMATS, Encoding, encoding_for
from engine.masters import make_master, promise
from engine.writer import VideoWriter

from .clips import difference, pictures

F = Fraction
SIZE = (64, 48)
FILMS = [name for name, entry in FORMATS.items() if entry.kind == "film"]
NTSC = F(48000, 1001)
SEAMS = (0, 7, 8, 20)  # a segment of one frame among them
# one frame shown for long, one shortly, none on a grid
UNEVEN = [F(tick, 600) for tick in (0, 13, 31, 90, 91, 100, 117, 151, 200, 280, 281, 320, 361, 402, 409, 460, 500, 533,
                                    590, 640)]  # fmt: skip


def write(path: Path, encoding: Encoding, times: Sequence[Fraction], end: Fraction, first: int, last: int) -> Path:
    """The frames [first, last) of a film as a segment."""
    frames = pictures(len(times), *SIZE)
    stop = times[last] if last < len(times) else end
    base = F(1, 600) if times is UNEVEN else None
    with VideoWriter(
        path, width=SIZE[0], height=SIZE[1], fps=len(times) / end, time_base=base, start=times[first], end=stop,
        encoding=encoding, even=times is not UNEVEN,
    ) as writer:  # fmt: skip
        for index in range(first, last):
            writer.write(frames[index], times[index])
    return path


def parts_and_whole(folder: Path, name: str, times: Sequence[Fraction], end: Fraction) -> tuple[list[Path], Path, Path]:
    """(segments, the film joined from them, the same film from one segment)."""
    encoding = encoding_for(name, SIZE, encoder="software")
    entry = encoding.format
    spans = list(pairwise(SEAMS))
    parts = [write(folder / f"{a}{entry.segment}", encoding, times, end, a, b) for a, b in spans]
    single = write(folder / f"single{entry.segment}", encoding, times, end, 0, len(times))
    joined, whole = folder / f"joined{entry.suffix}", folder / f"whole{entry.suffix}"
    make_master(parts, joined, encoding, info=None)
    make_master([single], whole, encoding, info=None)
    return parts, joined, whole


def decoded(path: Path) -> list[NDArray[np.uint8]]:
    """RGB of every frame, as a plain player decodes it."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = sorted(archive.namelist())
            return [np.asarray(Image.open(BytesIO(archive.read(name))).convert("RGB")) for name in names]
    if path.suffix == ".webp":
        with Image.open(path) as film:
            return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(film)]
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def stamps(path: Path) -> list[Fraction]:
    """When each frame is shown, by the file's own time stamps."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def shown_by(name: str, pictures_decoded: Sequence[NDArray[np.uint8]], count: int) -> list[int]:
    """Which of the pictures that were written each decoded one is."""
    originals = pictures(count, *SIZE)
    return [int(np.argmin([difference(one, original) for original in originals])) for one in pictures_decoded]


@pytest.mark.parametrize("name", FILMS)
def test_joined_segments_decode_to_the_frames_of_the_segments(tmp_path: Path, name: str) -> None:
    times = [index / NTSC for index in range(20)]
    parts, joined, _ = parts_and_whole(tmp_path, name, times, 20 / NTSC)
    found, expected = decoded(joined), [frame for part in parts for frame in decoded(part)]
    assert len(found) == len(expected) == 20
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))
    assert shown_by(name, found, 20) == list(range(20))


@pytest.mark.parametrize("name", FILMS)
@pytest.mark.parametrize("uneven", [False, True])
def test_joined_segments_have_the_times_of_one_piece(tmp_path: Path, name: str, uneven: bool) -> None:
    times, end = (UNEVEN, F(700, 600)) if uneven else ([index / NTSC for index in range(20)], 20 / NTSC)
    _, joined, whole = parts_and_whole(tmp_path, name, times, end)
    unit = FORMATS[name].unit
    assert stamps(joined) == stamps(whole) == [round(time / unit) * unit if unit else time for time in times]
    encoding = encoding_for(name, SIZE, encoder="software")
    expected = {**promise(encoding, SIZE, alpha=False), "frame_count": 20, "duration": end, "fps": 20 / end}
    for path in (joined, whole):
        found = certify(path, expected, unit=unit)
        assert found["ok"], found


@pytest.mark.parametrize("name", ["gif", "webp", "png"])
def test_pictures_of_segments_are_those_of_one_piece_to_the_last_bit(tmp_path: Path, name: str) -> None:
    times = [F(index, 10) for index in range(20)]
    _, joined, whole = parts_and_whole(tmp_path, name, times, F(2))
    assert joined.read_bytes() == whole.read_bytes()
    assert shown_by(name, decoded(joined), 20) == list(range(20))


def test_png_pictures_are_the_pictures_that_were_written(tmp_path: Path) -> None:
    _, joined, _ = parts_and_whole(tmp_path, "png", [F(index, 10) for index in range(20)], F(2))
    with zipfile.ZipFile(joined) as archive:
        assert archive.namelist() == [f"frame_{number:06d}.png" for number in range(1, 21)]
    assert all(np.array_equal(one, other) for one, other in zip(decoded(joined), pictures(20, *SIZE), strict=True))
