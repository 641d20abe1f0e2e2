"""A zip that tries tricks is refused before anything of it is unpacked."""

from __future__ import annotations

import io
import stat
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from engine import album
from engine.errors import BadInputError
from engine.media_types import Limits
from engine.sequence import pack_sequence


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 32)).save(out, "PNG")
    return out.getvalue()


def zip_with(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], packing: int = zipfile.ZIP_DEFLATED) -> Path:
    """Two good pictures, and these."""
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, data in (("1.png", png()), ("2.png", png()), *entries):
            archive.writestr(name, data)
    return path


def refused(path: Path, words: str, limits: Limits | None = None) -> None:
    folder = path.parent / "made"
    folder.mkdir(exist_ok=True)
    with pytest.raises(BadInputError, match=words):
        pack_sequence(path, folder / "s.zip", limits=limits)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../3.png", "a/../../3.png", "/etc/3.png", "C:/3.png", "..\\3.png", "\\\\host\\3.png"]
)
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    refused(zip_with(tmp_path / "in.zip", (name, png())), "leads out of it")


def test_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("3.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(zip_with(tmp_path / "in.zip", (link, b"/etc/passwd")), r'"3\.png" in the zip is a link')


def test_a_zip_bomb_is_refused_without_unpacking_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "in.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("1.png", "w") as entry:
            for _ in range(128):
                entry.write(bytes(1 << 20))
        archive.writestr("2.png", png())
    tracemalloc.start()
    try:
        refused(tmp_path / "in.zip", r"This zip of 0\.1 MB would unpack to 128 MB")
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_an_entry_cannot_be_larger_than_it_says(tmp_path: Path) -> None:
    """The size in the list is the size that was checked; what unpacks to more is cut there, and is damaged."""
    path = zip_with(tmp_path / "in.zip", ("3.png", bytes(3_000_000)))
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 1) + 1)
    assert content[entry + 46 : entry + 51] == b"3.png"
    content[entry + 24 : entry + 28] = (1000).to_bytes(4, "little")
    path.write_bytes(content)
    refused(path, "damaged|not a video or picture")


def test_too_many_entries_and_too_large_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zip_with(tmp_path / "in.zip", ("3.bmp", bytes(3 << 20)))
    refused(path, "at most 2 MB are taken", Limits(max_bytes=2 << 20))
    monkeypatch.setattr(album, "MAX_PICTURE_BYTES", 1 << 20)
    refused(path, r'"3\.bmp" has 3 MB: no picture is that large')
    monkeypatch.setattr(album, "MAX_PICTURES", 2)
    refused(path, "There are 3 pictures; at most 2 are taken")


def test_only_pictures_may_be_inside(tmp_path: Path) -> None:
    refused(zip_with(tmp_path / "in.zip", ("run.sh", b"#!/bin/sh\necho")), r'"run\.sh": This is a text')
    refused(zip_with(tmp_path / "in.zip", ("film.png", b"ffconcat version 1.0\nfile x\n")), r'"film\.png": .*playlist')
    inner = zip_with(tmp_path / "inner.zip").read_bytes()
    refused(zip_with(tmp_path / "in.zip", ("more.zip", inner)), r'"more\.zip": This is a zip file, not a picture')


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zip_with(tmp_path / "in.zip", ("1.png", png()))
    refused(path, r"same name comes twice: 1\.png")


def test_a_password_is_told(tmp_path: Path) -> None:
    path = zip_with(tmp_path / "in.zip")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    refused(path, "locked with a password")


def test_a_damaged_and_an_empty_zip_are_told(tmp_path: Path) -> None:
    path = zip_with(tmp_path / "in.zip", packing=zipfile.ZIP_STORED)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, "damaged or cut short")
    path.write_bytes(whole.replace(b"IHDR", b"IHDX"))
    refused(path, "damaged")
    zipfile.ZipFile(path, "w").close()
    refused(path, "There is no picture in it")


def test_every_usual_packing_is_read_and_another_is_named(tmp_path: Path) -> None:
    for packing in album.PACKINGS:
        pack_sequence(zip_with(tmp_path / "in.zip", packing=packing), tmp_path / "s.zip")
    content = bytearray((tmp_path / "in.zip").read_bytes())
    content[content.index(b"PK\x01\x02") + 10] = 97
    (tmp_path / "in.zip").write_bytes(content)
    refused(tmp_path / "in.zip", "packed in a way that cannot be read here")
