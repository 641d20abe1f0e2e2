"""Fades and flashes: light that changes evenly over the picture is taken apart from motion, and put back in between.

A network that sees one frame bright and the other dark takes the light for a difference of the pictures: it believes
the one frame or the other, and the new frame gets that one's light. So the flatter of the two frames is brought to the
light of the richer one, the new frame is drawn there, and gets the light that lies in between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from .metrics import blend
from .motion import Flow, dis_flow, grey, same_light, warp_picture
from .pixels import AnyPicture, eight_bit, has_alpha

SMALLEST = 32  # pixels a side of what light is judged by
SMALL_SIDE = 192  # pixels of the longer side of the copies on which light is compared
FLAT = 3.0  # standard deviation in grey levels below which a picture shows nothing (black, white, one colour) ...
FLAT_FACTOR = 8.0  # ... if the other shows so many times more: the end of a fade, not a dim scene
LEAST_CHANGE = 4.0  # grey levels that light changes by, at the mean of what changes
LEAST_SHARE = 0.3  # of the points must have changed
LEAST_GAIN = 1 / 12  # with less, what is left of the picture is mostly rounding
MOST_LEFT = 0.3  # of the change may be unexplained by light, at the median
MOST_UNLIKE = 0.4  # of a frame's spread of levels may be unexplained, at the median: more is another picture
BLOCKS, EVEN_SHARE = 4, 0.8  # so many of 4x4 parts of the picture must see the same change of light
STILL_LEVELS = 3.0  # a point that differs by no more, where light should change it by STILL_FACTOR times as much,
STILL_FACTOR = 4.0  # is no part of the lit picture: a caption, a bar

Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Light:
    """How the light changes from one frame to the next: colour x becomes gain * x + offset (grey levels, 0-255)."""

    gain: float
    offset: Values  # (3,)

    def at(self, t: float) -> Light:
        """From the first frame's light to that at time t between the two."""
        return Light(1 + (self.gain - 1) * t, self.offset * t)

    def back(self) -> Light:
        """The way back."""
        return Light(1 / self.gain, -self.offset / self.gain)

    def then(self, other: Light) -> Light:
        """This, and after it another."""
        return Light(self.gain * other.gain, self.offset * other.gain + other.offset)

    def on(self, picture: AnyPicture) -> AnyPicture:
        """An RGB or RGBA picture in this light, of its own type; alpha is no light."""
        top, colours = float(np.iinfo(picture.dtype).max), picture[..., :3]
        lit = np.rint(colours * np.float32(self.gain) + self.offset * np.float32(top / 255)).clip(0, top)
        return np.concatenate([lit.astype(picture.dtype), picture[..., 3:]], axis=2)


NO_CHANGE = Light(1.0, np.zeros(3, np.float32))


class Drawn(Protocol):
    """Two frames, matched (`engine.interpolator.Pair`)."""

    def at(self, t: float | Fraction) -> AnyPicture: ...

    def flow(self, *, back: bool = False) -> Flow | None: ...


class LitPair:
    """Two frames in light that changes evenly: drawn in the light of the richer one, then lit for its time."""

    def __init__(
        self, img0: AnyPicture, img1: AnyPicture, light: Light, match: Callable[[AnyPicture, AnyPicture], Drawn]
    ) -> None:
        self._img0, self._img1, self._light = img0, img1, light
        fades = light.gain < 1
        self._drawn_in = NO_CHANGE if fades else light
        self._pair = match(img0, light.back().on(img1)) if fades else match(light.on(img0), img1)
        self._stays = _stays(img0, img1, light)

    def at(self, t: float | Fraction) -> AnyPicture:
        if t in (0, 1):
            return (self._img1 if t else self._img0).copy()
        lit = self._drawn_in.back().then(self._light.at(float(t))).on(self._pair.at(t))
        if not self._stays.any():
            return lit
        still = blend(self._img0, self._img1, float(t))
        return np.rint(lit + self._stays * (still.astype(np.float32) - lit)).astype(lit.dtype)

    def flow(self, *, back: bool = False) -> Flow | None:
        return self._pair.flow(back=back)


def judged(img0: AnyPicture, img1: AnyPicture) -> tuple[AnyPicture, AnyPicture]:
    """Two frames as the functions below look at them, RGB. Of frames with alpha: what is solid in both, in the box
    around it, and black elsewhere; the same twice where there is too little of it."""
    if not has_alpha(img0):
        return img0, img1
    solid = np.minimum(img0[..., 3], img1[..., 3]) == np.iinfo(img0.dtype).max
    left, top, width, height = cv2.boundingRect(solid.astype(np.uint8))
    box = np.s_[top : top + height, left : left + width]
    if min(width, height) < SMALLEST or solid[box].mean() < LEAST_SHARE:
        return img0[..., :3], img0[..., :3]
    seen0, seen1 = (image[box][..., :3] * solid[box][..., None] for image in (img0, img1))
    return seen0, seen1


