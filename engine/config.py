"""Settings of the engine as frozen dataclasses. Every one checks itself when made and raises BadOptionsError."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from typing import Any, Literal

from .errors import BadOptionsError

Mode = Literal["smooth", "slow", "fps"]
CutPolicy = Literal["hold", "crossfade"]

MAX_INBETWEEN = 10
MIN_SIDE, MAX_SIDE = 16, 8192
MAX_PIXELS = 8192 * 4320
MIN_FPS, MAX_FPS = Fraction(1, 10), Fraction(480)


def parse_fps(value: str | int | float | Fraction) -> Fraction:
    """A frame rate as an exact fraction: "60000/1001", "59.94" (taken as 60000/1001), 25, Fraction(24).

    Raises:
        BadOptionsError: not a number, or outside 0.1-480 fps.
    """
    try:
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(value)
        fps = Fraction(str(value).strip())
    except (ValueError, ZeroDivisionError) as error:
        raise BadOptionsError(f'"{value}" is not a frame rate. Give a number such as 60 or 60000/1001.') from error
    if not MIN_FPS <= fps <= MAX_FPS:
        raise BadOptionsError(f"{value} fps is out of range. Choose between 0.1 and 480 fps.")
    ntsc = Fraction(round(fps * 1001 / 1000) * 1000, 1001)  # 23.976, 29.97, 59.94 mean n*1000/1001
    return ntsc if fps.denominator != 1 and abs(fps - ntsc) < Fraction(6, 1000) and fps.denominator != 1001 else fps


def parse_resolution(value: str | tuple[int, int]) -> tuple[int, int]:
    """ "1920x1080" or (1920, 1080) as (width, height) in pixels.

    Raises:
        BadOptionsError: not two whole numbers, or a side outside 16-8192, or more pixels than 8192x4320.
    """
    try:
        width, height = (int(side) for side in (value.lower().split("x") if isinstance(value, str) else value))
    except (ValueError, TypeError) as error:
        raise BadOptionsError(f'"{value}" is not a resolution. Write it as WIDTHxHEIGHT, for example 1280x720.') from error
    if not (MIN_SIDE <= width <= MAX_SIDE and MIN_SIDE <= height <= MAX_SIDE) or width * height > MAX_PIXELS:
        raise BadOptionsError(
            f"{width}x{height} is out of range. Each side must be {MIN_SIDE}-{MAX_SIDE} pixels, at most 8192x4320 in all."
        )
    return width, height


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """What to make of a source.

    mode "smooth": `inbetween` new frames in every gap, same duration, fps x (inbetween + 1).
    mode "slow": as many new frames, same fps, so (inbetween + 1) times as long; sound is dropped.
    mode "fps": exactly `target_fps`, same duration; `inbetween` is ignored.
    For two pictures, mode and target_fps give the rate of the short film that is made of them.
    """

    mode: Mode = "smooth"
    inbetween: int = 1
    target_fps: Fraction | None = None
    resolution: tuple[int, int] | None = None  # (width, height) in pixels; None keeps the source's
    model: str = "default"  # a name from engine.checkpoint.list_models
    cut: CutPolicy = "hold"
    crf: int = 18  # x264's scale, 0 lossless - 51 worst
    held_out: bool = True  # also hide real frames, draw them again and compare

    def __post_init__(self) -> None:
        if self.mode not in ("smooth", "slow", "fps"):
            raise BadOptionsError(f'"{self.mode}" is not a mode. Choose smooth, slow or fps.')
        if isinstance(self.inbetween, bool) or not isinstance(self.inbetween, int) or not 1 <= self.inbetween <= MAX_INBETWEEN:
            raise BadOptionsError(f"{self.inbetween} in-between frames is out of range. Choose 1 to {MAX_INBETWEEN}.")
        if self.mode == "fps" and self.target_fps is None:
            raise BadOptionsError("Exact-rate mode needs the frame rate to reach, for example 60.")
        if self.target_fps is not None:
            object.__setattr__(self, "target_fps", parse_fps(self.target_fps))
        if self.resolution is not None:
            object.__setattr__(self, "resolution", parse_resolution(self.resolution))
        if self.cut not in ("hold", "crossfade"):
            raise BadOptionsError(f'"{self.cut}" is not a way to treat cuts. Choose hold or crossfade.')
        if not 0 <= self.crf <= 51:
            raise BadOptionsError(f"CRF {self.crf} is out of range. Choose 0 (lossless) to 51.")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_dict` gives the same options back."""
        data = asdict(self)
        data["target_fps"] = str(self.target_fps) if self.target_fps is not None else None
        data["resolution"] = list(self.resolution) if self.resolution is not None else None
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RenderOptions:
        """Raises BadOptionsError for unknown keys and for values out of range."""
        unknown = set(data) - {field.name for field in fields(cls)}
        if unknown:
            raise BadOptionsError(f"Unknown settings: {', '.join(sorted(unknown))}.")
        values = dict(data)
        if values.get("resolution") is not None:
            values["resolution"] = tuple(values["resolution"])
        return cls(**values)
