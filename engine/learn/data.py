"""Triplets for training out of real footage: folders of consecutive frames, videos, and Vimeo-90K's layout.

    source = TripletSource([Path("data/training")], crop=192, seed=0)
    sample = source.sample(rng)       # dict(img0, img1, gt: uint8 (crop, crop, 3) RGB; timestep: float in (0, 1))
    fixed = source.validation(40)     # the same triplets every time, from clips that `sample` never touches

A clip shorter than three frames, unreadable, HDR, or smaller than the crop is left out and named in `source.notes`.
NumPy and OpenCV only; no torch.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import BadInputError
from ..translation import gettext as _
from .clips import CELL, VIDEO_SUFFIXES, Clip, ClipLimits, Picture, frame_files, open_clip

log = logging.getLogger(__name__)
MIN_CROP = 32
SPAN_ODDS = {2: 0.7, 3: 0.15, 4: 0.15}  # frames between img0 and img1; 2 gives t = 1/2
HOPELESS_RESIDUAL = 22.0  # grey levels motion does not explain: explosions, flashes, splashes
HOPELESS_SHARE = 0.2  # of the short side: motion nobody can follow inside a crop
STILL = 0.6  # px from img0 to img1: below this there is nothing to learn
WORTH = 3.0  # px: from here on a triplet (or a place in it) has full weight
SHRINK_ODDS, SHRINK_MIN = 0.5, 0.5


class Sample(TypedDict):
    """img0, img1 and the frame between them at `timestep`; RGB uint8 (crop, crop, 3), contiguous."""

    img0: Picture
    img1: Picture
    gt: Picture
    timestep: float


Cut = tuple[list[Picture], float]  # [img0, gt, img1] and timestep


class Pool(Protocol):
    """Something triplets are drawn from. `weight` is its share among the pools."""

    name: str
    weight: float
    short_side: int

    def draw(self, rng: np.random.Generator, side: int, *, vary: bool) -> Cut:
        """[img0, gt, img1] each (side, side, 3), and the time of gt. With `vary`, other spans than two frames too."""


class ClipPool:
    """Triplets (i, j, k), i < j < k, of the frames `first` to `stop` (exclusive) of a clip, lively ones more often."""

    def __init__(self, clip: Clip, first: int = 0, stop: int | None = None) -> None:
        self.name = clip.name
        self.clip = clip
        self.short_side = min(clip.height, clip.width)
        stop = clip.count if stop is None else stop
        self._ladders = {span: _ladder(clip, first, stop, span) for span in SPAN_ODDS}
        self.weight = float(np.sqrt(self._ladders[2][-1])) if len(self._ladders[2]) else 0.0
        self._first = first

    def draw(self, rng: np.random.Generator, side: int, *, vary: bool) -> Cut:
        span = self._span(rng) if vary else 2
        ladder = self._ladders[span]
        start = self._first + int(np.searchsorted(ladder, rng.random() * ladder[-1], side="right"))
        middle = start + (span // 2 if not vary else int(rng.integers(1, span)))
        top, left = self._place(rng, start, span, side)
        return self.clip.crop((start, middle, start + span), top, left, side), (middle - start) / span

    def _span(self, rng: np.random.Generator) -> int:
        usable = [span for span, ladder in self._ladders.items() if len(ladder) and ladder[-1] > 0]
        odds = np.array([SPAN_ODDS[span] for span in usable])
        return int(rng.choice(usable, p=odds / odds.sum()))

    def _place(self, rng: np.random.Generator, start: int, span: int, side: int) -> tuple[int, int]:
        """Top left corner of a square where something moves, most of the time; half a dozen places are tried."""
        for _try in range(6):
            top = int(rng.integers(0, self.clip.height - side + 1))
            left = int(rng.integers(0, self.clip.width - side + 1))
            rows, columns = (slice(edge // CELL, -(-(edge + side) // CELL)) for edge in (top, left))
            inside = self.clip.motion[start : start + span, rows, columns]
            moved = float(inside.mean(axis=(1, 2), dtype=np.float32).sum())
            if rng.random() < max(0.05, min(1.0, moved / WORTH)):
                break
        return top, left


def _ladder(clip: Clip, first: int, stop: int, span: int) -> NDArray[np.float64]:
    """Running sum of the weights of the triplets that start at frame first, first + 1, ...; empty if none fits.

    0 across a break or where motion explains too little; small when still, or faster than a fifth of the picture.
    """
    starts = stop - first - span
    if starts <= 0:
        return np.zeros(0)
    windows = np.lib.stride_tricks.sliding_window_view
    peak, residual, broken = (values[first : stop - 1] for values in (clip.peak, clip.residual, clip.broken))
    moved = windows(peak, span).sum(axis=1, dtype=np.float64)
    weight = np.clip((moved - STILL) / (WORTH - STILL), 0.02, 1.0)
    weight[moved > HOPELESS_SHARE * min(clip.height, clip.width)] *= 0.15
    weight[windows(residual, span).max(axis=1) > HOPELESS_RESIDUAL] = 0
    weight[windows(broken, span).any(axis=1)] = 0
    return np.cumsum(weight)


class VimeoPool:
    """Vimeo-90K: `sequences/00001/0001/im{1,2,3}.png`, named by a list; read as they are drawn (448x256, a few ms)."""

    def __init__(self, root: Path, listed: Sequence[str]) -> None:
        self.name = root.name
        self.folders = [root / "sequences" / line for line in listed]
        self.weight = float(np.sqrt(len(self.folders)))
        self.short_side = min(_read(self.folders[0] / "im1.png").shape[:2]) if self.folders else 0

    def draw(self, rng: np.random.Generator, side: int, *, vary: bool) -> Cut:
        folder = self.folders[int(rng.integers(len(self.folders)))]
        pictures = [_read(folder / f"im{n}.png") for n in (1, 2, 3)]
        height, width = pictures[0].shape[:2]
        top, left = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
        return [np.ascontiguousarray(picture[top : top + side, left : left + side]) for picture in pictures], 0.5


def _read(path: Path) -> Picture:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise BadInputError(_("{path} is listed for training but cannot be read.").format(path=path))
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


@dataclass(frozen=True)
class Split:
    """What is kept apart for validation: the clips named, or else every `every`-th in the order of their names."""

    names: tuple[str, ...] = ()
    every: int = 8


class TripletSource:
    """Random triplets from everything under `paths`; one seed gives one sequence on one set of files.

    Args:
        paths: folders (searched through) or video files. A folder with pictures is one clip of consecutive frames; a
            folder with tri_trainlist.txt is Vimeo-90K.
        crop: side of the samples in pixels.
        seed: of `sample()` without a generator and of iteration.
        split: what `sample` never touches. With a single clip, its last tenth.
        cache_dir: where decoded frames live; default INBETWEEN_FRAME_CACHE, else <project>/data/cache.
        on_clip: told the name of each clip before it is opened (decoding takes seconds the first time).

    Raises:
        BadInputError: a path is missing, or nothing usable is left; says why for each clip.
        NoSpaceError: no room for the decoded frames.
    """

    def __init__(
        self,
        paths: Sequence[Path | str],
        *,
        crop: int = 192,
        seed: int = 0,
        split: Split | None = None,
        limits: ClipLimits | None = None,
        augment: bool = True,
        cache_dir: Path | None = None,
        on_clip: Callable[[str], None] | None = None,
    ) -> None:
        if crop < MIN_CROP:
            raise BadInputError(
                _("A crop of {crop} pixels is too small to see motion in. Use {min_crop} or more.").format(
                    crop=crop, min_crop=MIN_CROP
                )
            )
        self.crop = crop
        self.augment = augment
        self.notes: list[str] = []
        self._rng = np.random.default_rng(seed)
        clips, vimeo = self._open(
            [Path(path) for path in paths], limits or ClipLimits(), cache_dir or default_cache(), on_clip
        )
        train, kept = self._split(clips, vimeo, split or Split())
        self.train = [pool for pool in train if self._usable(pool, crop)]
        self.kept_apart = [pool for pool in kept if self._usable(pool, MIN_CROP)]
        if not self.train:
            raise BadInputError("\n".join([_("No usable training footage."), *self.notes]))
        if not self.kept_apart:
            self.notes.append(_("Too little footage to keep any apart: there will be no validation figures."))
        if multiprocessing.parent_process() is None:  # the processes that prepare samples would only repeat it
            for note in self.notes:
                log.warning(note)
        weights = np.array([pool.weight for pool in self.train])
        self._odds = np.cumsum(weights / weights.sum())

    def sample(self, rng: np.random.Generator | None = None) -> Sample:
        """One augmented training triplet."""
        rng = self._rng if rng is None else rng
        pool = self.train[min(int(np.searchsorted(self._odds, rng.random())), len(self.train) - 1)]
        if not self.augment:
            return _sample(*pool.draw(rng, self.crop, vary=True))
        side = _side_before_shrinking(rng, self.crop, pool.short_side)
        pictures, timestep = pool.draw(rng, side, vary=True)
        if side != self.crop:
            pictures = [
                cv2.resize(picture, (self.crop, self.crop), interpolation=cv2.INTER_AREA) for picture in pictures
            ]
        return _sample(*augmented(pictures, timestep, rng))

    def __iter__(self) -> Iterator[Sample]:
        while True:
            yield self.sample()

    def validation(self, count: int, size: int = 256) -> list[Sample]:
        """`count` triplets at t = 1/2 of the footage kept apart, spread evenly over its clips, the same at every call.

        They are `size` pixels square, or as large as the smallest clip allows. [] when nothing could be kept apart.
        """
        if not self.kept_apart:
            return []
        side = min([size, *(pool.short_side for pool in self.kept_apart)])
        pools = [self.kept_apart[n % len(self.kept_apart)] for n in range(count)]
        return [_sample(*pool.draw(np.random.default_rng((1, n)), side, vary=False)) for n, pool in enumerate(pools)]

    def _open(
        self, paths: Sequence[Path], limits: ClipLimits, cache_dir: Path, on_clip: Callable[[str], None] | None
    ) -> tuple[list[Clip], list[Path]]:
        """Every clip that can be used; the others leave a note."""
        found = [place for path in paths for place in find_footage(path)]
        clips: list[Clip] = []
        for place in found:
            if place.is_dir() and (place / "tri_trainlist.txt").exists():
                continue
            if on_clip:
                on_clip(str(place))
            try:
                clips.append(open_clip(place, place.stem if place.is_file() else place.name, cache_dir, limits))
            except BadInputError as error:
                self.notes.append(str(error))
        return clips, [place for place in found if place.is_dir() and (place / "tri_trainlist.txt").exists()]

    def _split(self, clips: Sequence[Clip], vimeo: Sequence[Path], split: Split) -> tuple[list[Pool], list[Pool]]:
        """(for training, kept apart)."""
        ordered = sorted(clips, key=lambda clip: clip.name)
        train: list[Pool] = []
        kept: list[Pool] = []
        if len(ordered) == 1 and ordered[0].name not in split.names:
            stop = _last_tenth(ordered[0].count)
            train.append(ClipPool(ordered[0], 0, stop))
            if stop < ordered[0].count:
                kept.append(ClipPool(ordered[0], stop))
        else:
            apart = set(split.names) & {clip.name for clip in ordered}
            apart = apart or {clip.name for clip in ordered[min(split.every, len(ordered)) - 1 :: split.every]}
            for clip in ordered:
                (kept if clip.name in apart else train).append(ClipPool(clip))
        for root in vimeo:
            pools = _vimeo_pools(root, split)
            train.append(pools[0])
            kept.append(pools[1])
        return train, kept

    def _usable(self, pool: Pool, side: int) -> bool:
        if pool.weight <= 0:
            self.notes.append(
                _("{pool}: no three frames in a row that could be learned from; left out.").format(pool=pool.name)
            )
        elif pool.short_side < side:
            self.notes.append(
                _("{pool}: {short_side} pixels on its short side, smaller than the crop of {side}; left out.").format(
                    pool=pool.name, short_side=pool.short_side, side=side
                )
            )
        return pool.weight > 0 and pool.short_side >= side


def default_cache() -> Path:
    """INBETWEEN_FRAME_CACHE, or data/cache in the project's folder."""
    return Path(os.environ.get("INBETWEEN_FRAME_CACHE") or Path(__file__).resolve().parents[2] / "data" / "cache")


