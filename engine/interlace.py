"""Interlaced video: whether the pictures really are, in which order their fields were taken, and making frames of them.

What a file says of itself is often wrong, so its frames are looked at: FFmpeg's idet compares the lines of each with
those of its neighbours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Literal, TypeVar

import av

from .filters import filtered
from .translation import gettext as _
from .translation import gettext_noop

FieldOrder = Literal["progressive", "tff", "bff"]
Time = TypeVar("Time")
Look = Callable[[Fraction | None], Iterator[tuple[Time, av.VideoFrame]]]

LOOK_FRAMES = 50  # frames looked at in one place
PLAIN_FRAMES = 12  # so many without combs, and none with, are enough
MIN_FRAMES = 5  # frames that move and so say something; with fewer, another place is looked at
MAX_LINES = 1200  # no interlaced format has more
COMBED = 0.25  # part of the frames with combs from which on a video is interlaced (3:2 pulldown has 2 in 5)
PULLDOWN = (0.3, 0.5)  # part of the frames with a field of the frame before, in film with 3:2 pulldown: two in five
PULLDOWN_FRAMES = 15  # looked at, before that is said
ONE_ORDER = 0.8  # part of them with the same field first, unless the file says itself that it is interlaced
SETTLE = Fraction(1)  # seconds that are read before a place, so that its first frame has a neighbour
_WORDS = {"tff": gettext_noop("top field first"), "bff": gettext_noop("bottom field first")}
_DECLARED: dict[int, FieldOrder] = {2: "tff", 3: "bff", 4: "bff", 5: "tff"}  # FFmpeg's AVFieldOrder


@dataclass(frozen=True, slots=True)
class Fields:
    """order: of the fields. note: what the file says and what was found, in words; "" where it is progressive."""

    order: FieldOrder
    note: str = ""


def declared_order(frame: av.VideoFrame, context: av.VideoCodecContext) -> FieldOrder:
    """What the file says of itself; without a word about the order, the top field comes first."""
    if frame.interlaced_frame or context.field_order > 1:
        return _DECLARED.get(context.field_order, "tff")
    return "progressive"


def find_fields(look: Look[Time], declared: FieldOrder, lines: int, duration: Fraction) -> Fields:
    """What the frames themselves show.

    look: gives (time, frame) from a time in seconds on. lines: height of the stored frames. duration: seconds.
    """
    if declared == "progressive" and lines > MAX_LINES:
        return Fields("progressive")
    seen = Counter[str]()
    for place in (None, duration / 2, duration * 3 / 4):
        seen += _seen(look(place))
        if seen["tff"] + seen["bff"] + seen["progressive"] >= MIN_FRAMES:
            return _judged(seen, declared)
    if declared == "progressive":
        return Fields("progressive")
    return Fields(
        declared,
        _(
            "The file says that it is interlaced, {order}. Its pictures hardly move where they were looked at, "
            "so that was believed."
        ).format(order=_(_WORDS[declared])),
    )


def _seen(frames: Iterator[tuple[Time, av.VideoFrame]]) -> Counter[str]:
    """How many of the first frames are "tff", "bff", "progressive" or "undetermined", and how many show a field of the
    frame before: "top again", "bottom again", "neither again"."""
    seen = Counter[str]()
    for _time, frame in filtered(islice(frames, LOOK_FRAMES), [("idet", "")]):
        seen[frame.metadata["lavfi.idet.single.current_frame"]] += 1
        seen[f"{frame.metadata['lavfi.idet.repeated.current_frame']} again"] += 1
        if seen["progressive"] >= PLAIN_FRAMES and not seen["tff"] + seen["bff"]:
            break
    return seen


def _judged(seen: Counter[str], declared: FieldOrder) -> Fields:
    combed = seen["tff"] + seen["bff"]
    looked = combed + seen["progressive"]
    found: FieldOrder = "tff" if seen["tff"] >= seen["bff"] else "bff"
    if combed < COMBED * looked or (declared == "progressive" and seen[found] < ONE_ORDER * combed):
        false = _("The file says that it is interlaced, but its pictures are whole: read as they are.")
        return Fields("progressive", false if declared != "progressive" else "")
    words = _found_in_words(found, declared).format(
        order=_(_WORDS[found]),
        seen=seen[found],
        looked=looked,
        declared=_(_WORDS[declared]) if declared != "progressive" else "",
    )
    if _has_pulldown(seen):
        words += " " + _(
            "In two frames of five a field is shown again: it is film, spread over video frames (3:2 pulldown). "
            "Frames are made whole one by one, so its uneven steps stay; undo the pulldown first (FFmpeg: "
            "fieldmatch, decimate) for even motion."
        )
    return Fields(found, words)


def _found_in_words(found: FieldOrder, declared: FieldOrder) -> str:
    """A sentence with the places {order}, {seen}, {looked} and {declared}."""
    if declared == "progressive":
        return _(
            "The video is interlaced, {order}: so say {seen} of {looked} frames looked at. "
            "The file itself does not say so."
        )
    if declared == found:
        return _("The video is interlaced, {order}: so say {seen} of {looked} frames looked at.")
    return _("The video is interlaced, {order}: so say {seen} of {looked} frames looked at; the file says {declared}.")


def _has_pulldown(seen: Counter[str]) -> bool:
    """Whether top and bottom fields are shown again by turns, in two frames of five."""
    top, bottom = seen["top again"], seen["bottom again"]
    looked = top + bottom + seen["neither again"]
    few, many = PULLDOWN
    return looked >= PULLDOWN_FRAMES and few <= (top + bottom) / looked <= many and min(top, bottom) > 1


def deinterlaced(
    frames: Iterable[tuple[Time, av.VideoFrame]], order: FieldOrder
) -> Iterator[tuple[Time, av.VideoFrame]]:
    """One whole frame for each, at its time: the lines of the field that came first, the others drawn (bwdif)."""
    return filtered(frames, [("bwdif", f"mode=send_frame:parity={order}:deint=all")])
