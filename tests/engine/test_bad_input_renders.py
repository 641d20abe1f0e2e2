"""Odd and damaged videos go through a whole render: what can be decoded is rendered, and what was lost is said."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from engine import segments as segments_module
from engine.avi import lost_frames
from engine.config import RenderOptions
from engine.errors import BadInputError, StoppedError
from engine.pipeline import depth_for
from engine.render import RenderResult, render_video
from engine.video import probe

from .clips import film, pictures
from .footage import BlendModel, decoded

FASTSTART = {"movflags": "faststart"}


def render(source: Path, folder: Path, **settings: Any) -> RenderResult:
    options = RenderOptions(**{"held_out": False, "crf": 10, **settings})
    return render_video(source, folder, options, BlendModel())


def times(path: Path) -> list[F]:
    return [time for time, _ in decoded(path)]


def even(count: int, rate: F | int) -> list[F]:
    return [F(number) / rate for number in range(count)]


def changed(whole: Path, name: str, change: Callable[[bytearray], None]) -> Path:
    path, data = whole.with_name(name), bytearray(whole.read_bytes())
    change(data)
    path.write_bytes(data)
    return path


def garbled(seed: int, at: float = 0.5, length: int = 1500) -> Callable[[bytearray], None]:
    """Noise in the middle of the picture data."""

    def change(data: bytearray) -> None:
        begin = max(data.find(b"mdat"), 0)
        middle = begin + int((len(data) - begin) * at)
        data[middle : middle + length] = np.random.default_rng(seed).bytes(length)

    return change


def sizes(path: Path, *parts: Sequence[Any]) -> Path:
    """One H.264 stream in which the pictures change their size from part to part."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, width=parts[0][0].shape[1], height=parts[0][0].shape[0])
        stream.pix_fmt, number = "yuv420p", 0
        for frames in parts:
            encoder = av.CodecContext.create("libx264", "w")
            assert isinstance(encoder, av.VideoCodecContext)
            encoder.height, encoder.width = frames[0].shape[:2]
            encoder.pix_fmt, encoder.time_base, encoder.options = "yuv420p", F(1, 25), {"bf": "0"}
            packets = list[Any]()
            for rgb in frames:
                frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
                frame.pts, number = number, number + 1
                packets += encoder.encode(frame)
            for packet in [*packets, *encoder.encode(None)]:
                packet.stream = stream
                out.mux(packet)
    return path


def test_times_that_go_backwards(tmp_path: Path) -> None:
    """Frame 3 of 6 says that it is shown 60 ms after the first, where frame 2 is at 80 ms already."""
    whole = film(tmp_path / "whole.mkv", pictures(6), codec="mpeg4", time_base=F(1, 1000), ticks=range(0, 240, 40))

    def turn_back(data: bytearray) -> None:
        block = b"\x81" + (120).to_bytes(2, "big")  # track and time in milliseconds
        assert data.count(block) == 1
        place = data.find(block)
        data[place + 1 : place + 3] = (60).to_bytes(2, "big")

    result = render(changed(whole, "a.mkv", turn_back), tmp_path / "out")
    shown = times(result.master)[::2]
    assert shown == sorted(set(shown))
    assert {F(0), F(1, 25), F(2, 25), F(4, 25), F(5, 25)} <= set(shown)
    assert any("no usable time" in note for note in result.metrics["notes"]), result.metrics["notes"]
    assert result.certificate["ok"], result.certificate


def test_times_that_are_missing(tmp_path: Path) -> None:
    """AVI has no time stamps; with B-frames not even the order is in the file."""
    source = film(tmp_path / "a.avi", pictures(12), codec="mpeg4", options={"bf": "2"})
    result = render(source, tmp_path / "out")
    assert times(result.master) == even(24, 50)
    assert result.certificate["ok"], result.certificate


@pytest.mark.parametrize("options", [{"bf": "0"}, {"bf": "2"}])
def test_frames_without_a_time_fill_the_places_that_are_free(tmp_path: Path, options: dict[str, str]) -> None:
    whole = film(tmp_path / "whole.ts", pictures(12), options=options)

    def take_stamps(data: bytearray) -> None:
        starts = [match.start() for match in re.finditer(b"\0\0\1\xe0", bytes(data))]
        for number in (4, 5, 8):
            data[starts[number] + 7] = 0  # flags of the packet: no time of showing, none of decoding

    result = render(changed(whole, "a.ts", take_stamps), tmp_path / "out")
    assert times(result.master) == even(24, 50)
    assert result.metrics["notes"] == []
    assert result.certificate["ok"], result.certificate


