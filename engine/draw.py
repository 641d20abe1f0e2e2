"""The pictures of the result, one after the other: source frames as they are, and the model's between them."""

from __future__ import annotations

import itertools
import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import av
import numpy as np
from numpy.typing import NDArray

from .checkpoint import ModelInfo
from .config import CutPolicy
from .errors import BadInputError
from .metrics import blend
from .pipeline import ReadAhead, depth_for
from .scenes import Gap
from .timeline import OutputFrame
from .translation import gettext as _
from .video import Reading, VideoFrame, VideoInfo, read_frames

Picture = NDArray[Any]  # (H, W, 3) RGB or (H, W, 4) RGBA, uint8 or uint16 over its whole range


class Pair(Protocol):
    """What `Interpolator.pair` gives."""

    def at(self, t: float | Fraction) -> Picture: ...

    def flow(self, *, back: bool = False) -> NDArray[np.float32] | None: ...


class PairMaker(Protocol):
    """The part of `Interpolator` that rendering needs."""

    info: ModelInfo
    arithmetic: str

    def pair(self, img0: Picture, img1: Picture) -> Pair: ...


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of a video by their number, at the size they are worked on."""

    source: Path
    info: VideoInfo
    pts: list[Fraction]
    size: tuple[int, int]  # (width, height) in pixels
    reading: Reading = field(default_factory=Reading)

    @property
    def plain(self) -> Frames:
        """The same as RGB uint8, for figures and for pictures to look at."""
        return replace(self, reading=Reading(fields=self.reading.fields))

    def read(self, first: int, last: int) -> Iterator[tuple[int, VideoFrame]]:
        """(number, frame) of frames [first, last), as far as they can be decoded. Seeks to the first.

        If it cannot be reached by seeking, which happens in damaged files, the video is read from its beginning.
        """
        head: VideoFrame | None = None
        following: Iterator[VideoFrame] = iter(())
        for start in (self.pts[first], None):
            following = self._decode(start, last)
            head = next(following, None)
            if head is not None and self._number(head) == first:
                break
        for frame in itertools.chain([head] if head else [], following):
            if (number := self._number(frame)) >= first:
                yield number, frame

    def some(self, numbers: range) -> list[Picture]:
        """These frames, all of them.

        Raises:
            BadInputError: one that was there at the first reading is not there any more.
        """
        found = {number: frame.rgb for number, frame in self.read(numbers.start, numbers.stop)}
        if len(found) != len(numbers):
            raise lost_frame(next(number for number in numbers if number not in found))
        return [found[number] for number in numbers]

    def _decode(self, start: Fraction | None, last: int) -> Iterator[VideoFrame]:
        stop = self.pts[last] if last < len(self.pts) else None
        same = self.size == (self.info.width, self.info.height)
        resolution = None if same else self.size
        return read_frames(
            self.source, start=start, stop=stop, resolution=resolution, info=self.info, reading=self.reading
        )

    def _number(self, frame: VideoFrame) -> int:
        number = bisect_left(self.pts, frame.pts)
        return number if number < len(self.pts) and self.pts[number] == frame.pts else -1


def lost_frame(number: int) -> BadInputError:
    return BadInputError(
        _("Frame {number} of the video could not be read a second time. Did the file change meanwhile?").format(
            number=number
        )
    )


class Window:
    """Two neighbouring frames at a time, moving forward only; frames are read ahead in a thread. Use in `with`."""

    def __init__(self, frames: Frames, first: int, last: int) -> None:
        self._count = len(frames.pts)
        source = frames.read(first, min(last + 1, self._count))
        self._reader = ReadAhead(source, depth_for(*frames.size))
        self._held: dict[int, VideoFrame] = {}

    def __enter__(self) -> Self:
        self._reader.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.__exit__(kind, error, trace)

    def at(self, number: int) -> tuple[Picture, Picture | None]:
        """Frame `number` and the one after it (None after the last)."""
        last = min(number + 1, self._count - 1)
        self._held = {key: frame for key, frame in self._held.items() if key >= number}
        while last not in self._held:
            found, frame = next(self._reader, (-1, None))
            if frame is None:
                raise lost_frame(last)
            if found >= number:
                self._held[found] = frame
        if number not in self._held:
            raise lost_frame(number)
        return self._held[number].rgb, self._held[last].rgb if last != number else None

    def native(self, picture: Picture) -> av.VideoFrame | None:
        """The decoder's own frame of a picture that `at` gave last; None if there is none, or it is another picture."""
        return next((frame.native for frame in self._held.values() if frame.rgb is picture), None)


@dataclass(slots=True)
class Painter:
    """Draws output frames and counts what it cost. A pair of source frames is matched once, whatever is drawn in it.

    gaps: one after each source frame, in a loop also after the last.
    """

    model: PairMaker
    gaps: list[Gap]
    cut: CutPolicy
    first: Picture | None = None  # what comes after the last frame, in a loop
    new: int = 0
    held: int = 0
    new_ms: list[float] = field(default_factory=list)
    _shown: int = -1  # source frame last drawn from
    _left: int = -1  # source frame the pair begins with
    _pair: Pair | None = None
    _spent: float = 0.0  # seconds on this pair
    _drawn: int = 0  # frames drawn from it

    def draw(self, frame: OutputFrame, left: Picture, right: Picture | None) -> Picture:
        """The picture for `frame`, which lies between source frames `left` and `right` (None after the last)."""
        right = self.first if right is None else right
        shown, self._shown = self._shown, frame.left
        if frame.t == 0 or right is None:
            self.held += shown == frame.left
            return left
        gap = self.gaps[frame.left]
        if gap.cut and self.cut == "crossfade":
            self.new += 1
            return blend(left, right, float(frame.t))
        if gap.still:
            self.held += 1
            return right if gap.cut and frame.t > Fraction(1, 2) else left
        return self._interpolate(frame, left, right)

    def pair_at(self, left: int) -> Pair | None:
        """The two frames last drawn between, if the first of them is `left`; None where nothing was matched there."""
        return self._pair if self._left == left else None

    def finish(self) -> None:
        """Books the last pair; call when no more frames follow."""
        self.new_ms += [1000 * self._spent / self._drawn] * self._drawn if self._drawn else []
        self._left, self._pair, self._spent, self._drawn = -1, None, 0.0, 0

    def _interpolate(self, frame: OutputFrame, left: Picture, right: Picture) -> Picture:
        if frame.left != self._left or self._pair is None:
            self.finish()
        started = time.perf_counter()
        if self._pair is None:
            self._left, self._pair = frame.left, self.model.pair(left, right)
        picture = self._pair.at(frame.t)
        self._spent += time.perf_counter() - started
        self._drawn += 1
        self.new += 1
        return picture
