"""Sources with more than 8 bits are read, drawn and written with all of them, where the format holds them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.config import RenderOptions
from engine.interpolator import Interpolator
from engine.media_types import Limits
from engine.pictures import read_pixels
from engine.render import RenderResult, render_video
from engine.video import Reading, probe, read_frames

from .footage import BlendModel
from .planes import BT601_TV, BT709_PC, BT709_TV, HDR10, Planes, Tags, decoded_frames, plane_film, planes_of

DEEP = Reading(deep=True)
SIZE = (896, 32)  # width, height: wide enough for every level of a ramp


def ramp(number: int, bits: int, *, full: bool = False) -> Planes:
    """Grey from black to white in even steps, moved by 2 points a frame; chroma at half size."""
    width, height = SIZE
    unit = 1 << (bits - 8)
    black, white = (0, 256 * unit - 1) if full else (16 * unit, 235 * unit)
    line = np.rint(np.linspace(black, white, width - 8)).astype(np.uint16)
    padded = np.concatenate([np.full(8, black, np.uint16), line])
    luma = np.repeat(np.roll(padded, 2 * number)[None], height, axis=0)
    return [luma, *[np.full((height // 2, width // 2), 128 * unit, np.uint16)] * 2]


def ramp_film(path: Path, bits: int = 10, tags: Tags = BT709_TV, count: int = 3) -> Path:
    frames = [ramp(number, bits, full=tags[3] == 2) for number in range(count)]
    return plane_film(path, frames, f"yuv420p{bits}le", tags=tags)


def render(source: Path, folder: Path, model: Any = None, **settings: Any) -> RenderResult:
    return render_video(source, folder, RenderOptions(**{"held_out": False, **settings}), model or BlendModel())


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("tags", [BT709_TV, BT601_TV, BT709_PC, HDR10])
def test_black_is_0_and_white_is_65535_and_every_level_is_its_own(tmp_path: Path, bits: int, tags: Tags) -> None:
    rgb = next(read_frames(ramp_film(tmp_path / "a.mkv", bits, tags), reading=DEEP)).rgb
    assert (rgb.dtype, rgb.shape) == (np.uint16, (SIZE[1], SIZE[0], 3))
    assert (rgb.min(), rgb.max()) == (0, 65535)
    assert len(np.unique(rgb[..., 1])) >= 870
    assert np.abs(np.ptp(rgb.astype(int), axis=2)).max() <= 64  # a quarter of an 8-bit level
    even = np.linspace(0, 65535, SIZE[0] - 8)
    assert np.abs(rgb[8, 8:, 1] - even).max() < 65535 / (1 << bits)


def test_eight_bit_sources_are_read_deep_to_the_same_colours(tmp_path: Path) -> None:
    planes = [(plane // 4).astype(np.uint8) for plane in ramp(0, 10)]
    source = plane_film(tmp_path / "a.mkv", [planes], "yuv420p", tags=BT709_TV)
    plain, deep = next(read_frames(source)).rgb, next(read_frames(source, reading=DEEP)).rgb
    assert np.abs(deep / 257 - plain).max() <= 0.6


@pytest.mark.parametrize("format_", ["mp4_h265", "mp4_av1", "mov_prores"])
@pytest.mark.parametrize("tags", [BT709_TV, HDR10])
def test_a_smooth_ramp_has_more_than_256_levels_in_new_frames(tmp_path: Path, format_: str, tags: Tags) -> None:
    source = ramp_film(tmp_path / "a.mkv", tags=tags)
    result = render(source, tmp_path / "out", format=format_, quality=100)
    new = planes_of(decoded_frames(result.master)[1])[0]
    assert len(np.unique(new[8:-8])) > 512
    assert probe(result.master).bit_depth == 10
    assert probe(result.master).colour == probe(source).colour
    assert result.certificate["ok"], result.certificate


def test_the_network_draws_with_the_depth_of_the_source(tmp_path: Path) -> None:
    result = render(
        ramp_film(tmp_path / "a.mkv"), tmp_path / "out", Interpolator.load(), format="mov_prores", quality=100
    )
    new = planes_of(decoded_frames(result.master)[1])[0]
    assert len(np.unique(new[8:-8])) > 512


def test_a_png_sequence_of_a_deep_source_has_16_bits(tmp_path: Path) -> None:
    result = render(ramp_film(tmp_path / "a.mkv"), tmp_path / "out", format="png")
    with zipfile.ZipFile(result.master) as archive:
        pictures = [read_pixels(archive.read(name), Limits(), deep=True, alpha=False) for name in archive.namelist()]
    assert [picture.dtype for picture in pictures] == [np.uint16] * 6
    assert min(len(np.unique(picture[8, :, 1])) for picture in pictures) > 512
    assert result.certificate["ok"], result.certificate


def test_h264_gets_8_bits_and_says_so_unless_10_are_asked_for(tmp_path: Path) -> None:
    source = ramp_film(tmp_path / "a.mkv")
    plain, deep = render(source, tmp_path / "8"), render(source, tmp_path / "10", bit_depth="10", crf=1)
    assert probe(plain.master).pix_fmt == "yuv420p"
    assert plain.metrics["notes"] == [
        "The source has 10 bits a channel, this result (MP4, H.264) 8: smooth skies may show bands. "
        "H.265, AV1, ProRes and PNG hold more."
    ]
    assert probe(deep.master).pix_fmt == "yuv420p10le"
    assert deep.metrics["notes"] == []
    assert len(np.unique(planes_of(decoded_frames(deep.master)[1])[0])) > 512


def test_figures_and_stills_are_made_of_8_bits(tmp_path: Path) -> None:
    result = render(ramp_film(tmp_path / "a.mkv", count=5), tmp_path / "out", format="mp4_h265", held_out=True)
    assert result.metrics["held_out"]["psnr"] > 25
    assert result.frame0 is not None and result.frames