def find_footage(path: Path) -> list[Path]:
    """Video files, folders with pictures, and Vimeo-90K roots at or under `path`, in the order of their names.

    Raises:
        BadInputError: there is nothing at `path`, or nothing to train on in it.
    """
    if not path.exists():
        raise BadInputError(_("There is no folder or video {path}.").format(path=path))
    if path.is_file():
        return [path]
    found: list[Path] = []
    for place, below, files in os.walk(path, followlinks=True):
        here = Path(place)
        below.sort()
        if "tri_trainlist.txt" in files:
            found.append(here)
            below.clear()
            continue
        if frame_files(here):
            found.append(here)
        found += [here / name for name in sorted(files) if Path(name).suffix.lower() in VIDEO_SUFFIXES]
    if not found:
        raise BadInputError(
            _(
                "{path} holds no pictures and no videos. Put numbered frames (frame_001.png, ...), folders "
                "of them, or videos there."
            ).format(path=path)
        )
    return found


def _vimeo_pools(root: Path, split: Split) -> tuple[Pool, Pool]:
    """(train, validation); without tri_testlist.txt every n-th of the training list is kept apart."""
    listed = _lines(root / "tri_trainlist.txt")
    tested = _lines(root / "tri_testlist.txt") if (root / "tri_testlist.txt").exists() else []
    if not tested:
        tested, listed = (
            listed[split.every - 1 :: split.every],
            [line for n, line in enumerate(listed, 1) if n % split.every],
        )
    return VimeoPool(root, listed), VimeoPool(root, tested)


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text().splitlines() if line.strip()]


