"""Pictures to the frames an encoder takes: RGB or YUV of any depth, with or without alpha.

This is the exact way back from `colour.ToRgb`: colour samples come to lie where that took them to be. Frames that came
through the engine and frames that did not lie side by side in a result, so half a pixel of colour would be seen to
tremble. It is also done here because swscale cuts full-range chroma off instead of rounding it, and maps the white of
16-bit RGB to less than white.
"""

from __future__ import annotations

import av
import cv2
import numpy as np
from av.video.format import VideoFormat
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from .colour import EXACT, ColourTags, is_full, matrix_for

KR_KB = {
    Colorspace.ITU709: (0.2126, 0.0722),
    Colorspace.FCC: (0.30, 0.11),
    Colorspace.ITU601: (0.299, 0.114),
    Colorspace.SMPTE240M: (0.212, 0.087),
    Colorspace.BT2020: (0.2627, 0.0593),
}
# filters that halve chroma, with the place in them that the result belongs to: on a point, or between two
ON_POINT = (np.array([-1, 0, 9, 16, 9, 0, -1]) / 32, 3)
BETWEEN = (np.array([-1, 9, 9, -1]) / 16, 1)
WHOLE = (np.array([1.0]), 0)


class ToFrame:
    """Pictures, or frames of a decoder whose colours are tagged `source`, to frames of one pixel format.

    width, height: in pixels. site: where colour samples lie, as `colour.chroma_site` says of the source; "left" is what
    players expect of a file that does not say.
    """

    def __init__(
        self,
        tags: ColourTags,
        width: int,
        height: int,
        pix_fmt: str,
        *,
        source: ColourTags | None = None,
        site: str = "left",
    ) -> None:
        self.pix_fmt = pix_fmt
        self._format = VideoFormat(pix_fmt, width, height)
        self._tags, self._source, self._site = tags, source or tags, site or "left"
        self._matrix = matrix_for(tags, width, height)
        self._full = tags.range == "pc" or self._format.is_rgb
        self._bits = self._format.components[0].bits
        self.alpha = any(part.is_alpha for part in self._format.components)
        self._native = VideoReformatter()

    def __call__(self, picture: np.ndarray) -> av.VideoFrame:
        """RGB or RGBA, uint8 or uint16, (H, W, 3 or 4), as a tagged frame. Black shows through where alpha is lost."""
        picture = with_alpha(picture) if self.alpha else without_alpha(picture)
        if self._format.is_rgb:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(to_depth(picture, self._bits)), self.pix_fmt)
        else:
            frame = av.VideoFrame(picture.shape[1], picture.shape[0], self.pix_fmt)
            self._fill_yuv(frame, picture)
        return self._tagged(frame)

    def native(self, frame: av.VideoFrame) -> av.VideoFrame:
        """`frame` itself, tagged, if it has the pixel format, matrix and range; else converted in one step."""
        full = is_full(frame, self._source)
        matrix = self._matrix if frame.format.is_rgb else matrix_for(self._source, frame.width, frame.height)
        if frame.format.name != self.pix_fmt or full != self._full or matrix != self._matrix:
            frame = self._native.reformat(
                frame,
                format=self.pix_fmt,
                src_colorspace=matrix,
                dst_colorspace=self._matrix,
                interpolation=EXACT,
                src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
                dst_color_range=ColorRange.JPEG if self._full else ColorRange.MPEG,
            )
        return self._tagged(frame)

    def _tagged(self, frame: av.VideoFrame) -> av.VideoFrame:
        frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range = self._tags.numbers()
        return frame

    def _fill_yuv(self, frame: av.VideoFrame, picture: np.ndarray) -> None:
        luma, *chroma = cv2.split(cv2.transform(picture.astype(np.float32), self._rows(picture)))
        alpha = chroma[2:]
        kernels = self._kernels()
        small = [_filtered(plane, *kernels) for plane in chroma[:2]] if kernels else chroma[:2]
        for plane, data in zip(frame.planes, [luma, *small, *alpha], strict=True):
            _fill(plane, data, self._bits)

    def _rows(self, picture: np.ndarray) -> np.ndarray:
        """The matrix with the offsets as its last column, from the range of `picture` to that of the frame."""
        kr, kb = KR_KB[self._matrix]
        luma = np.array([kr, 1 - kr - kb, kb])
        blue = (np.array([0, 0, 1]) - luma) / (2 - 2 * kb)
        red = (np.array([1, 0, 0]) - luma) / (2 - 2 * kr)
        top, step, white = (1 << self._bits) - 1, 1 << (self._bits - 8), float(np.iinfo(picture.dtype).max)
        high, wide, black = (top, top, 0) if self._full else (219 * step, 224 * step, 16 * step)
        scaled = np.stack([luma * high, blue * wide, red * wide]) / white
        rows = np.column_stack([scaled, [black, 128 * step, 128 * step]])
        if not self.alpha:
            return rows
        return np.vstack([np.insert(rows, 3, 0, axis=1), [0, 0, 0, top / white, 0]])

    def _kernels(self) -> tuple[tuple[np.ndarray, int], tuple[np.ndarray, int], int, int] | None:
        """Filters across and down, and how many points across and down share a colour; None if none do."""
        columns, lines = 2 // self._format.chroma_width(2), 2 // self._format.chroma_height(2)
        if (columns, lines) == (1, 1):
            return None
        across = WHOLE if columns == 1 else ON_POINT if self._site in ("left", "topleft") else BETWEEN
        down = WHOLE if lines == 1 else ON_POINT if self._site in ("top", "topleft") else BETWEEN
        return across, down, columns, lines


def with_alpha(picture: np.ndarray) -> np.ndarray:
    """(H, W, 4): opaque if there was no alpha."""
    if picture.shape[2] == 4:
        return picture
    opaque = np.full((*picture.shape[:2], 1), np.iinfo(picture.dtype).max, picture.dtype)
    return np.concatenate([picture, opaque], axis=2)


def without_alpha(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3): laid on black if there was alpha."""
    if picture.shape[2] == 3:
        return picture
    light = picture[..., 3:].astype(np.float32) / np.iinfo(picture.dtype).max
    return np.rint(picture[..., :3] * light).astype(picture.dtype)


def to_depth(picture: np.ndarray, bits: int) -> np.ndarray:
    """uint8 (8 bits) or uint16 over its whole range (more)."""
    if bits <= 8:
        return picture if picture.dtype == np.uint8 else cv2.convertScaleAbs(picture, alpha=255 / 65535)
    return picture if picture.dtype == np.uint16 else picture.astype(np.uint16) * 257


def _filtered(
    plane: np.ndarray, across: tuple[np.ndarray, int], down: tuple[np.ndarray, int], columns: int, lines: int
) -> np.ndarray:
    anchor = (across[1], down[1])
    whole = cv2.sepFilter2D(plane, -1, across[0], down[0], anchor=anchor, borderType=cv2.BORDER_REPLICATE)
    return whole[::lines, ::columns]


def _fill(plane: av.video.plane.VideoPlane, data: np.ndarray, bits: int) -> None:
    """Copy (h, w), rounded, into a plane whose lines may be longer than w."""
    kind, top = (np.uint8, 255) if bits <= 8 else (np.uint16, (1 << bits) - 1)
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size).view(kind)
    rounded = cv2.add(np.ascontiguousarray(data), 0.0, dtype=cv2.CV_8U if bits <= 8 else cv2.CV_16U)
    lines[: data.shape[0], : data.shape[1]] = np.minimum(rounded, top) if bits > 8 else rounded
