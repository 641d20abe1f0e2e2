"""Pictures with 16 bits a channel and with alpha: to the last bit where asked for, else rounded and laid on black."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.pictures import picture_facts, read_picture, read_pixels, write_picture


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 65536, shape).astype(np.uint16)


def stored(path: Path, pixels: np.ndarray) -> Path:
    order = {2: None, 3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}[pixels.shape[2] if pixels.ndim == 3 else 2]
    cv2.imwrite(str(path), pixels if order is None else cv2.cvtColor(pixels, order))
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bits_are_read_to_the_last_bit(tmp_path: Path, suffix: str, channels: int) -> None:
    pixels = noise(20, 30, channels)
    path = stored(tmp_path / f"a{suffix}", pixels)
    facts = picture_facts(path)
    assert (facts.width, facts.height, facts.deep, facts.alpha) == (30, 20, True, channels == 4)
    assert np.array_equal(read_pixels(path, deep=True, alpha=channels == 4), pixels)


def test_of_a_grey_picture_all_three_channels_are_the_same(tmp_path: Path) -> None:
    grey = noise(20, 30)
    assert np.array_equal(read_pixels(stored(tmp_path / "a.png", grey), deep=True), np.dstack([grey] * 3))


def test_grey_with_alpha_is_read_too(tmp_path: Path) -> None:
    pixels = noise(8, 9, 2)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in pixels)
    head = struct.pack(">IIBBBBB", 9, 8, 16, 4, 0, 0, 0)
    path = tmp_path / "a.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    )
    assert np.array_equal(read_pixels(path, deep=True, alpha=True), pixels[..., [0, 0, 0, 1]])


def test_brought_to_eight_bits_they_are_rounded(tmp_path: Path) -> None:
    pixels = noise(20, 30, 3)
    assert np.array_equal(read_picture(stored(tmp_path / "a.png", pixels)), np.rint(pixels / 257).astype(np.uint8))


def test_eight_bits_asked_for_with_sixteen_span_the_whole_range(tmp_path: Path) -> None:
    rgb = (noise(20, 30, 3) >> 8).astype(np.uint8)
    assert np.array_equal(read_pixels(write_picture(tmp_path / "a.png", rgb), deep=True), rgb * np.uint16(257))


def test_alpha_is_kept_when_asked_for_and_opaque_where_there_is_none(tmp_path: Path) -> None:
    rgba = (noise(20, 30, 4) >> 8).astype(np.uint8)
    Image.fromarray(rgba, "RGBA").save(tmp_path / "a.png")
    Image.fromarray(rgba[..., :3]).save(tmp_path / "b.png")
    assert np.array_equal(read_pixels(tmp_path / "a.png", alpha=True), rgba)
    assert read_pixels(tmp_path / "b.png", alpha=True)[..., 3].tolist() == [[255] * 30] * 20


def test_deep_transparent_parts_are_laid_on_black(tmp_path: Path) -> None:
    pixels = np.full((2, 2, 4), 40_000, np.uint16)
    pixels[..., 3] = [[0, 65535], [32768, 0]]
    drawn = read_pixels(stored(tmp_path / "a.png", pixels), deep=True)
    assert drawn[..., 0].tolist() == [[0, 40_000], [20_000, 0]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_deep_picture_is_turned_as_pillow_turns_it(tmp_path: Path, orientation: int) -> None:
    pixels = (noise(20, 30, 3) >> 8).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    flat, deep = tmp_path / "flat.png", tmp_path / "deep.png"
    Image.fromarray(pixels).save(flat, exif=exif)
    body = stored(deep, pixels * np.uint16(257)).read_bytes()
    at = flat.read_bytes().index(b"eXIf") - 4
    length = struct.unpack(">I", flat.read_bytes()[at : at + 4])[0]
    deep.write_bytes(body[:33] + flat.read_bytes()[at : at + length + 12] + body[33:])  # behind the header of the PNG
    assert np.array_equal(read_pixels(deep, deep=True), read_pixels(flat, deep=True))


@pytest.mark.parametrize(("channels", "kind"), [(3, np.uint16), (4, np.uint16), (4, np.uint8)])
def test_what_is_written_as_png_comes_back(tmp_path: Path, channels: int, kind: type) -> None:
    pixels = noise(20, 30, channels).astype(kind)
    path = write_picture(tmp_path / "a.png", pixels)
    assert np.array_equal(read_pixels(path, deep=kind is np.uint16, alpha=channels == 4), pixels)


def test_a_jpeg_takes_neither_alpha_nor_sixteen_bits(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="for a PNG also RGBA and uint16"):
        write_picture(tmp_path / "a.jpg", noise(20, 30, 3))