def _last_tenth(count: int) -> int:
    """Where the part kept apart of a single clip begins: the last tenth, at least 3 frames; nothing of fewer than 9."""
    return count - max(3, count // 10) if count >= 9 else count


def _side_before_shrinking(rng: np.random.Generator, crop: int, short_side: int) -> int:
    """Half of the crops are cut larger, up to twice, and shrunk: smaller things, sharper pictures, less compression."""
    scale = rng.uniform(SHRINK_MIN, 1.0) if rng.random() < SHRINK_ODDS else 1.0
    return min(round(crop / scale), short_side)


def augmented(pictures: Sequence[Picture], timestep: float, rng: np.random.Generator) -> Cut:
    """Mirrored, transposed, reversed in time, colour channels swapped, lighter or darker; all three alike."""
    flip_x, flip_y, transpose, reverse, recolour, relight = rng.random(6) < (0.5, 0.5, 0.5, 0.5, 0.3, 0.3)
    views = list(pictures)
    if flip_x:
        views = [view[:, ::-1] for view in views]
    if flip_y:
        views = [view[::-1] for view in views]
    if transpose:
        views = [view.transpose(1, 0, 2) for view in views]
    if recolour:
        order = rng.permutation(3)
        views = [view[..., order] for view in views]
    if reverse:
        views, timestep = views[::-1], 1.0 - timestep
    if relight:
        table = _light(rng)
        views = [table[view] for view in views]
    return views, timestep


def _light(rng: np.random.Generator) -> NDArray[np.uint8]:
    """(256,) lookup: gamma 0.8-1.25 and gain 0.85-1.15."""
    curve = np.linspace(0, 1, 256) ** np.exp(rng.uniform(-0.22, 0.22)) * rng.uniform(0.85, 1.15)
    return (curve.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def _sample(pictures: Sequence[Picture], timestep: float) -> Sample:
    img0, gt, img1 = (np.ascontiguousarray(picture) for picture in pictures)
    return Sample(img0=img0, img1=img1, gt=gt, timestep=timestep)
