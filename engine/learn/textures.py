"""Pictures to cover synthetic layers with: photographs, or, with none, drawn ones. All are RGB uint8 (H, W, 3)."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from ..errors import BadInputError
from ..translation import gettext as _

Rng = np.random.Generator

LONG_SIDE = 1024  # photographs are kept at this size and at a half and a quarter of it
MEMORY = 512 * 2**20  # bytes; of more photographs than fit, an evenly spread choice is kept
DRAWN_SIDE = 512
DRAWN_WITHOUT_PHOTOS, DRAWN_WITH_PHOTOS = 32, 10
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)


class TextureBank:
    """Loads the photographs once; gives random crops of them.

    Args:
        photos: picture files; none, or an empty sequence, leaves only drawn textures.
        seed: decides what the drawn textures look like.
    Raises:
        BadInputError: a photograph cannot be read. The message names it.
    """

    def __init__(self, photos: Sequence[Path] | None = None, seed: int = 0) -> None:
        room = MEMORY // int(LONG_SIDE * LONG_SIDE * 0.75 * 3 * 1.33)
        paths = list(photos or ())
        chosen = [paths[i] for i in np.linspace(0, len(paths) - 1, room).astype(int)] if len(paths) > room else paths
        self.photos = [_levels(_load(Path(path))) for path in chosen]
        rng = np.random.default_rng((seed, 7))
        count = DRAWN_WITH_PHOTOS if self.photos else DRAWN_WITHOUT_PHOTOS
        self.drawn = [_levels(draw_texture(rng, DRAWN_SIDE), count=2) for _ in range(count)]

    def pick(self, rng: Rng) -> list[np.ndarray]:
        """One picture at its sizes, largest first: a photograph nine times of ten if there are any."""
        bank = self.photos if self.photos and rng.random() < 0.9 else self.drawn
        return bank[rng.integers(len(bank))]

    def crop(self, rng: Rng, width: int, height: int, picture: list[np.ndarray] | None = None) -> np.ndarray:
        """A random part of a random size of `picture` (default: any), flipped and recoloured at random.

        What reaches beyond the picture is its mirror image. Returns a contiguous array, not to be written to.
        """
        levels = picture if picture is not None else self.pick(rng)
        large = [level for level in levels if level.shape[1] >= width and level.shape[0] >= height]
        source = large[rng.integers(len(large))] if large else levels[0]
        x = int(rng.integers(0, max(0, source.shape[1] - width) + 1))
        y = int(rng.integers(0, max(0, source.shape[0] - height) + 1))
        part = source[y : y + height, x : x + width]
        missing = height - part.shape[0], width - part.shape[1]
        if any(missing):
            part = _mirror_out(part, *missing)
        if rng.random() < 0.5:
            part = cv2.flip(part, 1)
        if rng.random() < 0.15:
            part = cv2.flip(part, 0)
        return recolour(rng, part) if rng.random() < 0.6 else np.ascontiguousarray(part)


def recolour(rng: Rng, picture: np.ndarray) -> np.ndarray:
    """Another exposure, contrast and tint; rarely another order of channels."""
    if rng.random() < 0.15:
        picture = picture[..., rng.permutation(3)]
    levels = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    gamma = np.exp(rng.normal(0, 0.25)) * np.exp(rng.normal(0, 0.06, 3))
    low, high = rng.uniform(0, 0.2), rng.uniform(0.65, 1.1)
    table = np.clip(255 * (low + (high - low) * levels**gamma), 0, 255).round().astype(np.uint8)
    return cv2.LUT(np.ascontiguousarray(picture), table[None])


def draw_texture(rng: Rng, side: int) -> np.ndarray:
    """A drawn picture (side, side, 3): fallen leaves, clouds, wood, stripes, checks, bricks or a page of text."""
    kinds: tuple[tuple[Callable[[Rng, int], np.ndarray], float], ...] = (
        (_leaves, 0.4),
        (_clouds, 0.15),
        (_wood, 0.15),
        (_pattern, 0.2),
        (_page, 0.1),
    )
    draw = kinds[rng.choice(len(kinds), p=[weight for _, weight in kinds])][0]
    picture = draw(rng, side).astype(np.float32)
    light = 1 + 0.25 * (fractal(rng, side, side, 2, 2) - 0.5)  # nothing real is evenly lit
    grain = rng.normal(0, rng.uniform(0, 5), (side, side, 1))
    soft = cv2.GaussianBlur(picture * light[..., None] + grain, (0, 0), rng.uniform(0.5, 0.9))
    return np.clip(soft, 0, 255).astype(np.uint8)


def fractal(rng: Rng, width: int, height: int, cells: int, octaves: int, roughness: float = 0.55) -> np.ndarray:
    """Smooth noise (height, width) float32 in 0..1; `cells`: bumps along a side of the coarsest octave."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        n = min(cells * 2**octave, max(width, height))
        coarse = rng.random((n + 1, n + 1), dtype=np.float32)
        total += np.float32(roughness**octave) * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return (total - total.min()) / (np.ptp(total) + np.float32(1e-6))


def random_colour(rng: Rng) -> np.ndarray:
    """RGB float64 (3,) 0..255, of moderate saturation, as most things are."""
    grey, tint = rng.uniform(15, 240), rng.normal(0, rng.uniform(5, 50), 3)
    return np.clip(grey + tint - tint.mean(), 0, 255)


