"""HDR10's static metadata: how bright and colourful the screen was on which a film was made, how bright the film is.

A mastering display is ten whole numbers, as SMPTE ST 2086 counts: x and y of green, blue, red and white in 1/50000,
then the greatest and the least luminance in 1/10000 cd/m². Content light is (MaxCLL, MaxFALL) in cd/m².
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any

import av
from av.sidedata.sidedata import Type

CHROMATICITY, LUMINANCE = 50_000, 10_000  # units in 1, and in 1 cd/m²
_DISPLAY = struct.Struct("20i2i")  # AVMasteringDisplayMetadata: ten fractions, and which of them are known
_LIGHT = struct.Struct("2I")
_GREEN_BLUE_RED = (1, 2, 0)
WRITERS = ("libx264", "libx265", "libsvtav1")  # encoders that are told by their options


def mastering_display(frame: av.VideoFrame) -> list[int] | None:
    """Of a decoded frame; None if nothing, or not all, is known."""
    data = _side(frame, Type.MASTERING_DISPLAY_METADATA, _DISPLAY)
    if data is None or not (data[20] and data[21]):
        return None
    values = [top / bottom if bottom else 0.0 for top, bottom in zip(data[0:20:2], data[1:20:2], strict=True)]
    corners = [value for colour in _GREEN_BLUE_RED for value in values[2 * colour : 2 * colour + 2]]
    least, greatest = values[8], values[9]
    return [round(x * CHROMATICITY) for x in [*corners, *values[6:8]]] + [
        round(x * LUMINANCE) for x in (greatest, least)
    ]


def content_light(frame: av.VideoFrame) -> list[int] | None:
    """Of a decoded frame."""
    data = _side(frame, Type.CONTENT_LIGHT_LEVEL, _LIGHT)
    return list(data) if data is not None else None


def _side(frame: av.VideoFrame, kind: Type, layout: struct.Struct) -> tuple[Any, ...] | None:
    sides: Iterable[Any] = frame.side_data  # typed as a dict of names; it is a list of buffers
    data = next((bytes(side) for side in sides if side.type == kind), b"")
    return layout.unpack(data[: layout.size]) if len(data) >= layout.size else None


def same_display(wanted: Sequence[int] | None, found: Sequence[int] | None) -> bool:
    """Whether they agree as far as codecs can say: AV1 counts luminance in 1/256 cd/m² and chromaticity in 1/65536."""
    if wanted is None or found is None:
        return wanted is found
    slack = [1] * 8 + [LUMINANCE // 256, 1]
    return all(abs(a - b) <= most for a, b, most in zip(wanted, found, slack, strict=True))


def hdr_params(encoder: str, display: Sequence[int] | None, light: Sequence[int] | None) -> tuple[str, str]:
    """(option, value) that tells `encoder` both, in its own words; ("", "") for encoders that cannot be told."""
    if encoder not in WRITERS or (display is None and light is None):
        return "", ""
    option = {"libx264": "x264-params", "libx265": "x265-params", "libsvtav1": "svtav1-params"}[encoder]
    names = {"libx264": ("mastering-display", "cll"), "libx265": ("master-display", "max-cll")}
    screen, level = names.get(encoder, ("mastering-display", "content-light"))
    said = [f"{screen}={_screen(display, plain=encoder == 'libsvtav1')}"] if display is not None else []
    said += [f"{level}={light[0]},{light[1]}"] if light is not None else []
    return option, ":".join(said)


def _screen(display: Sequence[int], *, plain: bool) -> str:
    """G(x,y)B(x,y)R(x,y)WP(x,y)L(greatest,least); plain: as 1 and cd/m² instead of units."""
    units = [CHROMATICITY] * 8 + [LUMINANCE] * 2
    numbers = (
        [f"{value / unit:.5f}" for value, unit in zip(display, units, strict=True)]
        if plain
        else list(map(str, display))
    )
    pairs = [",".join(numbers[place : place + 2]) for place in range(0, 10, 2)]
    return "".join(f"{name}({pair})" for name, pair in zip(("G", "B", "R", "WP", "L"), pairs, strict=True))
