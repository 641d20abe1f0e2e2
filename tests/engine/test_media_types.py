"""Kinds of files are told from their first bytes."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.errors import BadInputError
from engine.media_types import Limits, sniff

from .clips import film, pictures


@pytest.mark.parametrize(
    ("name", "how", "demuxer", "suffix"),
    [
        ("a.mp4", {}, "mov", ".mp4"),
        ("a.mov", {}, "mov", ".mov"),
        ("a.mkv", {}, "matroska", ".mkv"),
        ("a.webm", {"codec": "libvpx"}, "matroska", ".webm"),
        ("a.avi", {"codec": "mpeg4"}, "avi", ".avi"),
        ("a.ts", {}, "mpegts", ".ts"),
        ("a.flv", {}, "flv", ".flv"),
        ("a.gif", {"codec": "gif", "pix_fmt": "rgb8"}, "gif", ".gif"),
        ("a.y4m", {"codec": "wrapped_avframe"}, "yuv4mpegpipe", ".y4m"),
        ("a.mpg", {"codec": "mpeg2video"}, "mpeg", ".mpg"),
        ("a.wmv", {"codec": "wmv2"}, "asf", ".wmv"),
    ],
)
def test_a_video_is_known_by_its_content_whatever_its_name(
    tmp_path: Path, name: str, how: dict[str, str], demuxer: str, suffix: str
) -> None:
    disguised = film(tmp_path / name, pictures(3), **how).rename(tmp_path / "holiday.txt")
    kind = sniff(disguised)
    assert (kind.demuxer, kind.suffix) == (demuxer, suffix)


@pytest.mark.parametrize(("form", "suffix"), [("PNG", ".png"), ("JPEG", ".jpg"), ("BMP", ".bmp"), ("WEBP", ".webp")])
def test_a_picture_is_known_by_its_content(tmp_path: Path, form: str, suffix: str) -> None:
    path = tmp_path / "film.mp4"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path, form)
    kind = sniff(path)
    assert (kind.picture, kind.suffix, kind.demuxer) == (form, suffix, None)


def test_a_gif_is_both_a_video_and_a_picture(tmp_path: Path) -> None:
    kind = sniff(film(tmp_path / "a.gif", pictures(3), codec="gif", pix_fmt="rgb8"))
    assert (kind.demuxer, kind.picture) == ("gif", "GIF")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"Dear diary,\ntoday I filmed nothing.\n", "This is a text"),
        ("Grüße\n".encode(), "This is a text"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "playlist"),
        (b"\xef\xbb\xbfffconcat version 1.0\nfile /etc/passwd\n", "playlist"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:10\nhttp://example.org/a.ts\n", "playlist"),
        (b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"/>\n', "playlist"),
        (b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n", "playlist"),
        (b"\x00\x01\x02\x03 nothing known \xff\xfe", "not a video or picture"),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00", "sound file"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "HEIC"),
    ],
)
def test_what_is_no_video_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=words):
        sniff(path)


def test_a_wave_file_is_called_a_sound_file(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(bytes(100))
    with pytest.raises(BadInputError, match="sound file"):
        sniff(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r'"gone\.mp4"'):
        sniff(tmp_path / "gone.mp4")


@pytest.mark.parametrize("size", [(16384, 8192), (8193, 16), (8192, 8192), (0, 48)])
def test_limits_refuse_sizes(size: tuple[int, int]) -> None:
    with pytest.raises(BadInputError):
        Limits().check_size(*size)


def test_limits_let_8k_pass() -> None:
    Limits().check_size(8192, 4320)
    Limits().check_size(4320, 8192)


def test_limits_refuse_large_files() -> None:
    with pytest.raises(BadInputError, match="2 MB; at most 1 MB"):
        Limits(max_bytes=1 << 20).check_bytes(2 << 20)
