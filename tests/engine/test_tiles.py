"""Large frames drawn in tiles: nobody can tell, and it needs less memory."""

import subprocess
import sys
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch

from engine import tiles
from engine.config import ModelConfig
from engine.errors import BadOptionsError
from engine.interpolator import Interpolator
from engine.nets import build
from engine.tiles import CONTEXT, FADE, Box, paste, plan_tiles, tile_memory

from .test_deep_and_transparent_frames import deep, with_alpha
from .test_motion import textured

MEGABYTE = 1_000_000
WIDTH, HEIGHT = 960, 640
SAMPLE = Path(__file__).parents[2] / "interpolation/sample/big_buck_bunny.mp4"


def still(width: int, height: int, far: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    flow = np.full((height // 4, width // 4, 2), far / 4, np.float32)
    return flow, -flow


@pytest.fixture(scope="module")
def model() -> Interpolator:
    """Untrained, but with corrections that are not zero, so that all its convolutions count."""
    torch.manual_seed(0)
    net = build(ModelConfig(half=16, quarter=16, eighth=32))
    for parameter in net.parameters():
        if parameter.ndim == 4 and not parameter.any():
            torch.nn.init.normal_(parameter, std=0.02)
    return Interpolator(net, Interpolator.load("flow_fusion", device="cpu", threads=1).info, "cpu")


def lower_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, frames of 960x640 need four tiles or more."""
    monkeypatch.setenv("INBETWEEN_TILE_MEMORY_MB", "600")
    monkeypatch.setattr(tiles, "BYTES_PER_PIXEL", 1700)


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    lower_memory(monkeypatch)


def gradient(offset: float = 0) -> np.ndarray:
    """A smooth slope of all three colours, uint8, which shows the least seam."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    return np.dstack([(columns + offset) / 5, rows / 3, (rows + columns + offset) / 8]).astype(np.uint8)


def moving() -> tuple[np.ndarray, np.ndarray]:
    """A texture that turns and grows, up to 30 pixels at the edges."""
    image = cv2.resize(textured(HEIGHT // 4, WIDTH // 4), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    turned = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 2, 1.03)
    return image, cv2.warpAffine(image, turned, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)


def drawn(model: Interpolator, frames: tuple[np.ndarray, np.ndarray], count: int = 1) -> list[np.ndarray]:
    pair = model.pair(*frames)
    assert (len(pair._tiles) > 1) == (tiles.BYTES_PER_PIXEL > 400)  # the fixture works
    return [pair.at(n / (count + 1)) for n in range(1, count + 1)]


def test_a_frame_that_fits_is_one_tile():
    (tile,) = plan_tiles((1920, 1080), still(1920, 1080), 8, 1500 * MEGABYTE)
    assert tile.core == tile.window == Box(0, 0, 1920, 1080)


@pytest.mark.parametrize(
    ("size", "far"), [((3840, 2160), 5), ((7680, 4320), 40), ((2160, 3840), 150), ((4097, 2163), 0)]
)
def test_tiles_cover_the_frame_and_each_fits_with_all_that_moves_in_it(size: tuple[int, int], far: float):
    padded = tuple(-(-side // 8) * 8 for side in size)
    planned = plan_tiles(size, still(*padded, far), 8, 1500 * MEGABYTE)
    seen = np.zeros(size[::-1], bool)
    for tile in planned:
        seen[tile.core.top : tile.core.bottom, tile.core.left : tile.core.right] = True
        need = tile.core.grown(round(CONTEXT + far), round(CONTEXT + far), Box(0, 0, *size))
        assert need.grown(0, 0, tile.window) == need  # lies inside
        assert tile.window.pixels * tiles.BYTES_PER_PIXEL <= 1500 * MEGABYTE
        assert tile.window.left % 8 == tile.window.top % 8 == 0
        assert tile.window.right % 8 == 0 or tile.window.right == size[0]
        assert tile.window.bottom % 8 == 0 or tile.window.bottom == size[1]
    assert seen.all()


def test_4k_takes_six_tiles():
    assert len(plan_tiles((3840, 2160), still(3840, 2160), 8, 1500 * MEGABYTE)) == 6


def test_motion_beyond_reason_still_gives_tiles_that_fit():
    wild = still(3840, 2160, 3000)
    planned = plan_tiles((3840, 2160), wild, 8, 400 * MEGABYTE)
    assert max(tile.window.pixels for tile in planned) * tiles.BYTES_PER_PIXEL <= 400 * MEGABYTE


def test_one_tile_fades_into_the_next_without_a_step():
    canvas = np.zeros((64, 320, 3), np.uint8)
    for value, core in ((40, Box(0, 0, 160 + FADE, 64)), (200, Box(160 - FADE, 0, 320, 64))):
        paste(canvas, np.full((64, core.right - core.left, 3), value, np.uint8), core)
    row = canvas[20, :, 0].astype(int)
    assert row[0] == 40
    assert row[-1] == 200
    assert np.diff(row).min() >= 0
    assert np.diff(row).max() <= 6  # 160 levels over 32 pixels


def test_where_four_tiles_meet_equal_tiles_stay_equal():
    canvas = np.zeros((128, 128, 3), np.uint16)
    for top, bottom in ((0, 64 + FADE), (64 - FADE, 128)):
        for left, right in ((0, 64 + FADE), (64 - FADE, 128)):
            paste(canvas, np.full((bottom - top, right - left, 3), 1234, np.uint16), Box(left, top, right, bottom))
    assert (canvas == 1234).all()


def test_a_gradient_shows_no_seam(model: Interpolator, monkeypatch: pytest.MonkeyPatch):
    frames = gradient(), gradient(20)
    (whole,) = drawn(model, frames)
    lower_memory(monkeypatch)
    (tiled,) = drawn(model, frames)
    assert np.abs(tiled.astype(int) - whole).max() <= 1


@pytest.mark.parametrize("kind", ["rgb", "rgba", "deep"])
def test_tiles_give_the_picture_of_the_whole_frame(model: Interpolator, monkeypatch: pytest.MonkeyPatch, kind: str):
    frames = moving()
    if kind == "rgba":
        frames = with_alpha(frames[0], frames[0][..., 1]), with_alpha(frames[1], frames[1][..., 1])
    if kind == "deep":
        frames = deep(frames[0]), deep(frames[1])
    whole = drawn(model, frames, 2)
    flow = model.pair(*frames).flow()
    lower_memory(monkeypatch)
    level = 257 if kind == "deep" else 1
    for one, other in zip(drawn(model, frames, 2), whole, strict=True):
        apart = np.abs(one.astype(int) - other)
        assert apart.max() <= 3 * level  # positions are rounded to 1/32 pixel, now and then to the other side
        assert (apart > level).mean() < 1e-4
    assert np.abs(model.pair(*frames).flow() - flow).max() < 0.05


def test_tiles_of_the_shipped_weights_give_the_picture_of_the_whole_frame(monkeypatch: pytest.MonkeyPatch):
    """What is learned at 1/32 size tells tiles that begin between two of its points from the whole frame."""
    shipped = Interpolator.load(device="cpu")
    with av.open(str(SAMPLE)) as film:
        first, *_, last = (frame.to_ndarray(format="rgb24") for frame in islice(film.decode(video=0), 5))
    frames = first, last
    (whole,) = drawn(shipped, frames)
    lower_memory(monkeypatch)
    (tiled,) = drawn(shipped, frames)
    apart = np.abs(tiled.astype(int) - whole)
    assert np.sqrt((apart**2).mean()) < 0.15
    assert (apart > 4).mean() < 1e-4


def test_matches_that_do_not_fit_are_made_again_for_every_new_frame(
    model: Interpolator, little_memory: None, monkeypatch: pytest.MonkeyPatch
):
    frames = moving()
    kept = drawn(model, frames, 2)
    monkeypatch.setattr(tiles, "KEPT_PER_PIXEL", 10_000)
    pair = model.pair(*frames)
    assert not pair._matches
    for one, other in zip((pair.at(1 / 3), pair.at(2 / 3)), kept, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 3


def test_tiles_of_a_frame_are_encoded_once_for_both_its_pairs(
    model: Interpolator, little_memory: None, monkeypatch: pytest.MonkeyPatch
):
    first, second = moving()
    encoded, encode = [], model._net.encode
    monkeypatch.setattr(model._net, "encode", lambda picture: encoded.append(1) or encode(picture))
    count = len(model.pair(first, second)._tiles)
    assert len(encoded) == 2 * count
    model.pair(second, first)
    assert len(encoded) == 3 * count


def test_the_sources_of_a_tiled_pair_come_back_untouched(model: Interpolator, little_memory: None):
    first, second = moving()
    pair = model.pair(first, second)
    assert np.array_equal(pair.at(0), first)
    assert np.array_equal(pair.at(1), second)


@pytest.mark.parametrize("text", ["much", "199", "-5", "1.5"])
def test_a_budget_that_is_none_is_refused_with_the_least_there_may_be(text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("INBETWEEN_TILE_MEMORY_MB", text)
    with pytest.raises(BadOptionsError, match=f"INBETWEEN_TILE_MEMORY_MB.*{text}.*200 or more"):
        tile_memory()


MEASURE = """
import sys
import numpy as np, cv2
from engine.interpolator import Interpolator
width, height = int(sys.argv[1]), int(sys.argv[2])
model = Interpolator.load("flow_fusion", device="cpu", threads=2)
noise = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
image = cv2.resize(noise, (width + 32, height + 32), interpolation=cv2.INTER_CUBIC)
frames = [np.ascontiguousarray(image[4 * n : 4 * n + height, 6 * n : 6 * n + width]) for n in range(3)]
for left, right in zip(frames, frames[1:]):
    model.pair(left, right).at(0.5)
# not ru_maxrss, which starts with what the parent held
print(next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("size", "most"), [((1920, 1080), 1500), ((3840, 2160), 3000)])
def test_peak_memory_of_a_process_that_draws(size: tuple[int, int], most: int):
    """PyTorch's own part included."""
    command = [sys.executable, "-c", MEASURE, *map(str, size)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=500, check=True)
    assert 200 < int(answer.stdout) < most * MEGABYTE / 2**20
