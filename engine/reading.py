"""How the frames of a source are handed out for a render: how deep, with alpha or not, made whole, upright."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas, scaled
from .colour import ColourTags, ToRgb, ToSize, tags_of
from .config import RenderOptions
from .damage import Damage
from .filters import Filter, filtered
from .formats import Encoding
from .interlace import FieldOrder, deinterlaced
from .orientation import UPRIGHT, Orientation
from .translation import gettext as _
from .video_info import VideoInfo
from .yuv import without_alpha

NO_PICTURE = np.empty((0, 0, 3), np.uint8)
Kind = tuple[int, int, str, ColourTags]  # of a frame: width, height, pixel format, tags
Timed = Iterator[tuple[Fraction, av.VideoFrame]]


@dataclass(frozen=True, slots=True)
class Reading:
    """deep: uint16 over its whole range instead of uint8. alpha: RGBA; else what is transparent is laid on black.

    fields: which field of interlaced frames comes first, to make them whole; "progressive": frames stay as they are.
    native: with every frame comes the one that the decoder gave, where neither size nor alpha are changed.
    direct: only frames for an encoder are wanted: the decoder's, scaled as they are, and no picture, which saves most
    of the time. Frames that are RGB, transparent or cannot be turned so come as pictures all the same.
    """

    deep: bool = False
    alpha: bool = False
    fields: FieldOrder = "progressive"
    native: bool = False
    direct: bool = False


def reading_for(info: VideoInfo, options: RenderOptions, encoding: Encoding, canvas: Canvas) -> Reading:
    """What a result written with `encoding` can hold of the source, and no more."""
    same_size = canvas.inner == canvas.outer == (info.width, info.height)
    return Reading(
        deep=encoding.bits > 8,
        alpha=info.alpha and encoding.format.alpha,
        fields=info.field_order if options.deinterlace == "auto" else "progressive",
        native=encoding.format.kind == "film" and same_size,
    )


def reading_notes(info: VideoInfo, reading: Reading, encoding: Encoding) -> list[str]:
    """In words, what of the source the result does not hold, and what was done to interlaced pictures."""
    notes, name = list[str](), encoding.format.label
    if info.interlaced and reading.fields == "progressive":
        notes.append(_("The video is interlaced and was left so, as asked: comb edges show on motion."))
    elif info.interlaced:
        notes.append(_("De-interlaced: one whole frame for each, at its time (bwdif)."))
    if info.bit_depth > 8 and not reading.deep:
        notes.append(
            _(
                "The source has {bit_depth} bits a channel, this result ({name}) 8: smooth skies may show "
                "bands. H.265, AV1, ProRes and PNG hold more."
            ).format(bit_depth=info.bit_depth, name=name)
        )
    if info.alpha and not reading.alpha:
        notes.append(
            _(
                "The source has transparent parts, and {name} holds none: they are laid on black. ProRes "
                "4444, PNG, WebP and GIF keep them."
            ).format(name=name)
        )
    return notes


class Converter:
    """Decoded frames to upright pictures of one size: the video's own, or `resolution` = (width, height).

    The video's own size and kind are what `info` says. Without it they are those of the first frame that comes, which
    is the same unless the video changes on the way and is read from behind the change.
    """

    def __init__(self, resolution: tuple[int, int] | None, reading: Reading, info: VideoInfo | None = None) -> None:
        self._resolution, self._reading, self._info = resolution, reading, info
        self._to_rgb, self._to_size = ToRgb(), ToSize()
        self._side = UPRIGHT  # what is left to turn of the picture
        self._filters = False  # whether frames went through any, which may have changed their format
        self._own: Kind | None = None

    def prepared(self, frames: Timed) -> Timed:
        """Frames made whole, and upright if they are to be handed out themselves."""
        head = next(frames, None)
        if head is None:
            return iter(())
        self._side, turn = Orientation.of(head[1]), list[Filter]()
        if (self._reading.native or self._reading.direct) and _can_turn(head[1].format):
            self._side, turn = UPRIGHT, self._side.filters
        self._filters = bool(turn) or self._reading.fields != "progressive"
        frames = chain([head], frames)
        if self._reading.fields != "progressive":
            frames = deinterlaced(frames, self._reading.fields)
        return filtered(frames, turn) if turn else frames

    def __call__(
        self, frame: av.VideoFrame, context: av.VideoCodecContext, damage: Damage
    ) -> tuple[NDArray[Any], av.VideoFrame | None]:
        """The picture, and the frame itself where it is what `Reading.native` means."""
        tags = tags_of(frame, context)
        kind = (frame.width, frame.height, frame.format.name, tags)
        self._own = own = self._own or self._own_kind(kind)
        damage.resized += kind[:2] != own[:2]
        size = self._side.size(*self._resolution) if self._resolution else own[:2]
        clear = has_alpha(frame.format)
        if self._reading.direct and self._side == UPRIGHT and not (frame.format.is_rgb or clear):
            return NO_PICTURE, self._to_size(frame, tags, size)
        picture = self._side.apply(self._picture(frame, tags, size))
        same = kind == own and size == own[:2] and self._side == UPRIGHT
        whole = not frame.format.is_rgb and (self._reading.alpha or not clear)
        return picture, frame if self._reading.native and same and whole else None

    def _own_kind(self, seen: Kind) -> Kind:
        """`seen`: of the first frame that comes."""
        if self._info is None:
            return seen
        size = self._side.size(self._info.width, self._info.height)
        return (*size, *seen[2:]) if self._filters else (*size, self._info.pix_fmt, self._info.colour)

    def _picture(self, frame: av.VideoFrame, tags: ColourTags, size: tuple[int, int]) -> NDArray[Any]:
        deep = self._reading.deep
        if not (self._reading.alpha or has_alpha(frame.format)):
            return self._to_rgb(frame, tags, size, deep=deep)
        picture = scaled(self._to_rgb(frame, tags, deep=deep, alpha=True), size)
        return picture if self._reading.alpha else without_alpha(picture)


def has_alpha(pix_fmt: av.VideoFormat) -> bool:
    """Whether frames of this format can be transparent."""
    return pix_fmt.has_palette or any(part.is_alpha for part in pix_fmt.components)


def is_opaque(frame: av.VideoFrame) -> bool:
    """Whether nothing in this frame is transparent."""
    return not has_alpha(frame.format) or int(frame.reformat(format="rgba").to_ndarray()[..., 3].min()) == 255


def _can_turn(pix_fmt: av.VideoFormat) -> bool:
    """Whether turning leaves every number as it is: colours are halved in both directions, or in none."""
    return not pix_fmt.is_rgb and pix_fmt.chroma_width(64) == pix_fmt.chroma_height(64)
