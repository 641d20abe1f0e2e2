"""Cuts, duplicate frames and motion, found on small copies of the frames while they stream past.

A cut is where the new frame cannot be made from the old one by moving its parts: both are matched (DIS), the old one is
moved onto the new one, and what is left is compared by structure (correlation in 9x9 windows, which does not mind
brightness, so neither flashes nor fades count) and by colours (histogram). What would still be a cut is none if the
same picture in other light explains it: a fade so steep that matching broke down. The score must also stand out from
its neighbourhood, so that wild motion is no series of cuts. Soft pictures can be bent into each other and score low;
there the motion gives the cut away, which does not lead back to where it came from. docs/video.md has precision and
recall.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .duplicates import Difference, find_duplicates
from .light import light_between
from .motion import Flow, grey, warp_picture

SMALL_SIDE = 192  # pixels of the longer side of the copies that are looked at

CUT_SCORE = 0.56  # measured: real cuts from 0.64, anything else to 0.49
CUT_STANDS_OUT = 0.15  # above the calmest quarter of the neighbourhood
SOFT_CUT_SCORE = 0.25  # enough in a calm neighbourhood when the motion found makes no sense
SOFT_CUT_FACTOR = 3.0  # times the busiest quarter of the neighbourhood
LOST_SHARE = 0.4  # share of points that miss their start by more than LOST_PX on the way there and back
LOST_PX = 1.5
LOST_LEVELS = 18.0  # grey levels that remain after moving
COLOUR_WEIGHT = 0.4  # of the histogram against the structure, in the score
NEIGHBOURS = 3  # gaps on either side that make the neighbourhood
FLAT = 4.0  # standard deviation in grey levels below which a picture shows nothing (black, white, one colour)
FLAT_CHANGE = 25.0  # grey levels by which the picture must change for a cut from or to a flat one
FLASH_FRAMES = 3  # a flash is over after at most so many frames
FLASH_LEVELS = 15.0  # grey levels by which it is brighter (or darker) than what was there
SAME_SCENE = 0.4  # score below which two frames show one scene


@dataclass(frozen=True, slots=True)
class Gap:
    """What lies between a frame and the next."""

    cut: bool
    duplicate: bool  # both frames show the same: nothing to draw
    motion: float  # median speed in pixels of the small copies
    flash: bool = False  # one of the two is lit by a flash that begins or ends here, or goes on

    @property
    def still(self) -> bool:
        """Nothing is to be drawn in this gap by the model."""
        return self.cut or self.duplicate


@dataclass(slots=True)
class _Look:
    """A small copy with what is compared."""

    rgb: NDArray[np.uint8]
    grey: NDArray[np.uint8]
    histogram: NDArray[np.float32]

    @property
    def level(self) -> float:
        return float(self.grey.mean())

    @property
    def flat(self) -> bool:
        return float(self.grey.std()) < FLAT


@dataclass(slots=True)
class _Measure:
    score: float
    change: float  # mean difference in grey levels
    largest: int  # largest difference in grey levels
    motion: float
    flat: bool  # one of the two shows nothing
    lost: bool  # the motion found makes no sense
    fade: bool  # the same picture in other light
    flash: bool = False


def small_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) of the copies `SceneScanner` wants: the longer side 192, neither below 32 (DIS needs as much)."""
    scale = SMALL_SIDE / max(width, height)
    return max(32, round(width * scale)), max(32, round(height * scale))


class SceneScanner:
    """Takes small copies one by one; `finish` tells what lies in each gap. Keeps six copies."""

    def __init__(self) -> None:
        self._first: _Look | None = None
        self._recent: deque[_Look] = deque(maxlen=FLASH_FRAMES + 2)
        self._measures: list[_Measure] = []

    def push(self, rgb: NDArray[np.uint8]) -> None:
        """The next frame, RGB uint8 (h, w, 3) of `small_size`."""
        look = _Look(rgb, grey(rgb), _histogram(rgb))
        self._first = self._first or look
        if self._recent:
            self._measures.append(_compare(self._recent[-1], look))
        self._recent.append(look)
        self._mark_flash()

    def finish(self) -> list[Gap]:
        """One Gap per pair of neighbouring frames."""
        cuts = [_is_cut(self._measures, index) for index in range(len(self._measures))]
        duplicates = find_duplicates(
            [
                Difference(measure.change, measure.largest, cut or measure.flash)
                for measure, cut in zip(self._measures, cuts, strict=True)
            ]
        )
        return [
            Gap(cut, duplicate, measure.motion, measure.flash)
            for measure, cut, duplicate in zip(self._measures, cuts, duplicates, strict=True)
        ]

    def way_back(self) -> Gap:
        """What lies between the last frame and the first, for a loop. It has no neighbourhood to stand out from."""
        assert self._first is not None
        measure = _compare(self._recent[-1], self._first)
        unlike = measure.score > CUT_SCORE or measure.lost or (measure.flat and measure.change > FLAT_CHANGE)
        cut = unlike and not measure.fade
        return Gap(cut, find_duplicates([Difference(measure.change, measure.largest, cut)])[0], measure.motion)

    def _mark_flash(self) -> None:
        """If the newest frame shows again what was there up to three frames ago, what came between was a flash."""
        looks = list(self._recent)
        for length in range(1, len(looks) - 1):
            before, between = looks[-2 - length], looks[-1 - length : -1]
            differs = all(abs(look.level - before.level) > FLASH_LEVELS for look in between)
            if differs and _is_same(before, looks[-1]):
                for measure in self._measures[-1 - length :]:
                    measure.flash = True


