"""Files that are damaged, disguised or too large are refused, or read as far as they go, and both in words."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engine.errors import BadInputError
from engine.matroska import declared_end, first_damage
from engine.media_types import Limits
from engine.video import frame_times, probe, read_frames

from .clips import _write_sound, film, pictures

F = Fraction
FASTSTART = {"movflags": "faststart"}


def refused(path: Path, limits: Limits | None = None) -> str:
    """What `probe` says; `read_frames` and `frame_times` must say the same."""
    with pytest.raises(BadInputError) as told:
        probe(path, limits)
    for ask in (lambda: frame_times(path, limits), lambda: list(read_frames(path, limits=limits))):
        with pytest.raises(BadInputError):
            ask()
    return str(told.value)


def cut(whole: Path, name: str, keep: float) -> Path:
    path, data = whole.with_name(name), whole.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return path


def changed(whole: Path, name: str, change: Callable[[bytearray], None]) -> Path:
    path, data = whole.with_name(name), bytearray(whole.read_bytes())
    change(data)
    path.write_bytes(data)
    return path


def test_a_text_named_mp4_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("These are only words.\n")
    assert "text, not a video" in refused(tmp_path / "a.mp4")


@pytest.mark.parametrize("first", ["ffconcat version 1.0", "#EXTM3U"])
def test_a_playlist_in_disguise_opens_nothing(tmp_path: Path, first: str) -> None:
    film(tmp_path / "secret.mp4", pictures(3))
    (tmp_path / "a.mp4").write_text(f"{first}\nfile secret.mp4\nsecret.mp4\n")
    assert "playlist" in refused(tmp_path / "a.mp4")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    assert "0 bytes" in refused(tmp_path / "a.mp4")


def test_a_picture_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert "PNG picture, not a video" in refused(tmp_path / "a.mp4")


@pytest.mark.parametrize("keep", [0.05, 0.5, 0.9])
def test_an_mp4_whose_index_is_missing_says_so(tmp_path: Path, keep: float) -> None:
    words = refused(cut(film(tmp_path / "whole.mp4", pictures(30), beep_at=0.1), "a.mp4", keep))
    assert "cut short: its index (moov)" in words
    assert "again" in words


@pytest.mark.parametrize("keep", [0.5, 0.8])
def test_an_mp4_whose_data_is_cut_short_is_read_as_far_as_it_goes(tmp_path: Path, keep: float) -> None:
    whole = film(tmp_path / "whole.mp4", pictures(30), container=FASTSTART, options={"bf": "0", "g": "1"})
    path = cut(whole, "a.mp4", keep)
    info, told = probe(path), list[str]()
    read = list(read_frames(path, on_notice=told.append))
    assert 1 < info.frame_count < 30
    assert [frame.pts for frame in read] == [F(index, 25) for index in range(info.frame_count)]
    missing = whole.stat().st_size - path.stat().st_size
    assert info.notes[0] == f"The file is cut short by {missing} bytes: {info.frame_count} of 30 frames can be read."
    assert info.duration == F(info.frame_count, 25)


@pytest.mark.parametrize(
    ("name", "codec"), [("whole.mkv", "libx264"), ("whole.avi", "mpeg4"), ("whole.webm", "libvpx")]
)
def test_other_files_cut_short_are_read_and_the_loss_is_said(tmp_path: Path, name: str, codec: str) -> None:
    whole = film(tmp_path / name, pictures(30, 160, 120), codec=codec, options={"g": "1"})
    path = cut(whole, f"a{whole.suffix}", 0.6)
    info = probe(path)
    assert 1 <= info.frame_count < 30
    assert info.notes[0].startswith(f"The file is cut short by {whole.stat().st_size - path.stat().st_size} bytes")


def test_damage_in_the_middle_is_left_out_and_told(tmp_path: Path) -> None:
    whole = film(
        tmp_path / "whole.mp4", pictures(40, 96, 96), options={"bf": "0", "g": "5", "crf": "10"}, container=FASTSTART
    )

    def garble(data: bytearray) -> None:
        middle = data.find(b"mdat") + (len(data) - data.find(b"mdat")) // 2
        data[middle : middle + 1500] = np.random.default_rng(0).bytes(1500)

    path, told = changed(whole, "a.mp4", garble), list[str]()
    read = list(read_frames(path, on_notice=told.append))
    assert 25 <= len(read) < 40
    assert {frame.pts for frame in read} <= set(frame_times(path))
    assert read[-1].pts == F(39, 25)
    assert "could not be decoded" in told[0]


@pytest.mark.parametrize("name", ["whole.webm", "whole.mkv"])
def test_a_webm_broken_in_the_middle_says_that_frames_are_missing(tmp_path: Path, name: str) -> None:
    """All 60 frames are in one cluster: FFmpeg finds no place to go on from, and stops without an error."""
    whole = film(tmp_path / name, pictures(60, 160, 120), codec="libvpx", options={"g": "1000", "crf": "10"})

    def wipe(data: bytearray) -> None:
        middle = len(data) // 2
        data[middle : middle + 3000] = bytes(3000)

    path = changed(whole, f"a{whole.suffix}", wipe)
    info = probe(path)
    assert len(list(read_frames(path))) == info.frame_count < 50
    assert re.match(r"The file is damaged after (49|50|51) % of its length: frames are missing there", info.notes[0])
    assert probe(whole).notes == []


def test_a_live_webm_whose_lengths_are_unknown_is_whole(tmp_path: Path) -> None:
    path = film(tmp_path / "a.webm", pictures(30), codec="libvpx", container={"live": "1"})
    assert first_damage(path) is None
    assert declared_end(path) == 0


def test_a_file_without_one_good_frame_is_refused(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mp4", pictures(10), container=FASTSTART)

    def wipe(data: bytearray) -> None:
        begin = data.find(b"mdat") + 4
        data[begin:] = bytes(len(data) - begin)

    assert "Send it again" in refused(changed(whole, "a.mp4", wipe))


def declare(width: int, height: int) -> Callable[[bytearray], None]:
    def change(data: bytearray) -> None:
        entry = data.find(b"stsd") + 16
        data[entry + 28 : entry + 32] = struct.pack(">HH", width, height)

    return change


def test_an_mp4_that_declares_16384x8192_is_refused(tmp_path: Path) -> None:
    path = changed(film(tmp_path / "whole.mp4", pictures(2)), "a.mp4", declare(16384, 8192))
    assert refused(path).startswith("The picture is 16384x8192 pixels; at most 8192x8192")


@pytest.mark.parametrize("name", ["whole.mp4", "whole.mkv", "whole.avi"])
def test_frames_larger_than_declared_are_not_decoded(tmp_path: Path, name: str) -> None:
    """The container says 64x48, the JPEG frames inside say 16384x8192."""
    whole = film(tmp_path / name, pictures(2), codec="mjpeg", pix_fmt="yuvj420p")

    def swell(data: bytearray) -> None:
        small, large = struct.pack(">HH", 48, 64), struct.pack(">HH", 8192, 16384)
        data[:] = data.replace(b"\xff\xc0\x00\x11\x08" + small, b"\xff\xc0\x00\x11\x08" + large)

    path = changed(whole, f"a{whole.suffix}", swell)
    assert path.read_bytes() != whole.read_bytes()
    with pytest.raises(BadInputError, match="The picture is 16384x8192 pixels; at most 8192x8192"):
        probe(path)


def test_a_broken_motion_jpeg_is_damaged_not_too_large(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mkv", pictures(2), codec="mjpeg", pix_fmt="yuvj420p")

    def wipe(data: bytearray) -> None:
        data[:] = data.replace(b"\xff\xc0\x00\x11\x08", b"\xff\xff\x00\x11\x08")

    with pytest.raises(BadInputError, match="No frame of this video can be decoded: its data is damaged"):
        probe(changed(whole, "a.mkv", wipe))


def test_the_limits_of_the_caller_hold(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", pictures(10))
    assert "64x48" in refused(path, Limits(max_width=63))
    assert "MB" in refused(path, Limits(max_bytes=100))
    assert "more than 5 frames" in refused(path, Limits(max_frames=5))


def test_a_file_with_sound_only_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as out:
        _write_sound(out, out.add_stream("aac", rate=48000, layout="mono"), 0.1, 0.5)
    assert "only sound" in refused(tmp_path / "a.mp4")


def test_an_unknown_codec_is_named(tmp_path: Path) -> None:
    def rename(data: bytearray) -> None:
        entry = data.find(b"avc1", data.find(b"stsd"))
        data[entry : entry + 4] = b"xyz1"

    path = changed(film(tmp_path / "whole.mp4", pictures(3)), "a.mp4", rename)
    assert refused(path) == 'The video codec "xyz1" cannot be decoded here. Convert the video to H.264 first.'


def test_an_unknown_codec_in_matroska_is_named(tmp_path: Path) -> None:
    def rename(data: bytearray) -> None:
        data[:] = data.replace(b"V_MPEG4/ISO/AVC", b"V_MPEG4/ISO/XYZ")

    path = changed(film(tmp_path / "whole.mkv", pictures(3)), "a.mkv", rename)
    assert '"V_MPEG4/ISO/XYZ"' in refused(path)


def test_times_that_go_backwards_are_left_out_and_told(tmp_path: Path) -> None:
    """Two frames with the same time: one is shown."""
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=25, width=64, height=48)
        stream.pix_fmt = "yuv420p"
        clock = iter([0, 40, 40, 80, 120])
        for rgb in pictures(5):
            for packet in stream.encode(av.VideoFrame.from_ndarray(rgb)):
                packet.time_base = F(1, 1000)
                packet.pts = packet.dts = next(clock)
                out.mux(packet)
    told = list[str]()
    read = [frame.pts for frame in read_frames(path, on_notice=told.append)]
    assert read == frame_times(path) == [F(0), F(1, 25), F(2, 25), F(3, 25)]
    assert told == ["1 frame had no usable time: left out."]