def _load(path: Path) -> np.ndarray:
    data = np.fromfile(path, np.uint8) if path.is_file() else np.zeros(0, np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if picture is None:
        raise BadInputError(
            _("{path} is not a picture that can be read. Remove it from the photographs.").format(path=path)
        )
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def _levels(picture: np.ndarray, count: int = 3) -> list[np.ndarray]:
    """The picture at `count` sizes, each half of the one before, the first at most LONG_SIDE."""
    scale = min(1.0, LONG_SIDE / max(picture.shape[:2]))
    levels = []
    for _level in range(count):
        levels.append(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
        scale /= 2
    return [level for level in levels if min(level.shape[:2]) >= 2]


def _mirror_out(part: np.ndarray, rows: int, columns: int) -> np.ndarray:
    return cv2.copyMakeBorder(
        part, rows // 2, rows - rows // 2, columns // 2, columns - columns // 2, cv2.BORDER_REFLECT
    )


def _palette(rng: Rng, values: np.ndarray) -> np.ndarray:
    """Colours for values in 0..1 along a random path of 3-6 colours."""
    knots = np.array([random_colour(rng) for _ in range(rng.integers(3, 7))])
    places = np.linspace(0, 1, len(knots))
    return np.stack([np.interp(values, places, knots[:, channel]) for channel in range(3)], axis=-1)


def _clouds(rng: Rng, side: int) -> np.ndarray:
    return _palette(rng, fractal(rng, side, side, int(rng.integers(2, 9)), 6, rng.uniform(0.4, 0.75)))


def _wood(rng: Rng, side: int) -> np.ndarray:
    """Noise bent by noise: wood, marble, water."""
    height = fractal(rng, side, side, int(rng.integers(2, 6)), 3, 0.4)
    y, x = np.mgrid[:side, :side] / side
    rings = np.sin(2 * np.pi * (rng.uniform(2, 14) * height + rng.uniform(-8, 8) * x + rng.uniform(-8, 8) * y))
    return _palette(rng, np.clip(0.5 + 0.4 * rings + 0.3 * (fractal(rng, side, side, 32, 3) - 0.5), 0, 1))


def _leaves(rng: Rng, side: int) -> np.ndarray:
    """Shapes fallen over each other, sizes by a power law: the statistics of edges in natural pictures."""
    base = _clouds(rng, side).astype(np.uint8)
    hues = [random_colour(rng) for _ in range(rng.integers(3, 9))]
    for size in np.sort(side * 0.008 / np.maximum(rng.random(900), 0.02))[::-1]:
        colour = np.clip(hues[rng.integers(len(hues))] + rng.normal(0, 22, 3), 0, 255).tolist()
        x, y = rng.integers(0, side, 2).tolist()
        if rng.random() < 0.5:
            axes = int(size) + 1, int(size * rng.uniform(0.3, 1)) + 1
            cv2.ellipse(base, (x, y), axes, rng.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)
        else:
            angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 7)))
            points = np.stack([x + size * np.cos(angles), y + size * np.sin(angles)], -1)
            cv2.fillPoly(base, [(points * 8).astype(np.int32)], colour, cv2.LINE_AA, 3)
    return base


def _pattern(rng: Rng, side: int) -> np.ndarray:
    """Stripes, checks or bricks at any angle, with worn colours."""
    angle, period = rng.uniform(0, np.pi), side / rng.uniform(6, 60)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    u, v = (x * np.cos(angle) + y * np.sin(angle)) / period, (y * np.cos(angle) - x * np.sin(angle)) / period
    kind = rng.integers(3)
    if kind == 2:  # bricks: every other row is shifted by half a brick
        u = u / 2 + 0.5 * (np.floor(v) % 2)
        joints = np.minimum(np.minimum(u % 1, 1 - u % 1) * 2, np.minimum(v % 1, 1 - v % 1)) < 0.08
        tone = np.sin(np.floor(u) * 12.9898 + np.floor(v) * 78.233) * 43758.5453 % 1
        values = np.where(joints, 0.0, 0.3 + 0.7 * tone)
    else:
        wave = np.sin(2 * np.pi * u) * (np.sin(2 * np.pi * v) if kind else 1)
        values = np.clip(0.5 + rng.uniform(0.6, 4) * wave, 0, 1)
    worn = fractal(rng, side, side, 6, 5) - 0.5
    return _palette(rng, np.clip(values + 0.35 * worn, 0, 1))


def _page(rng: Rng, side: int) -> np.ndarray:
    page = _palette(rng, 0.15 * fractal(rng, side, side, 3, 4)).astype(np.uint8)
    ink, y = random_colour(rng).tolist(), 0
    while y < side:
        scale = rng.uniform(0.5, 2)
        y += int(28 * scale)
        cv2.putText(
            page, random_text(rng, 40), (-9, y), int(rng.choice(FONTS)), scale, ink, int(scale) + 1, cv2.LINE_AA
        )
    return page


def random_text(rng: Rng, length: int) -> str:
    """Words of random letters, `length` characters in all."""
    letters = string.ascii_letters + string.digits + "     .,:!?"
    return "".join(letters[i] for i in rng.integers(len(letters), size=length))