@pytest.mark.parametrize("rate", [F(1, 2), F(240), F(24000, 1001)])
def test_very_slow_and_very_fast_films(tmp_path: Path, rate: F) -> None:
    result = render(film(tmp_path / "a.mp4", pictures(6), rate=rate), tmp_path / "out")
    assert times(result.master) == even(12, 2 * rate)
    assert probe(result.master).duration == 6 / rate
    assert result.certificate["ok"], result.certificate


def test_240_fps_eight_times(tmp_path: Path) -> None:
    result = render(film(tmp_path / "a.mp4", pictures(4), rate=240), tmp_path / "out", inbetween=7)
    assert times(result.master) == even(32, 1920)
    assert result.certificate["ok"], result.certificate


def test_a_film_that_changes_its_size_in_the_middle(tmp_path: Path) -> None:
    source = sizes(tmp_path / "a.ts", pictures(6), pictures(6, 96, 80))
    result = render(source, tmp_path / "out")
    assert {rgb.shape for _, rgb in decoded(result.master)} == {(48, 64, 3)}
    assert times(result.master) == even(24, 50)
    assert result.metrics["notes"] == ["6 frames had another size: scaled to that of the first."]
    assert result.certificate["ok"], result.certificate


@pytest.mark.parametrize("suffix", [".ts", ".mkv"])
@pytest.mark.parametrize("back", [False, True], ids=["for good", "and back"])
def test_a_job_interrupted_behind_a_change_of_size_goes_on_as_if_nothing_had_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, back: bool
) -> None:
    monkeypatch.setattr(segments_module, "SEGMENT_FRAMES", 12)
    parts = [pictures(6), pictures(24, 96, 80), *([pictures(12)] if back else [])]
    source = sizes(tmp_path / f"a{suffix}", *parts)
    whole, parted = (RenderOptions(held_out=False, crf=0) for _ in range(2))
    one = render_video(source, tmp_path / "one", whole, BlendModel())
    done = list[int]()
    with pytest.raises(StoppedError):
        render_video(
            source, tmp_path / "two", parted, BlendModel(),
            on_progress=lambda progress: done.append(progress.frames_done if progress.stage == "interpolating" else 0),
            should_stop=lambda: max(done, default=0) >= 27,
        )  # fmt: skip
    finished = sorted((tmp_path / "two" / "segments").glob("seg_*.json"))
    assert len(finished) == 2, "the third, which begins behind the change, was not finished"
    again = BlendModel()
    two = render_video(source, tmp_path / "two", parted, again)
    assert len(again.pairs) < sum(map(len, parts)) - 6, "what was finished was not drawn again"
    expected, found = decoded(one.master), decoded(two.master)
    assert [time for time, _ in found] == [time for time, _ in expected] == even(2 * sum(map(len, parts)), 50)
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(found, expected, strict=True))
    assert two.metrics["notes"] == one.metrics["notes"]
    assert two.certificate["ok"], two.certificate


def test_a_part_behind_a_change_of_size_has_the_size_of_the_film(tmp_path: Path) -> None:
    source = sizes(tmp_path / "a.ts", pictures(6), pictures(30, 96, 80))
    result = render(source, tmp_path / "out", trim_start=0.6)
    assert {rgb.shape for _, rgb in decoded(result.master)} == {(48, 64, 3)}
    assert {rgb.shape for _, rgb in decoded(result.source_preview)} == {(48, 64, 3)}
    assert result.certificate["ok"], result.certificate


