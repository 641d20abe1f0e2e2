"""Colours: the right matrix and range both ways, and original frames that differ from a plain re-encode by nothing."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.colour import MATRICES, PRIMARIES, RANGES, TRANSFERS, ColourTags, ToRgb, output_tags
from engine.video import probe, read_frames
from engine.writer import VideoWriter
from engine.yuv import ToFrame

from .clips import film

F = Fraction
BLOCK = 16  # pixels: colours are flat inside, so chroma sampling plays no part
KR_KB = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}
CASES = [(matrix, scale) for matrix in KR_KB for scale in ("tv", "pc")]


def colour_blocks() -> NDArray[np.uint8]:
    """320x240 of flat blocks in colours that fit into every YUV."""
    rng = np.random.default_rng(0)
    blocks = rng.integers(40, 216, (240 // BLOCK, 320 // BLOCK, 3))
    return np.kron(blocks, np.ones((BLOCK, BLOCK, 1))).astype(np.uint8)


def middles(plane: NDArray[np.uint8], block: int) -> NDArray[np.float64]:
    return plane[block // 2 :: block, block // 2 :: block].astype(float)


def yuv_by_the_book(rgb: NDArray[np.uint8], matrix: str, scale: str) -> list[NDArray[np.float64]]:
    """ITU-R BT.601 / 709 / 2020, unrounded, at the middle of every block."""
    (kr, kb), part = KR_KB[matrix], middles(rgb, BLOCK) / 255
    luma = kr * part[..., 0] + (1 - kr - kb) * part[..., 1] + kb * part[..., 2]
    blue, red = (part[..., 2] - luma) / 2 / (1 - kb), (part[..., 0] - luma) / 2 / (1 - kr)
    if scale == "pc":
        return [255 * luma, 128 + 255 * blue, 128 + 255 * red]
    return [16 + 219 * luma, 128 + 224 * blue, 128 + 224 * red]


def planes(frame: av.VideoFrame) -> list[NDArray[np.uint8]]:
    sizes = [(frame.width, frame.height), *[(frame.width // 2, frame.height // 2)] * 2]
    return [
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:height, :width]
        for plane, (width, height) in zip(frame.planes, sizes, strict=True)
    ]


@pytest.mark.parametrize(("matrix", "scale"), CASES)
def test_rgb_becomes_yuv_by_the_book(matrix: str, scale: str) -> None:
    rgb = colour_blocks()
    frame = ToFrame(ColourTags(matrix=matrix, range=scale), 320, 240, "yuv420p")(rgb)
    for plane, exact, block in zip(planes(frame), yuv_by_the_book(rgb, matrix, scale), (16, 8, 8), strict=True):
        error = middles(plane, block) - exact
        assert abs(error.mean()) < 0.06
        assert np.abs(error).max() < 0.75


@pytest.mark.parametrize(("matrix", "scale"), CASES)
def test_yuv_becomes_the_rgb_it_was_made_from(matrix: str, scale: str) -> None:
    rgb, tags = colour_blocks(), ColourTags(matrix=matrix, range=scale)
    back = ToRgb()(ToFrame(tags, 320, 240, "yuv420p")(rgb), tags)
    error = middles(back, BLOCK) - middles(rgb, BLOCK)
    assert np.abs(error.mean(axis=(0, 1))).max() < 0.25
    assert np.abs(error).max() <= 2


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "nv12", "gray", "yuva420p", "rgb24", "gbrp"])
@pytest.mark.parametrize("size", [None, (40, 30), (101, 77)])
def test_colours_are_the_same_over_planes_and_packed(pix_fmt: str, size: tuple[int, int] | None) -> None:
    """Without alpha a frame is converted plane by plane, which is half the work; with alpha in one piece."""
    noise = np.random.default_rng(0).integers(0, 256, (31, 53, 3), dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(noise, format="rgb24").reformat(format=pix_fmt)
    for matrix, scale in CASES:
        tags = ColourTags(matrix=matrix, range=scale)
        over_planes, packed = (ToRgb()(frame, tags, size, alpha=alpha) for alpha in (False, True))
        assert np.array_equal(over_planes, packed[..., :3])


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
def test_grey_stays_grey(pix_fmt: str) -> None:
    grey = np.repeat(np.arange(256, dtype=np.uint8).repeat(4)[None, :, None], 16, axis=0).repeat(3, axis=2)
    for matrix, scale in CASES:
        tags = ColourTags(matrix=matrix, range=scale)
        back = ToRgb()(ToFrame(tags, grey.shape[1], 16, pix_fmt)(grey), tags).astype(int)
        assert np.abs(back - grey).max() <= 1
        assert np.ptp(back, axis=2).max() <= 1


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ((1, 1, 1, 1), ("bt709", "bt709", "bt709", "tv")),
        ((6, 6, 6, 1), ("smpte170m", "smpte170m", "smpte170m", "tv")),
        ((5, 6, 5, 2), ("bt470bg", "smpte170m", "bt470bg", "pc")),
        ((9, 16, 9, 1), ("bt2020", "smpte2084", "bt2020nc", "tv")),
        ((9, 18, 9, 1), ("bt2020", "arib-std-b67", "bt2020nc", "tv")),
    ],
)
def test_original_frames_come_out_as_from_a_plain_reencode(
    tmp_path: Path, tags: tuple[int, int, int, int], expected: tuple[str, str, str, str]
) -> None:
    """Through RGB and lossless H.264: tags are the same, and planes are, but for rounding: no shift of colour."""
    source = film(tmp_path / "a.mp4", [colour_blocks()] * 2, tags=tags, options={"qp": "0"})
    info = probe(source)
    with VideoWriter(tmp_path / "b.mp4", width=320, height=240, fps=info.fps, info=info, crf=0) as writer:
        for frame in read_frames(source):
            writer.write(frame.rgb, frame.pts)
    again = probe(tmp_path / "b.mp4")
    assert (again.color_primaries, again.color_transfer, again.color_matrix, again.color_range) == expected
    with av.open(str(source)) as one, av.open(str(tmp_path / "b.mp4")) as two:
        before, after = next(one.decode(video=0)), next(two.decode(video=0))
        for old, new, block in zip(planes(before), planes(after), (16, 8, 8), strict=True):
            change = middles(new, block) - middles(old, block)
            assert abs(change.mean()) < 0.06
            assert np.abs(change).max() <= 1


def test_names_and_numbers_of_tags_agree() -> None:
    tags = ColourTags("bt2020", "smpte2084", "bt2020nc", "tv")
    assert tags.numbers() == (9, 16, 9, 1)
    assert ColourTags().numbers() == (2, 2, 2, 0)
    for names in (PRIMARIES, TRANSFERS, MATRICES, RANGES):
        assert len(set(names.values())) == len(names)


def test_a_source_that_does_not_name_its_matrix_gets_it_named_when_its_size_changes() -> None:
    """Players guess bt709 for large and bt601 for small pictures: after scaling they would guess another."""
    assert output_tags(ColourTags(), (1920, 1080), (1920, 1080)).matrix == ""
    assert output_tags(ColourTags(), (1920, 1080), (640, 360)).matrix == "bt709"
    assert output_tags(ColourTags(), (640, 360), (1280, 720)).matrix == "smpte170m"


def test_an_rgb_source_is_written_as_bt709(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mkv", [colour_blocks()], codec="ffv1", pix_fmt="bgr0", tags=(1, 13, 0, 2))
    info = probe(source)
    assert info.color_matrix == "gbr"
    with VideoWriter(tmp_path / "b.mp4", width=320, height=240, fps=F(25), info=info, crf=0) as writer:
        for frame in read_frames(source):
            writer.write(frame.rgb, frame.pts)
    assert probe(tmp_path / "b.mp4").color_matrix == "bt709"
    error = middles(next(read_frames(tmp_path / "b.mp4")).rgb, BLOCK) - middles(colour_blocks(), BLOCK)
    assert np.abs(error).max() <= 2
