"""Numbered pictures, in a zip, a folder or as several files, are read like a video."""

from __future__ import annotations

import zipfile
from fractions import Fraction as F
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from engine.errors import BadInputError
from engine.media_types import Limits
from engine.pictures import write_picture
from engine.sequence import as_film, is_packed, pack_sequence
from engine.video import VideoInfo, frame_times, probe, read_frames

from .clips import pictures


def folder_of(folder: Path, names: list[str], size: tuple[int, int] = (64, 48)) -> list[np.ndarray]:
    """Pictures saved under these names; returned in that order."""
    folder.mkdir(exist_ok=True)
    frames = pictures(len(names), *size)
    for name, rgb in zip(names, frames, strict=True):
        Image.fromarray(rgb).save(folder / name)
    return frames


def zip_of(folder: Path, path: Path, inside: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in folder.iterdir():
            archive.write(file, inside + file.name)
    return path


@pytest.fixture
def four(tmp_path: Path) -> Path:
    folder_of(tmp_path / "four", [f"f_{n}.png" for n in range(1, 5)])
    return tmp_path / "four"


def test_a_folder_is_probed_as_a_video_of_the_rate_that_was_asked_for(four: Path, tmp_path: Path) -> None:
    pack_sequence(four, tmp_path / "s.zip", F(24000, 1001))
    info = probe(tmp_path / "s.zip")
    assert (info.container, info.codec, info.width, info.height) == ("picture sequence", "png", 64, 48)
    assert (info.frame_count, info.fps, info.duration, info.is_vfr) == (4, F(24000, 1001), F(4004, 24000), False)
    assert (info.pix_fmt, info.bit_depth, info.audio, info.notes) == ("rgb24", 8, [], [])
    assert VideoInfo.from_dict(info.to_dict()) == info
    assert frame_times(tmp_path / "s.zip") == [F(1001 * n, 24000) for n in range(4)]


def test_the_frames_come_in_order_of_their_numbers_to_the_last_bit(tmp_path: Path) -> None:
    names = [f"f_{n}.png" for n in range(1, 13)]
    frames = folder_of(tmp_path / "in", names)
    pack_sequence(zip_of(tmp_path / "in", tmp_path / "in.zip"), tmp_path / "s.zip", F(10))
    read = list(read_frames(tmp_path / "s.zip"))
    assert [frame.pts for frame in read] == [F(n, 10) for n in range(12)]
    assert all(np.array_equal(frame.rgb, rgb) for frame, rgb in zip(read, frames, strict=True))


def test_a_part_is_read_and_scaled(tmp_path: Path) -> None:
    frames = folder_of(tmp_path / "in", [f"{n}.png" for n in range(6)])
    pack_sequence(tmp_path / "in", tmp_path / "s.zip", F(5))
    read = list(read_frames(tmp_path / "s.zip", start=F(2, 5), stop=F(4, 5), resolution=(32, 24)))
    assert [frame.pts for frame in read] == [F(2, 5), F(3, 5)]
    assert np.array_equal(read[0].rgb, cv2.resize(frames[2], (32, 24), interpolation=cv2.INTER_AREA))


def test_a_gap_in_the_numbers_keeps_its_time_and_is_told(tmp_path: Path) -> None:
    folder_of(tmp_path / "in", ["f001.png", "f002.png", "f004.png", "f005.png"])
    pack_sequence(tmp_path / "in", tmp_path / "s.zip", F(10))
    info = probe(tmp_path / "s.zip")
    assert (info.frame_count, info.duration, info.is_vfr) == (4, F(1, 2), True)
    assert frame_times(tmp_path / "s.zip") == [F(0), F(1, 10), F(3, 10), F(4, 10)]
    assert info.notes == ["Number 3 is missing. Its time is kept: what moved there takes as long as it took."]


@pytest.mark.parametrize("suffix", ["jpg", "tif", "webp", "bmp", "png"])
def test_every_kind_of_picture_is_read(tmp_path: Path, suffix: str) -> None:
    folder_of(tmp_path / "in", [f"{n}.{suffix}" for n in range(3)])
    pack_sequence(tmp_path / "in", tmp_path / "s.zip")
    read = [frame.rgb for frame in read_frames(tmp_path / "s.zip")]
    own = [np.asarray(Image.open(tmp_path / "in" / f"{n}.{suffix}").convert("RGB")) for n in range(3)]
    assert [np.array_equal(a, b) for a, b in zip(read, own, strict=True)] == [True] * 3
    assert probe(tmp_path / "s.zip").codec == {"jpg": "jpeg", "tif": "tiff"}.get(suffix, suffix)


def test_a_wrong_ending_and_mixed_kinds_are_fine(tmp_path: Path) -> None:
    folder_of(tmp_path / "in", ["1.png", "2.png", "3.jpg"])
    (tmp_path / "in" / "2.png").rename(tmp_path / "in" / "2.dat")
    pack_sequence(tmp_path / "in", tmp_path / "s.zip")
    assert probe(tmp_path / "s.zip").codec == "png/jpeg"
    assert len(list(read_frames(tmp_path / "s.zip"))) == 3


def test_sixteen_bits_and_alpha_are_known_and_can_be_read(tmp_path: Path) -> None:
    from engine.flipbook import read_flipbook

    rng = np.random.default_rng(1)
    deep = [rng.integers(0, 65536, (48, 64, 4)).astype(np.uint16) for _ in range(3)]
    for number, pixels in enumerate(deep):
        write_picture(tmp_path / f"{number}.png", pixels)
    pack_sequence([tmp_path / f"{n}.png" for n in range(3)], tmp_path / "s.zip")
    info = probe(tmp_path / "s.zip")
    assert (info.pix_fmt, info.bit_depth) == ("rgba64le", 16)
    read = [pixels for _, pixels in read_flipbook(tmp_path / "s.zip", Limits(), deep=True, alpha=True)]
    assert all(np.array_equal(a, b) for a, b in zip(read, deep, strict=True))


def test_several_files_are_ordered_by_what_the_user_called_them(tmp_path: Path) -> None:
    frames = folder_of(tmp_path / "in", ["x1.png", "x2.png", "x3.png"])
    arrived = [tmp_path / "in" / f"x{n}.png" for n in (1, 2, 3)]
    pack_sequence(arrived, tmp_path / "s.zip", labels=["f10.png", "f9.png", "f11.png"])
    read = [frame.rgb for frame in read_frames(tmp_path / "s.zip")]
    assert [np.array_equal(read[place], frames[want]) for place, want in ((0, 1), (1, 0), (2, 2))] == [True] * 3


def test_folders_in_a_zip_and_what_systems_leave_behind_do_no_harm(four: Path, tmp_path: Path) -> None:
    path = zip_of(four, tmp_path / "in.zip", "holiday/day 1/")
    with zipfile.ZipFile(path, "a") as archive:
        for name in ("__MACOSX/holiday/._f_1.png", "holiday/.DS_Store", "holiday/Thumbs.db", "desktop.ini"):
            archive.writestr(name, b"clutter")
    facts = pack_sequence(path, tmp_path / "s.zip")
    assert [page.label for page in facts.pages] == [f"holiday/day 1/f_{n}.png" for n in (1, 2, 3, 4)]


def test_a_packed_sequence_may_come_back_and_packing_is_the_same_to_the_last_byte(four: Path, tmp_path: Path) -> None:
    pack_sequence(four, tmp_path / "s.zip", F(10))
    first = (tmp_path / "s.zip").read_bytes()
    pack_sequence(four, tmp_path / "s.zip", F(10))
    assert (tmp_path / "s.zip").read_bytes() == first
    pack_sequence(tmp_path / "s.zip", tmp_path / "again.zip", F(12))
    assert (probe(tmp_path / "again.zip").frame_count, probe(tmp_path / "again.zip").fps) == (4, 12)


def test_other_sizes_are_refused_by_name(four: Path, tmp_path: Path) -> None:
    Image.new("RGB", (32, 48)).save(four / "f_3.png")
    with pytest.raises(BadInputError, match=r'most are 64x48, but not "f_3.png" \(32x48\)'):
        pack_sequence(four, tmp_path / "s.zip")
    assert not list(tmp_path.glob("*s*.zip"))


def test_one_picture_alone_is_refused(four: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r'one picture only, "f_1.png"'):
        pack_sequence([four / "f_1.png"], tmp_path / "s.zip")
    with pytest.raises(BadInputError, match="no picture in it"):
        pack_sequence([], tmp_path / "s.zip")


def test_a_text_among_the_pictures_is_named(four: Path, tmp_path: Path) -> None:
    (four / "notes.txt").write_text("not a picture")
    with pytest.raises(BadInputError, match=r'"notes\.txt": This is a text'):
        pack_sequence(four, tmp_path / "s.zip")


def test_a_picture_above_the_limits_is_named_before_it_is_decoded(four: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r'"f_1\.png": The picture is 64x48 pixels; at most 32x8192'):
        pack_sequence(four, tmp_path / "s.zip", limits=Limits(max_width=32))
    total = sum(path.stat().st_size for path in four.iterdir())
    with pytest.raises(BadInputError, match="Send fewer, or smaller ones"):
        pack_sequence(four, tmp_path / "s.zip", limits=Limits(max_bytes=total - 1))


def test_a_damaged_picture_is_left_out_and_named(four: Path, tmp_path: Path) -> None:
    path = four / "f_2.png"
    path.write_bytes(path.read_bytes()[:200])
    pack_sequence(four, tmp_path / "s.zip", F(10))
    notices: list[str] = []
    times = [frame.pts for frame in read_frames(tmp_path / "s.zip", on_notice=notices.append)]
    assert times == [F(0), F(2, 10), F(3, 10)]
    assert notices == ['"f_2.png" could not be decoded: left out.']


def test_a_colour_profile_is_told(four: Path, tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    other = profile.replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be"))
    Image.new("RGB", (64, 48)).save(four / "f_1.png", icc_profile=other)
    assert "brought to sRGB" in pack_sequence(four, tmp_path / "s.zip").notes[0]


def test_a_zip_that_was_not_packed_says_what_to_do_and_as_film_does_it(four: Path, tmp_path: Path) -> None:
    path = zip_of(four, tmp_path / "in.zip")
    with pytest.raises(BadInputError, match="has not been made a sequence"):
        probe(path)
    film = as_film(path, tmp_path / "work", F(12))
    assert (is_packed(path), is_packed(film), probe(film).fps) == (False, True, 12)
    assert as_film(film, tmp_path / "work") == film
    assert as_film(four / "f_1.png", tmp_path / "work") == four / "f_1.png"


def test_a_list_that_was_tampered_with_is_refused(four: Path, tmp_path: Path) -> None:
    for text in ("[]", "{}", '{"fps": "0", "pages": []}', "not json"):
        path = tmp_path / "bad.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("sequence.json", text)
        with pytest.raises(BadInputError, match="sequence"):
            probe(path)
