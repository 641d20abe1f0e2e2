"""Colour between the YUV of video files and the RGB the engine works in, the same way in both directions.

Convention: RGB is uint8, full range, in the source's own primaries and transfer (nothing is tone-mapped). Only the
matrix (bt709, bt601, bt2020) and the range (limited "tv", full "pc") take part in the conversion.
swscale's default flags darken luma by a whole level on average and halve the chroma; the flags below do not.
"""

from __future__ import annotations

from dataclasses import dataclass

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

# FFmpeg's names for the numbers of ITU-T H.273; "" is unspecified
PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020", 10: "smpte428",
    11: "smpte431", 12: "smpte432", 22: "ebu3213",
}  # fmt: skip
TRANSFERS = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100", 10: "log316",
    11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084",
    17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip
MATRICES = {
    0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco", 9: "bt2020nc",
    10: "bt2020c",
}  # fmt: skip
RANGES = {1: "tv", 2: "pc"}
HDR_TRANSFERS = ("smpte2084", "arib-std-b67")

_SWS = {
    "bt709": Colorspace.ITU709, "fcc": Colorspace.FCC, "bt470bg": Colorspace.ITU601, "smpte170m": Colorspace.ITU601,
    "smpte240m": Colorspace.SMPTE240M, "bt2020nc": Colorspace.BT2020, "bt2020c": Colorspace.BT2020,
}  # fmt: skip
_KR_KB = {
    Colorspace.ITU709: (0.2126, 0.0722),
    Colorspace.FCC: (0.30, 0.11),
    Colorspace.ITU601: (0.299, 0.114),
    Colorspace.SMPTE240M: (0.212, 0.087),
    Colorspace.BT2020: (0.2627, 0.0593),
}
EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP


@dataclass(frozen=True, slots=True)
class ColourTags:
    """What a file says about its colours, by FFmpeg's names; "" where it says nothing."""

    primaries: str = ""
    transfer: str = ""
    matrix: str = ""
    range: str = ""

    @property
    def hdr(self) -> bool:
        return self.transfer in HDR_TRANSFERS

    def numbers(self) -> tuple[int, int, int, int]:
        """(primaries, transfer, matrix, range) as H.273 / FFmpeg numbers, unspecified as 2 and range 0."""
        return (
            _number(PRIMARIES, self.primaries, 2),
            _number(TRANSFERS, self.transfer, 2),
            _number(MATRICES, self.matrix, 2),
            _number(RANGES, self.range, 0),
        )


def _number(names: dict[int, str], name: str, unspecified: int) -> int:
    return next((number for number, known in names.items() if known == name), unspecified)


def tags_of(frame: av.VideoFrame, context: av.VideoCodecContext) -> ColourTags:
    """The tags of a decoded frame; where the frame says nothing, of its stream."""
    full = frame.format.name.startswith("yuvj")
    return ColourTags(
        PRIMARIES.get(frame.color_primaries) or PRIMARIES.get(context.color_primaries, ""),
        TRANSFERS.get(frame.color_trc) or TRANSFERS.get(context.color_trc, ""),
        MATRICES.get(frame.colorspace) or MATRICES.get(context.colorspace, ""),
        "pc" if full else RANGES.get(frame.color_range) or RANGES.get(context.color_range, ""),
    )


def matrix_for(tags: ColourTags, width: int, height: int) -> Colorspace:
    """The YUV matrix to use. Unspecified means what players take: bt709 from 720p up, else bt601. Sizes in pixels."""
    guess = Colorspace.ITU709 if width >= 1280 or height > 576 else Colorspace.ITU601
    return _SWS.get(tags.matrix, guess)


def output_tags(tags: ColourTags, source_size: tuple[int, int], size: tuple[int, int]) -> ColourTags:
    """Tags to write on a result of `size` made from a source of `source_size`, both (width, height) in pixels.

    As the source has them. Two exceptions keep colours the same: an RGB source is written as bt709 YUV; a source that
    does not name its matrix gets it named if its size changes, since players guess by size.
    """
    matrix, scale = tags.matrix, tags.range
    if matrix in ("gbr", "ycgco"):
        return ColourTags(tags.primaries or "bt709", tags.transfer or "bt709", "bt709", "tv")
    if not matrix and source_size != size:
        matrix = {Colorspace.ITU709: "bt709"}.get(matrix_for(tags, *source_size), "smpte170m")
    return ColourTags(tags.primaries, tags.transfer, matrix, scale)