def same_levels(img0: AnyPicture, img1: AnyPicture) -> bool:
    """A first look at two RGB frames, at a fifth of the price: with about the same grey levels in both neither has the
    light changed nor does one of them show nothing."""
    step = max(1, max(img0.shape[:2]) // SMALL_SIDE)
    few0, few1 = (grey(eight_bit(np.ascontiguousarray(image[::step, ::step]))) for image in (img0, img1))
    return not _differs(few0, few1, LEAST_CHANGE / 4)


def light_between(img0: AnyPicture, img1: AnyPicture) -> Light | None:
    """The light that changes evenly between two RGB frames; None where it does not, or not enough to matter."""
    small0, small1 = small_copy(img0), small_copy(img1)
    grey0, grey1 = grey(small0), grey(small1)
    if not _differs(grey0, grey1):
        return None
    flow = dis_flow(*same_light(grey0, grey1), preset="fine")
    before, after = small0.astype(np.float32), warp_picture(small1, flow).astype(np.float32)
    changed = np.abs(after - before).max(axis=2) > STILL_LEVELS
    if changed.mean() < LEAST_SHARE:
        return None
    light = _fit(before[changed], after[changed])
    return light if LEAST_GAIN < light.gain < 1 / LEAST_GAIN and _explains(light, before, after, changed) else None


def ends_in_nothing(img0: AnyPicture, img1: AnyPicture) -> bool:
    """Whether one of two RGB frames is black, white or of one colour, and the other a picture: nothing can be matched,
    and what lies between is a share of both."""
    low, high = sorted(float(grey(small_copy(image)).std()) for image in (img0, img1))
    return low < FLAT and high > FLAT_FACTOR * max(low, 0.5)


def _stays(img0: AnyPicture, img1: AnyPicture, light: Light) -> Values:
    """(H, W, 1), 1 where a point keeps its colour although the light should change it, 0 elsewhere, softly between."""
    unit = 255 / np.iinfo(img0.dtype).max
    same = cv2.absdiff(img0, img1)[..., :3].max(axis=2) * unit <= STILL_LEVELS
    should = np.abs(light.on(img0).astype(np.float32) - img0).max(axis=2) * unit > STILL_LEVELS * STILL_FACTOR
    mask = cv2.morphologyEx((same & should).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return cv2.GaussianBlur(mask.astype(np.float32), (3, 3), 0)[..., None]


def small_copy(image: AnyPicture) -> NDArray[np.uint8]:
    """An RGB picture at SMALL_SIDE, which is all that light is judged by; of such a copy, the same again."""
    height, width = image.shape[:2]
    scale = min(1.0, SMALL_SIDE / max(width, height))
    size = max(SMALLEST, round(width * scale)), max(SMALLEST, round(height * scale))
    return cv2.resize(eight_bit(image), size, interpolation=cv2.INTER_AREA)


def _differs(grey0: NDArray[np.uint8], grey1: NDArray[np.uint8], least: float = LEAST_CHANGE / 2) -> bool:
    """Whether the grey levels, as they are spread over the picture, differ as they would in other light."""
    levels0, levels1 = (np.sort(g.ravel()).astype(np.float32) for g in (grey0, grey1))
    return float(np.abs(levels0 - levels1).mean()) > least


def _fit(before: Values, after: Values) -> Light:
    """One gain for all colours and an offset for each, (N, 3) to (N, 3), by least absolute differences."""
    weights = np.ones_like(before)
    for _step in range(10):
        total = weights.sum(axis=0)
        mean0, mean1 = (weights * before).sum(axis=0) / total, (weights * after).sum(axis=0) / total
        from_mean0, from_mean1 = before - mean0, after - mean1
        gain = float((weights * from_mean0 * from_mean1).sum() / max((weights * from_mean0**2).sum(), 1e-6))
        offset = mean1 - gain * mean0
        weights = 1 / np.maximum(np.abs(after - gain * before - offset), 1)
    return Light(gain, offset.astype(np.float32))


def _explains(light: Light, before: Values, after: Values, changed: NDArray[np.bool_]) -> bool:
    """Whether the light accounts for what changed, everywhere in the picture."""
    expected = before * light.gain + light.offset
    change = np.abs(expected - before).mean(axis=2)
    missed = (after - expected).mean(axis=2)
    left, seen, by_light = np.abs(missed[changed]), after.mean(axis=2)[changed], change[changed].mean()
    spread = np.median(np.abs(seen - np.median(seen)))
    if by_light < LEAST_CHANGE or np.median(left) > min(MOST_LEFT * by_light, MOST_UNLIKE * spread):
        return False
    even = []
    for rows in np.array_split(np.arange(before.shape[0]), BLOCKS):
        for columns in np.array_split(np.arange(before.shape[1]), BLOCKS):
            part = np.ix_(rows, columns)
            here = changed[part]
            if here.mean() > 0.1:
                even.append(abs(np.median(missed[part][here])) < MOST_LEFT * change[part][here].mean() + 1)
    return bool(np.mean(even) >= EVEN_SHARE)