@pytest.mark.parametrize("size", [(53, 31), (65, 48), (64, 49), (17, 17)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    source = film(tmp_path / "a.mkv", pictures(4, *size), codec="ffv1", pix_fmt="yuv444p")
    result = render(source, tmp_path / "out")
    info = probe(result.master)
    assert (info.width, info.height, info.frame_count) == (*size, 8)
    assert result.certificate["ok"], result.certificate


@pytest.mark.slow
def test_8k(tmp_path: Path) -> None:
    """33 million points a frame; queues between reading, drawing and writing hold one frame each."""
    picture = np.zeros((4320, 7680, 3), np.uint8)
    frames = [picture, picture.copy()]
    for number, frame in enumerate(frames):
        frame[1000:3000, 1000 + 64 * number : 4000 + 64 * number] = (200, 120, 40)
    source = film(tmp_path / "a.mp4", frames, options={"preset": "ultrafast", "crf": "30"})
    result = render(source, tmp_path / "out", crf=30)
    info = probe(result.master)
    assert (info.width, info.height, info.frame_count) == (7680, 4320, 4)
    assert result.certificate["ok"], result.certificate


def test_larger_than_8k_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="8400x4320 pixels; at most 8192x8192"):
        picture = np.zeros((4320, 8400, 3), np.uint8)
        source = film(tmp_path / "a.mp4", [picture], options={"preset": "ultrafast", "crf": "40"})
        render(source, tmp_path / "out")


def test_one_frame_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="only one frame"):
        render(film(tmp_path / "a.mp4", pictures(1)), tmp_path / "out")


def test_two_frames_give_four(tmp_path: Path) -> None:
    result = render(film(tmp_path / "a.mp4", pictures(2)), tmp_path / "out")
    assert times(result.master) == even(4, 50)
    assert result.metrics["frames"] == {"source": 2, "output": 4, "new": 1, "held": 1}
    assert result.certificate["ok"], result.certificate


