"""Fades by alpha: what comes or goes by becoming solid is drawn as solid in both frames, and made see-through again."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from .light import Drawn
from .motion import Flow
from .pixels import AnyPicture, has_alpha

_MOST_SOLID = 99  # per cent of what is seen at all that may be more see-through than what stands for the whole
_LEAST_CHANGE = 0.02  # of full alpha
_MOST_UNLIKE = 0.1  # of all that is seen: with more, alpha changed its shape and not only its strength

Strengths = tuple[float, float]


class AlphaFadePair:
    """Two RGBA frames of which one is evenly more see-through than the other."""

    def __init__(
        self,
        img0: AnyPicture,
        img1: AnyPicture,
        strengths: Strengths,
        match: Callable[[AnyPicture, AnyPicture], Drawn],
    ) -> None:
        self._sources, self._strengths = (img0, img1), strengths
        frames = (_scaled(image, 1 / strength) for image, strength in zip(self._sources, strengths, strict=True))
        self._pair = match(*frames)

    def at(self, t: float | Fraction) -> AnyPicture:
        if t in (0, 1):
            return self._sources[int(t)].copy()
        first, last = self._strengths
        return _scaled(self._pair.at(t), first + (last - first) * float(t))

    def flow(self, *, back: bool = False) -> Flow | None:
        return self._pair.flow(back=back)


def alpha_strengths(img0: AnyPicture, img1: AnyPicture) -> Strengths | None:
    """How solid each of two frames is where it is most solid, 0 (nothing is seen) to 1; None where they have no alpha,
    are equally solid, or where alpha changes in another way than evenly."""
    if not has_alpha(img0):
        return None
    top = float(np.iinfo(img0.dtype).max)
    first, last = (np.sort(image[::4, ::4, 3].ravel()) / top for image in (img0, img1))
    strengths = _strength(first), _strength(last)
    if abs(strengths[0] - strengths[1]) < _LEAST_CHANGE:
        return None
    if 0 in strengths:
        return strengths
    solid0, solid1 = (first / strengths[0]).clip(0, 1), (last / strengths[1]).clip(0, 1)
    unlike = np.abs(solid0 - solid1).sum() / max(solid0.sum(), solid1.sum())
    return strengths if unlike < _MOST_UNLIKE else None


def _strength(alpha: np.ndarray) -> float:
    """Of sorted alpha, 0 to 1."""
    seen = alpha[np.searchsorted(alpha, 0, side="right") :]
    return float(np.percentile(seen, _MOST_SOLID)) if seen.size else 0.0


def _scaled(image: AnyPicture, gain: float) -> AnyPicture:
    """RGBA with so many times the alpha."""
    made = image.copy()
    made[..., 3] = np.rint(image[..., 3] * gain).clip(0, np.iinfo(image.dtype).max)
    return made