class ToRgb:
    """YUV frames of one video to RGB arrays. Keeps its scaler between frames."""

    def __init__(self) -> None:
        self._scaler = VideoReformatter()

    def __call__(self, frame: av.VideoFrame, tags: ColourTags, size: tuple[int, int] | None = None) -> np.ndarray:
        """`frame` as RGB uint8 (H, W, 3), scaled to `size` = (width, height) in the same step if given."""
        width, height = size or (frame.width, frame.height)
        matrix = matrix_for(tags, frame.width, frame.height)
        rgb = self._scaler.reformat(
            frame,
            width,
            height,
            "rgb24",
            src_colorspace=matrix,
            dst_colorspace=matrix,
            interpolation=EXACT,
            src_color_range=ColorRange.JPEG if _is_full(frame, tags) else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
        )
        return np.ascontiguousarray(rgb.to_ndarray())


def _is_full(frame: av.VideoFrame, tags: ColourTags) -> bool:
    return tags.range == "pc" or frame.format.is_rgb or frame.format.name.startswith(("yuvj", "pal", "mono"))


class ToYuv:
    """RGB arrays, or frames of a decoder whose colours are tagged `source`, to YUV frames for an encoder."""

    def __init__(
        self, tags: ColourTags, width: int, height: int, pix_fmt: str, source: ColourTags | None = None
    ) -> None:
        self._source = source or tags
        self._matrix = matrix_for(tags, width, height)
        self._full = tags.range == "pc"
        self._tags = tags.numbers()
        self._pix_fmt = pix_fmt
        self._scaler, self._native = VideoReformatter(), VideoReformatter()

    def __call__(self, rgb: np.ndarray) -> av.VideoFrame:
        """RGB uint8 (H, W, 3) as a tagged frame of the pixel format."""
        frame = self._full_range(rgb) if self._full else self._limited(rgb)
        frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range = self._tags
        return frame

    def native(self, frame: av.VideoFrame) -> av.VideoFrame:
        """`frame` itself, tagged, if it has the pixel format, matrix and range; else converted in one step."""
        full = _is_full(frame, self._source)
        matrix = self._matrix if frame.format.is_rgb else matrix_for(self._source, frame.width, frame.height)
        if frame.format.name != self._pix_fmt or full != self._full or matrix != self._matrix:
            frame = self._native.reformat(
                frame,
                format=self._pix_fmt,
                src_colorspace=matrix,
                dst_colorspace=self._matrix,
                interpolation=EXACT,
                src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
                dst_color_range=ColorRange.JPEG if self._full else ColorRange.MPEG,
            )
        frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range = self._tags
        return frame

    def _limited(self, rgb: np.ndarray) -> av.VideoFrame:
        return self._scaler.reformat(
            av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24"),
            format=self._pix_fmt,
            src_colorspace=self._matrix,
            dst_colorspace=self._matrix,
            interpolation=EXACT,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
        )

    def _full_range(self, rgb: np.ndarray) -> av.VideoFrame:
        """swscale cuts full-range chroma off instead of rounding it (half a level too low), so this is done here."""
        kr, kb = _KR_KB[self._matrix]
        luma = np.array([kr, 1 - kr - kb, kb])
        blue = (np.array([0, 0, 1]) - luma) / (2 - 2 * kb)
        red = (np.array([1, 0, 0]) - luma) / (2 - 2 * kr)
        rows = np.stack([np.append(luma, 0), np.append(blue, 128), np.append(red, 128)])
        yuv = cv2.split(cv2.transform(rgb, rows))
        if self._pix_fmt == "yuv420p":
            half = (rgb.shape[1] // 2, rgb.shape[0] // 2)
            yuv = [yuv[0], *(cv2.resize(plane, half, interpolation=cv2.INTER_AREA) for plane in yuv[1:])]
        frame = av.VideoFrame(rgb.shape[1], rgb.shape[0], self._pix_fmt)
        for plane, data in zip(frame.planes, yuv, strict=True):
            _fill(plane, data)
        return frame


def _fill(plane: av.video.plane.VideoPlane, data: np.ndarray) -> None:
    """Copy (h, w) uint8 into a plane whose lines may be longer than w."""
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    lines[: data.shape[0], : data.shape[1]] = data
