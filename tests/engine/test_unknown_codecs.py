"""A codec that cannot be decoded is named by whatever name its container has for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import BadInputError
from engine.video import probe

from .clips import film, pictures


def with_another_name(path: Path, codec: str, old: bytes, new: bytes, format: str | None = None) -> Path:
    film(path, pictures(3), codec=codec, format=format)
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "old", "new", "words", "format"),
    [
        ("a.mp4", "libx264", b"avc1", b"xyz1", '"xyz1"', None),
        ("a.mov", "libx264", b"avc1", b"xyz1", '"xyz1"', None),
        ("a.mkv", "libx264", b"V_MPEG4/ISO/AVC", b"V_QUACK/ISO/ABC", '"V_QUACK/ISO/ABC"', None),
        ("a.avi", "mpeg4", b"FMP4", b"XYZ9", '"XYZ9"', None),
        ("a.wmv", "wmv2", b"WMV2", b"XYZ9", '"XYZ9"', "asf"),
        ("a.ivf", "libvpx", b"VP80", b"XYZ9", '"XYZ9"', None),
    ],
)
def test_it_is_named(tmp_path: Path, name: str, codec: str, old: bytes, new: bytes, words: str, format: str) -> None:
    path = with_another_name(tmp_path / name, codec, old, new, format)
    with pytest.raises(BadInputError) as refused:
        probe(path)
    assert str(refused.value) == f"The video codec {words} cannot be decoded here. Convert the video to H.264 first."


def test_flash_video_has_numbers_for_its_codecs(tmp_path: Path) -> None:
    content = bytearray(film(tmp_path / "a.flv", pictures(3), codec="flv").read_bytes())
    place = 13
    while place < len(content):
        if content[place] == 9:
            content[place + 11] |= 15
        place += 15 + int.from_bytes(content[place + 1 : place + 4], "big")
    (tmp_path / "a.flv").write_bytes(content)
    with pytest.raises(BadInputError, match="codec number 15 of Flash video"):
        probe(tmp_path / "a.flv")
