"""What `probe` and `frame_times` say about good videos."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from engine.video import VideoInfo, frame_times, probe

from .clips import film, pictures

F = Fraction


def test_a_plain_film_is_described_exactly(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", pictures(12), tags=(1, 1, 1, 1), beep_at=0.1, sound_seconds=0.5)
    info = probe(path)
    assert (info.container, info.codec, info.width, info.height) == ("MP4", "h264", 64, 48)
    assert (info.frame_count, info.fps, info.duration, info.is_vfr) == (12, F(25), F(12, 25), False)
    assert (info.pix_fmt, info.bit_depth, info.rotation, info.sar) == ("yuv420p", 8, 0, F(1))
    assert (info.color_primaries, info.color_transfer, info.color_matrix) == ("bt709", "bt709", "bt709")
    assert (info.color_range, info.hdr, info.interlaced, info.notes) == ("tv", False, False, [])
    assert info.size_bytes == path.stat().st_size
    assert [(track["codec"], track["channels"], track["sample_rate"]) for track in info.audio] == [("aac", 1, 48000)]


def test_info_survives_json(tmp_path: Path) -> None:
    info = probe(film(tmp_path / "a.mp4", pictures(3), rate=F(30000, 1001), beep_at=0.1))
    assert VideoInfo.from_dict(json.loads(json.dumps(info.to_dict()))) == info
    assert info.to_dict()["fps"] == "30000/1001"


@pytest.mark.parametrize("rate", [F(24000, 1001), F(24), F(30000, 1001), F(60), F(1, 2), F(240), F(7)])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_constant_rates_are_found_exactly_even_where_the_file_counts_milliseconds(
    tmp_path: Path, name: str, rate: Fraction
) -> None:
    path = film(tmp_path / name, pictures(20), rate=rate)
    info = probe(path)
    assert (info.fps, info.is_vfr, info.duration) == (rate, False, 20 / rate)
    assert frame_times(path) == [index / rate for index in range(20)]


def test_a_variable_rate_keeps_every_time(tmp_path: Path) -> None:
    ticks = [0, 3000, 4500, 12000, 15003, 60000]
    path = film(tmp_path / "a.mp4", pictures(6), ticks=ticks, time_base=F(1, 90000), options={"bf": "0"})
    info = probe(path)
    assert info.is_vfr
    assert frame_times(path) == [F(tick, 90000) for tick in ticks]
    assert info.fps == 6 / info.duration
    assert "The frame rate varies" in info.notes[0]


def test_times_count_from_the_first_frame(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", pictures(5), ticks=[50, 51, 52, 53, 54])
    assert probe(path).start == 2
    assert frame_times(path) == [F(index, 25) for index in range(5)]


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("a.webm", {"codec": "libvpx", "options": {"auto-alt-ref": "1", "lag-in-frames": "10"}}),  # hidden frames
        ("a.webm", {"codec": "libvpx-vp9"}),
        ("a.avi", {"codec": "mpeg4"}),
        ("a.avi", {}),  # H.264 with B-frames: no times of presentation in the file
        ("a.gif", {"codec": "gif", "pix_fmt": "rgb8"}),
        ("a.ts", {"options": {"x264-params": "open-gop=1:keyint=8"}}),
        ("a.mov", {"codec": "prores_ks", "pix_fmt": "yuv422p10le"}),
        ("a.flv", {}),
        ("a.wmv", {"codec": "wmv2"}),
        ("a.y4m", {"codec": "wrapped_avframe"}),
        ("a.mpg", {"codec": "mpeg2video"}),
    ],
)
def test_frames_are_counted_as_they_will_be_shown(tmp_path: Path, name: str, how: dict[str, object]) -> None:
    path = film(tmp_path / name, pictures(30), **how)  # type: ignore[arg-type]
    with av.open(str(path)) as source:
        decoded = sum(1 for _ in source.decode(video=0))
    info = probe(path)
    assert info.frame_count == decoded == 30
    assert (info.fps, info.duration) == (F(25), F(30, 25))


def test_frames_cut_away_by_an_edit_list_do_not_count(tmp_path: Path) -> None:
    """A phone that trims a clip keeps all frames and marks the first ones as not to be shown."""
    path = film(tmp_path / "a.mp4", pictures(20), options={"bf": "0"})
    data = bytearray(path.read_bytes())
    entry = data.find(b"elst") + 12
    assert entry > 12
    media_time = int.from_bytes(data[entry + 4 : entry + 8], "big")
    data[entry + 4 : entry + 8] = (media_time + 5 * 512).to_bytes(4, "big")  # five frames of 1/12800 s later
    path.write_bytes(data)
    assert probe(path).frame_count == 15
    assert frame_times(path)[:2] == [F(0), F(1, 25)]


@pytest.mark.parametrize(
    ("turn", "mirrored", "found", "size"),
    [
        (0, False, 0, (64, 48)),
        (90, False, 90, (48, 64)),
        (-90, False, 270, (48, 64)),
        (180, False, 180, (64, 48)),
        (0, True, 0, (64, 48)),
    ],
)
def test_rotation_is_told_and_the_size_is_the_one_displayed(
    tmp_path: Path, turn: int, mirrored: bool, found: int, size: tuple[int, int]
) -> None:
    info = probe(film(tmp_path / "a.mp4", pictures(2), rotation=turn, mirrored=mirrored))
    assert (info.rotation, info.mirrored, (info.width, info.height)) == (found, mirrored, size)


def test_the_shape_of_pixels_is_turned_with_the_picture(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", pictures(2), sar=F(4, 3), rotation=90)
    assert probe(path).sar == F(3, 4)


def test_hdr_is_told_and_said_in_words(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", pictures(2), codec="ffv1", pix_fmt="yuv420p10le", tags=(9, 16, 9, 1))
    info = probe(path)
    assert (info.hdr, info.bit_depth) == (True, 10)
    assert (info.color_primaries, info.color_transfer, info.color_matrix) == ("bt2020", "smpte2084", "bt2020nc")
    assert info.notes == [
        "This is HDR10 (PQ) high dynamic range video. It keeps its HDR tags; still pictures of it look pale."
    ]


def test_ten_bits_are_not_hdr(tmp_path: Path) -> None:
    info = probe(film(tmp_path / "a.mkv", pictures(2), codec="ffv1", pix_fmt="yuv420p10le"))
    assert (info.bit_depth, info.hdr, info.notes) == (10, False, [])


def test_a_single_frame_is_a_video_with_a_note(tmp_path: Path) -> None:
    info = probe(film(tmp_path / "a.mp4", pictures(1)))
    assert (info.frame_count, frame_times(tmp_path / "a.mp4")) == (1, [F(0)])
    assert "single frame" in info.notes[0]


def test_cover_art_is_not_the_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as out:
        cover = out.add_stream("mjpeg", rate=1, width=32, height=32)
        cover.pix_fmt = "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        moving = out.add_stream("libx264", rate=25, width=64, height=48)
        moving.pix_fmt = "yuv420p"
        for rgb in pictures(3):
            out.mux(moving.encode(av.VideoFrame.from_ndarray(rgb)))
        out.mux(moving.encode(None))
        out.mux(cover.encode(av.VideoFrame.from_ndarray(pictures(1, 32, 32)[0])))
        out.mux(cover.encode(None))
    info = probe(path)
    assert (info.codec, info.width, info.frame_count) == ("h264", 64, 3)


def test_chapters_and_the_offset_of_sound_are_told(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", pictures(5), ticks=[5, 6, 7, 8, 9], beep_at=0.1)
    info = probe(path)
    assert info.audio[0]["start"] == pytest.approx(-0.2, abs=0.03)
    assert info.chapters == []


@pytest.mark.parametrize("name", ["a.gif", "a.png"])
@pytest.mark.parametrize(("last", "duration", "rate"), [(40, F(1, 5), F(25)), (2000, F(216, 100), None)])
def test_an_animation_whose_last_picture_stays_is_as_long_as_it_says(
    tmp_path: Path, name: str, last: int, duration: F, rate: F | None
) -> None:
    first, *others = [Image.fromarray(rgb) for rgb in pictures(5)]
    first.save(tmp_path / name, save_all=True, append_images=others, duration=[40, 40, 40, 40, last])
    info = probe(tmp_path / name)
    assert (info.frame_count, info.duration, None if info.is_vfr else info.fps) == (5, duration, rate)
