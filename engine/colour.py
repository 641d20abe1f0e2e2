"""Colour between the YUV of video files and the RGB the engine works in, the same way in both directions.

Convention: RGB is uint8 or uint16, full range, in the source's own primaries and transfer (nothing is tone-mapped).
Only the matrix (bt709, bt601, bt2020) and the range (limited "tv", full "pc") take part in the conversion.
swscale's default flags darken luma by a whole level on average and halve the chroma; the flags below do not.
The way to YUV is in yuv.py.
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

RGB_FORMATS = {(False, False): "rgb24", (False, True): "rgba", (True, False): "rgb48le", (True, True): "rgba64le"}

_SWS = {
    "bt709": Colorspace.ITU709, "fcc": Colorspace.FCC, "bt470bg": Colorspace.ITU601, "smpte170m": Colorspace.ITU601,
    "smpte240m": Colorspace.SMPTE240M, "bt2020nc": Colorspace.BT2020, "bt2020c": Colorspace.BT2020,
}  # fmt: skip
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

    def __call__(
        self,
        frame: av.VideoFrame,
        tags: ColourTags,
        size: tuple[int, int] | None = None,
        *,
        deep: bool = False,
        alpha: bool = False,
    ) -> np.ndarray:
        """`frame` as RGB uint8 (H, W, 3), scaled to `size` = (width, height) in the same step if given.

        deep: as uint16 over its whole range. alpha: with a fourth channel.
        """
        width, height = size or (frame.width, frame.height)
        matrix, full = matrix_for(tags, frame.width, frame.height), is_full(frame, tags)
        planar = not (deep or alpha or frame.format.is_rgb)
        rgb = self._scaler.reformat(
            frame,
            width,
            height,
            "gbrp" if planar else RGB_FORMATS[deep, alpha],
            src_colorspace=matrix,
            dst_colorspace=matrix,
            interpolation=EXACT,
            src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
        )
        if planar:
            return _merged(rgb)
        picture = np.ascontiguousarray(rgb.to_ndarray())
        return _whole_range(picture, frame, full) if deep else picture


def _merged(frame: av.VideoFrame) -> np.ndarray:
    """ "gbrp" as (H, W, 3). For swscale the way over planes is half the work, with the same numbers in the end."""
    green, blue, red = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
        for plane in frame.planes
    )
    return cv2.merge([red, green, blue])


class ToSize:
    """YUV frames of one video to another size, colours as they are. Keeps its scaler between frames."""

    def __init__(self) -> None:
        self._scaler = VideoReformatter()

    def __call__(self, frame: av.VideoFrame, tags: ColourTags, size: tuple[int, int]) -> av.VideoFrame:
        """`frame` at `size` = (width, height) in pixels: itself, if it has that size."""
        if (frame.width, frame.height) == size:
            return frame
        matrix = matrix_for(tags, frame.width, frame.height)
        levels = ColorRange.JPEG if is_full(frame, tags) else ColorRange.MPEG
        return self._scaler.reformat(
            frame,
            *size,
            frame.format.name,
            src_colorspace=matrix,
            dst_colorspace=matrix,
            interpolation=EXACT,
            src_color_range=levels,
            dst_color_range=levels,
        )


def _whole_range(picture: np.ndarray, frame: av.VideoFrame, full: bool) -> np.ndarray:
    """swscale's white is not 65535 but a shifted 255 (limited YUV), or the largest number of the source, shifted."""
    bits = max(part.bits for part in frame.format.components)
    shifted = ((1 << bits) - 1) << (16 - bits)
    white = 65535 if frame.format.is_rgb and bits > 8 else shifted if full else 255 << 8
    factors = [65535 / white] * 3 + [65535 / shifted] * (picture.shape[2] - 3)
    return picture if set(factors) == {1.0} else cv2.transform(picture, np.diag(factors))


def is_full(frame: av.VideoFrame, tags: ColourTags) -> bool:
    return tags.range == "pc" or frame.format.is_rgb or frame.format.name.startswith(("yuvj", "pal", "mono"))


def chroma_site(frame: av.VideoFrame) -> str:
    """Where `ToRgb` takes the colour samples of frames like this one to lie: "left" (between two lines), "topleft",
    "top" or "center" of the points they belong to. "" for frames with one of them for every point.

    Tried out on a copy that holds one red point, since a frame does not tell what its decoder said.
    """
    if not (frame.format.chroma_width(2) == 1 or frame.format.chroma_height(2) == 1) or frame.format.is_rgb:
        return ""
    trial = VideoReformatter().reformat(frame, 16, 16, "yuv420p", interpolation=Interpolation.POINT)
    for plane, level in zip(trial.planes, (128, 128, 128), strict=True):
        np.frombuffer(memoryview(plane), np.uint8)[:] = level
    lines = np.frombuffer(memoryview(trial.planes[2]), np.uint8).reshape(-1, trial.planes[2].line_size)
    lines[4, 4] = 220  # belongs to points 8 and 9 of lines 8 and 9
    red = ToRgb()(trial, ColourTags(matrix="bt709", range="pc"))[..., 0].astype(float) - 128
    across, down = red[8, 9] < red[8, 8] - 2, red[9, 8] < red[8, 8] - 2
    return ("topleft" if down else "left") if across else ("top" if down else "center")