def _compare(a: _Look, b: _Look) -> _Measure:
    flow = _flow(a, b)
    difference = cv2.absdiff(a.rgb, b.rgb)
    score = _score(a, b, flow)
    return _Measure(
        score=score,
        change=float(difference.mean()),
        largest=int(difference.max()),
        motion=float(np.median(np.hypot(flow[..., 0], flow[..., 1]))),
        flat=a.flat or b.flat,
        lost=score > SOFT_CUT_SCORE and _is_lost(a, b, flow),
        fade=score > SOFT_CUT_SCORE and light_between(a.rgb, b.rgb) is not None,
    )


def _is_lost(a: _Look, b: _Look, flow: Flow) -> bool:
    """Whether moving `a` along `flow` neither gives `b` nor leads back."""
    round_trip = flow + warp_picture(_flow(b, a), flow)
    astray = np.hypot(round_trip[..., 0], round_trip[..., 1]) > LOST_PX
    left_over = cv2.absdiff(a.grey, warp_picture(b.grey, flow))
    return bool(astray.mean() > LOST_SHARE and left_over.mean() > LOST_LEVELS)


def _flow(a: _Look, b: _Look) -> Flow:
    """Motion a -> b, to the last pixel of the small copies: what coarser flow leaves over would look like a cut."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    dis.setFinestScale(0)
    return np.asarray(dis.calc(a.grey, b.grey, None), np.float32)


def _score(a: _Look, b: _Look, flow: Flow) -> float:
    moved = warp_picture(b.grey, flow)
    colours = 0.5 * float(np.abs(a.histogram - b.histogram).sum())
    return 1 - _structure(a.grey, moved) + COLOUR_WEIGHT * colours


def _is_same(a: _Look, b: _Look) -> bool:
    return abs(a.level - b.level) < FLASH_LEVELS and _score(a, b, _flow(a, b)) < SAME_SCENE


def _structure(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Mean correlation of 9x9 windows, 1 for the same structure; windows without texture count as the same."""
    x, y = a.astype(np.float32), b.astype(np.float32)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.blur(values, (9, 9)), np.float32)

    mean_x, mean_y = mean(x), mean(y)
    spread_x, spread_y = mean(x * x) - mean_x * mean_x, mean(y * y) - mean_y * mean_y
    common = mean(x * y) - mean_x * mean_y
    noise = 10  # variance of a window that is compression noise rather than texture
    return float(np.mean((common + noise) / (np.sqrt(np.maximum(spread_x, 0) * np.maximum(spread_y, 0)) + noise)))


def _histogram(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Joint histogram of luma (16) and colour (8x8), smoothed along the luma, summing to 1."""
    counts = cv2.calcHist([cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)], [0, 1, 2], None, [16, 8, 8], [0, 256] * 3)
    return np.asarray(cv2.GaussianBlur(counts.reshape(16, 64), (1, 3), 0).ravel() / counts.sum(), np.float32)


def _around(measures: list[_Measure], index: int, reach: int) -> list[_Measure]:
    return measures[max(0, index - reach) : index] + measures[index + 1 : index + 1 + reach]


def _is_cut(measures: list[_Measure], index: int) -> bool:
    measure = measures[index]
    if measure.flash or measure.fade:
        return False
    if measure.flat:  # no structure to compare: a sudden change, where a fade would go on
        sudden = all(other.change < measure.change / 4 for other in _around(measures, index, 1))
        return measure.change > FLAT_CHANGE and sudden
    around = [other.score for other in _around(measures, index, NEIGHBOURS)]
    calm, busy = np.percentile(around, (25, 75)) if around else (0.0, 0.0)
    clear = measure.score > CUT_SCORE and measure.score - calm > CUT_STANDS_OUT
    return bool(clear or (measure.lost and measure.score > SOFT_CUT_FACTOR * busy))
