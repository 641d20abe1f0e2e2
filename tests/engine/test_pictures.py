"""Pictures in and out."""

from __future__ import annotations

import errno
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from engine.errors import BadInputError, NoSpaceError
from engine.media_types import Limits
from engine.pictures import picture_size, read_picture, write_picture

from .clips import difference, film, pictures


def test_a_png_comes_back_as_it_was_written(tmp_path: Path) -> None:
    rgb = pictures(1)[0]
    assert np.array_equal(read_picture(write_picture(tmp_path / "a.png", rgb)), rgb)


def test_a_jpeg_comes_back_nearly_as_it_was_written(tmp_path: Path) -> None:
    rgb = pictures(1)[0]
    assert difference(read_picture(write_picture(tmp_path / "a.jpg", rgb)), rgb) < 3.0


def test_exif_orientation_is_applied_to_picture_and_size(tmp_path: Path) -> None:
    rgb = pictures(1, 40, 20)[0]
    image = Image.fromarray(rgb)
    exif = image.getexif()
    exif[0x0112] = 6  # turn clockwise to see it upright
    image.save(tmp_path / "a.png", exif=exif)
    assert picture_size(tmp_path / "a.png") == (20, 40)
    assert np.array_equal(read_picture(tmp_path / "a.png"), np.rot90(rgb, -1))


def test_transparent_parts_are_laid_on_black(tmp_path: Path) -> None:
    rgba = np.full((4, 4, 4), 200, np.uint8)
    rgba[..., 3] = [[0, 255, 0, 255]] * 4
    Image.fromarray(rgba, "RGBA").save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png")[0, :, 0].tolist() == [0, 200, 0, 200]


def test_sixteen_bit_grey_is_brought_to_eight(tmp_path: Path) -> None:
    grey = np.array([[0, 257, 128 * 257, 65535]] * 4, np.uint16)
    Image.fromarray(grey).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png")[0].tolist() == [[0] * 3, [1] * 3, [128] * 3, [255] * 3]


def test_a_dark_sixteen_bit_picture_stays_dark(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 200, np.uint16)).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png")[0, 0].tolist() == [1, 1, 1]


def turned_profile() -> bytes:
    """sRGB with red and green exchanged, under another name."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB".encode("utf-16-be"), "turn".encode("utf-16-be"))
    for old, new in ((b"rXYZ", b"????"), (b"gXYZ", b"rXYZ"), (b"????", b"gXYZ")):
        profile = profile.replace(old, new, 1)
    return profile


@pytest.mark.parametrize(("mode", "colour"), [("RGB", (255, 0, 0)), ("RGBA", (255, 0, 0, 255))])
def test_a_colour_profile_is_applied(tmp_path: Path, mode: str, colour: tuple[int, ...]) -> None:
    Image.new(mode, (4, 4), colour).save(tmp_path / "a.png", icc_profile=turned_profile())
    assert read_picture(tmp_path / "a.png")[0, 0].tolist() == [0, 255, 0]


@pytest.mark.parametrize("name", ["sRGB", "broken"])
def test_a_profile_that_is_srgb_or_broken_changes_nothing(tmp_path: Path, name: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() if name == "sRGB" else b"no profile"
    noise = np.random.default_rng(1).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png", icc_profile=profile)
    assert np.array_equal(read_picture(tmp_path / "a.png"), noise)


def test_a_palette_picture_has_its_colours(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.save(tmp_path / "a.gif")
    assert read_picture(tmp_path / "a.gif")[0, 0].tolist() == [10, 20, 30]


def huge_png(path: Path, side: int) -> Path:
    """A well-formed PNG of side x side black pixels, of a few kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    line = bytes(1 + side // 8)
    pixels = b"".join(packer.compress(line) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("side", [8200, 16000])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_huge_png_is_refused_before_it_is_decoded(tmp_path: Path, side: int) -> None:
    path = huge_png(tmp_path / "a.png", side)
    tracemalloc.start()
    try:
        with pytest.raises(BadInputError, match="megapixels"):
            read_picture(path)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_cut_off_picture_is_refused(tmp_path: Path) -> None:
    whole = write_picture(tmp_path / "a.png", pictures(1)[0]).read_bytes()
    (tmp_path / "b.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInputError, match="damaged or cut short"):
        read_picture(tmp_path / "b.png")


def test_a_picture_with_a_broken_head_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing of use")
    with pytest.raises(BadInputError, match="damaged"):
        read_picture(tmp_path / "a.png")


def test_a_video_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="MP4 video, not a picture"):
        read_picture(film(tmp_path / "a.mp4", pictures(2)))


def test_a_picture_over_the_limits_of_the_caller_is_refused(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.png", pictures(1)[0])
    with pytest.raises(BadInputError, match="64x48"):
        read_picture(path, Limits(max_width=32))


@pytest.mark.parametrize(("name", "writer"), [("a.png", (Path, "write_bytes")), ("a.jpg", (Image.Image, "save"))])
def test_a_full_disk_is_said_and_leaves_the_old_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, writer: tuple[type, str]
) -> None:
    path = write_picture(tmp_path / name, pictures(1)[0])
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*writer, full)
    with pytest.raises(NoSpaceError, match="disk is full"):
        write_picture(path, pictures(2)[1])
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir() if found.is_file()] == [name]


@pytest.mark.parametrize(("name", "rgb"), [("a.bmp", np.zeros((4, 4, 3), np.uint8)), ("a.png", np.zeros((4, 4)))])
def test_what_cannot_be_written_is_a_mistake_of_the_caller(tmp_path: Path, name: str, rgb: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"written as|Expected RGB"):
        write_picture(tmp_path / name, rgb)