def test_sound_longer_than_the_picture(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", pictures(10), beep_at=0.2, sound_seconds=2.0)
    result = render(source, tmp_path / "out")
    info = probe(result.master)
    assert (info.duration, info.frame_count) == (F(10, 25), 20)
    assert info.audio[0]["duration"] == pytest.approx(2.0, abs=0.05)
    assert result.certificate["ok"], result.certificate


def test_an_unknown_codec_is_named(tmp_path: Path) -> None:
    def rename(data: bytearray) -> None:
        entry = data.find(b"avc1", data.find(b"stsd"))
        data[entry : entry + 4] = b"xyz1"

    source = changed(film(tmp_path / "whole.mp4", pictures(3)), "a.mp4", rename)
    with pytest.raises(BadInputError, match='The video codec "xyz1" cannot be decoded here'):
        render(source, tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx264", {"bf": "0", "g": "5", "crf": "10"}),
        ("a.mp4", "libx264", {"g": "8", "crf": "10"}),
        ("a.mp4", "libx265", {"x265-params": "keyint=8:crf=10:log-level=none"}),
        ("a.mp4", "mpeg4", {"g": "8", "b": "4M"}),
        ("a.ts", "libx264", {"g": "8", "crf": "10"}),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_damage_in_the_middle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, codec: str, options: dict[str, str], seed: int
) -> None:
    """What is left is rendered, over several segments, to the end; what is missing is told with its time."""
    monkeypatch.setattr(segments_module, "SEGMENT_FRAMES", 12)
    suffix = Path(name).suffix
    whole = film(
        tmp_path / f"whole{suffix}",
        pictures(40, 96, 96),
        codec=codec,
        options=options,
        container=FASTSTART if suffix == ".mp4" else None,
    )
    result = render(changed(whole, name, garbled(seed)), tmp_path / "out")
    assert result.certificate["ok"], result.certificate
    assert result.metrics["frames"]["source"] >= 8
    assert result.metrics["frames"]["source"] * 2 == len(times(result.master))
    assert any(
        re.search(r"(left out \((at|nothing between) \d|shown so \(at \d|damaged after \d+ %|cut short)", note)
        for note in result.metrics["notes"]
    ), result.metrics["notes"]


def test_lost_frames_are_named_by_their_times(tmp_path: Path) -> None:
    """Two frames of ten are made unreadable, one at a time."""
    whole = film(tmp_path / "whole.mp4", pictures(10), codec="mjpeg", pix_fmt="yuvj420p", container=FASTSTART)

    def wipe(data: bytearray) -> None:
        starts = [match.start() for match in re.finditer(b"\xff\xd8\xff", bytes(data))]
        for number in (3, 7):
            data[starts[number] : starts[number + 1]] = bytes(starts[number + 1] - starts[number])

    result = render(changed(whole, "a.mp4", wipe), tmp_path / "out")
    assert result.metrics["frames"]["source"] == 8
    assert "2 frames could not be decoded: left out (at 0.12 s and 0.28 s)." in result.metrics["notes"]
    assert times(result.master)[::2] == [F(number, 25) for number in (0, 1, 2, 4, 5, 6, 8, 9)]
    assert result.certificate["ok"], result.certificate


def without_heads(data: bytearray, *numbers: int) -> None:
    """Wipes the heads of frames of an AVI, by which they are found."""
    places = [match.start() for match in re.finditer(b"00dc", bytes(data)) if match.start() > data.find(b"movi")]
    for number in numbers:
        data[places[number] : places[number] + 8] = bytes(8)


@pytest.mark.parametrize("lost", [(3, 7), (1,), (3, 4, 9)])
def test_frames_lost_in_an_avi_are_told_and_the_others_keep_their_times(tmp_path: Path, lost: tuple[int, ...]) -> None:
    """An AVI counts its frames: what comes after lost ones would be shown too early, and nobody would know."""
    whole = film(tmp_path / "whole.avi", pictures(10), codec="mjpeg", pix_fmt="yuvj420p")
    result = render(changed(whole, "a.avi", lambda data: without_heads(data, *lost)), tmp_path / "out")
    left = [number for number in range(10) if number not in lost]
    told = [note for note in result.metrics["notes"] if f"{len(lost)} frame" in note]
    assert len(told) == 1 and f"left out (at {lost[0] / 25:g}" in told[0], result.metrics["notes"]
    shown = decoded(result.master)[::2]
    assert [time for time, _ in shown] == [F(number, 25) for number in left]
    originals = [rgb for _, rgb in decoded(whole)]
    for number, (_, rgb) in zip(left, shown, strict=True):
        errors = [np.abs(rgb.astype(int) - original).mean() for original in originals]
        assert int(np.argmin(errors)) == number
    row = next(check for check in result.certificate["checks"] if check["name"] == "source_frames")
    assert (row["expected"], row["found"]) == (10, len(left))
    assert result.certificate["ok"], result.certificate


@pytest.mark.parametrize(("begin", "end", "lost"), [(0.0, 0.2, 1), (0.16, 0.4, 1), (0.16, 0.24, 0), (0.1, None, 2)])
def test_of_a_part_only_its_own_lost_frames_are_told(
    tmp_path: Path, begin: float, end: float | None, lost: int
) -> None:
    whole = film(tmp_path / "whole.avi", pictures(10), codec="mjpeg", pix_fmt="yuvj420p")
    source = changed(whole, "a.avi", lambda data: without_heads(data, 3, 7))
    result = render(source, tmp_path / "out", trim_start=F(str(begin)), trim_end=end and F(str(end)))
    told = [note for note in result.metrics["notes"] if "could not be decoded" in note]
    assert [note.split()[0] for note in told] == [str(lost)][: lost and 1]
    assert result.certificate["ok"], result.certificate


def test_frames_lost_in_an_avi_without_times_are_counted(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.avi", pictures(20), codec="mpeg4", options={"bf": "2", "g": "5"})
    source = changed(whole, "a.avi", lambda data: without_heads(data, 3, 12))
    assert probe(whole).notes == []
    assert "2 frames are missing in the file" in " ".join(render(source, tmp_path / "out").metrics["notes"])


def test_an_index_that_does_not_fit_the_packets_names_no_lost_frames() -> None:
    index = {10: 0, 20: 1, 30: 2, 40: 3}
    assert lost_frames(index, {10, 20, 40}) == [2]
    assert lost_frames(index, {12, 22, 32, 40}) == []


def test_a_file_cut_short_is_rendered_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mp4", pictures(30), container=FASTSTART, options={"bf": "0", "g": "1"}, beep_at=0.2)
    source = tmp_path / "a.mp4"
    source.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    result = render(source, tmp_path / "out")
    assert 4 < result.metrics["frames"]["source"] < 30
    assert any(note.startswith("The file is cut short by ") for note in result.metrics["notes"])
    assert result.certificate["ok"], result.certificate


def test_nothing_but_damage_is_refused(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mp4", pictures(10), container=FASTSTART)

    def wipe(data: bytearray) -> None:
        begin = data.find(b"mdat") + 4
        data[begin:] = bytes(len(data) - begin)

    with pytest.raises(BadInputError, match="Send it again"):
        render(changed(whole, "a.mp4", wipe), tmp_path / "out")


def test_very_large_frames_wait_in_short_queues() -> None:
    assert [depth_for(*size) for size in ((1920, 1080), (3840, 2160), (7680, 4320), (8192, 4320))] == [4, 4, 1, 1]
