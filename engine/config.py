"""Settings of the engine as frozen dataclasses. Every one checks itself when made and raises BadOptionsError."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, field, fields
from fractions import Fraction
from typing import Any, Literal, get_args

from .errors import BadOptionsError
from .formats import check_options
from .translation import any_of
from .translation import gettext as _

Mode = Literal["smooth", "slow", "fps"]
CutPolicy = Literal["hold", "crossfade"]
SoundPolicy = Literal["keep", "stretch", "drop"]
DuplicatePolicy = Literal["keep", "retime", "drop"]
OutputFormat = Literal[
    "mp4_h264", "mp4_h265", "mp4_av1", "webm_vp9", "webm_av1", "mov_prores", "mov_prores4444", "gif", "webp", "png"
]
BitDepth = Literal["auto", "8", "10"]
Encoder = Literal["auto", "software", "nvenc"]

CHOICES = {
    "mode": get_args(Mode), "cut": get_args(CutPolicy), "sound": get_args(SoundPolicy),
    "duplicates": get_args(DuplicatePolicy), "format": get_args(OutputFormat),
    "bit_depth": get_args(BitDepth), "deinterlace": ("auto", "off"), "encoder": get_args(Encoder),
}  # fmt: skip

MAX_INBETWEEN = 10
MIN_SIDE, MAX_SIDE = 16, 8192
MAX_PIXELS = 8192 * 4320
MAX_SECONDS = 86_400
MIN_FPS, MAX_FPS = Fraction(1, 10), Fraction(480)


def parse_fps(value: str | int | float | Fraction) -> Fraction:
    """A frame rate as an exact fraction: "60000/1001", "59.94" (taken as 60000/1001), 25, Fraction(24).

    Raises:
        BadOptionsError: not a number, or outside 0.1-480 fps.
    """
    text = str(value).strip()
    try:
        near = None if "/" in text else float(text)
        if near is not None and math.isnan(near):
            raise ValueError(text)
        # Fraction writes out every digit of "1e999999999", which takes hours, so what is far out is not made one
        fps = Fraction(text) if near is None or 0.01 < near < 1000 else Fraction(0)
    except (ValueError, ZeroDivisionError) as error:
        raise BadOptionsError(
            _('"{value}" is not a frame rate. Give a number such as 60 or 60000/1001.').format(value=value)
        ) from error
    if not MIN_FPS <= fps <= MAX_FPS:
        raise BadOptionsError(_("{value} fps is out of range. Choose between 0.1 and 480 fps.").format(value=value))
    ntsc = Fraction(round(fps * 1001 / 1000) * 1000, 1001)  # 23.976, 29.97, 59.94 mean n*1000/1001
    return ntsc if fps.denominator != 1 and abs(fps - ntsc) < Fraction(6, 1000) and fps.denominator != 1001 else fps


def parse_seconds(value: str | int | float | Fraction) -> Fraction:
    """A time in a film as an exact fraction: "12.5", "0:12.5", "1:02:03", 12.5, "25/2"; at most a day.

    Raises:
        BadOptionsError: not a time.
    """
    try:
        seconds = Fraction(0)
        for part in str(value).strip().split(":"):
            if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?(/\d{1,9})?", part):
                raise ValueError(part)
            seconds = seconds * 60 + Fraction(part)
        if seconds > MAX_SECONDS:
            raise ValueError(value)
    except (ValueError, ZeroDivisionError) as error:
        raise BadOptionsError(
            _('"{value}" is not a time. Write seconds (12.5) or minutes (1:02.5).').format(value=value)
        ) from error
    return seconds


def parse_resolution(value: str | tuple[int, int]) -> tuple[int, int]:
    """ "1920x1080" or (1920, 1080) as (width, height) in pixels.

    Raises:
        BadOptionsError: not two whole numbers, or a side outside 16-8192, or more pixels than 8192x4320.
    """
    try:
        width, height = (int(side) for side in (value.lower().split("x") if isinstance(value, str) else value))
    except (ValueError, TypeError) as error:
        raise BadOptionsError(
            _('"{value}" is not a resolution. Write it as WIDTHxHEIGHT, for example 1280x720.').format(value=value)
        ) from error
    if not (MIN_SIDE <= width <= MAX_SIDE and MIN_SIDE <= height <= MAX_SIDE) or width * height > MAX_PIXELS:
        raise BadOptionsError(
            _(
                "{width}x{height} is out of range. Each side must be {min_side}-{max_side} pixels, at most "
                "8192x4320 in all."
            ).format(width=width, height=height, min_side=MIN_SIDE, max_side=MAX_SIDE)
        )
    return width, height


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """What to make of a source.

    mode "smooth": `inbetween` new frames in every gap, same duration, fps x (inbetween + 1).
    mode "slow": as many new frames, same fps, so (inbetween + 1) times as long.
    mode "fps": exactly `target_fps`, same duration; `inbetween` is ignored.
    For two pictures, mode and target_fps give the rate of the short film that is made of them.

    sound: "keep" where the duration stays (in slow motion it is dropped), "stretch" to the new duration without
        a change of pitch, or "drop".
    duplicates: repeated frames of the source: "keep" as pauses, "retime" so that motion is even (animation on twos), or
        "drop", which writes the source without them and draws nothing new.
    trim_start, trim_end: seconds of the source; what lies outside is left out, with its sound.
    loop: also draw the way from the last frame back to the first.
    quality: 0 smallest file - 100 best, whatever the codec; `crf`, the codec's own scale, overrides it. PNG has none.
    bit_depth: of the file; "auto" is the source's where the format holds it.
    """

    mode: Mode = "smooth"
    inbetween: int = 1
    target_fps: Fraction | None = None
    resolution: tuple[int, int] | None = None  # (width, height) in pixels; None keeps the source's
    model: str = "default"  # a name from engine.checkpoint.list_models
    cut: CutPolicy = "hold"
    crf: int | None = None  # for experts: the codec's own scale, 0-51 (H.264, H.265) or 0-63 (AV1, VP9), 0 best
    held_out: bool = True  # also hide real frames, draw them again and compare
    format: OutputFormat = "mp4_h264"
    quality: int = 80
    bit_depth: BitDepth = "auto"
    encoder: Encoder = "auto"  # auto: the graphics card's where there is one
    sound: SoundPolicy = "keep"
    duplicates: DuplicatePolicy = "keep"
    deinterlace: Literal["auto", "off"] = "auto"
    trim_start: Fraction | None = None
    trim_end: Fraction | None = None
    loop: bool = False

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                wanted = any_of(choices)
                raise BadOptionsError(
                    _('{name} = "{value}" is not known. Choose {wanted}.').format(
                        name=name, value=getattr(self, name), wanted=wanted
                    )
                )
        for name in ("trim_start", "trim_end"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, parse_seconds(getattr(self, name)))
        if self.trim_end is not None and self.trim_end <= (self.trim_start or 0):
            raise BadOptionsError(_("The end of the part to use lies before its start. Choose a later end."))
        if isinstance(self.quality, bool) or not isinstance(self.quality, int) or not 0 <= self.quality <= 100:
            raise BadOptionsError(
                _("quality = {quality} is out of range. Choose 0 (smallest file) to 100 (best).").format(
                    quality=self.quality
                )
            )
        if (
            isinstance(self.inbetween, bool)
            or not isinstance(self.inbetween, int)
            or not 1 <= self.inbetween <= MAX_INBETWEEN
        ):
            raise BadOptionsError(
                _("{inbetween} in-between frames is out of range. Choose 1 to {max_inbetween}.").format(
                    inbetween=self.inbetween, max_inbetween=MAX_INBETWEEN
                )
            )
        if self.duplicates == "drop" and (self.mode != "smooth" or self.loop):
            raise BadOptionsError(
                _(
                    "Taking out repeated frames draws nothing new. Choose the mode smooth without a loop for it, "
                    "or have repeated frames evened out (retime)."
                )
            )
        if self.mode == "fps" and self.target_fps is None:
            raise BadOptionsError(_("Exact-rate mode needs the frame rate to reach, for example 60."))
        if self.target_fps is not None:
            object.__setattr__(self, "target_fps", parse_fps(self.target_fps))
        if self.resolution is not None:
            object.__setattr__(self, "resolution", parse_resolution(self.resolution))
        check_options(self.format, self.crf, self.bit_depth, self.encoder)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_dict` gives the same options back."""
        data = asdict(self)
        for name in ("target_fps", "trim_start", "trim_end"):
            data[name] = str(data[name]) if data[name] is not None else None
        data["resolution"] = list(self.resolution) if self.resolution is not None else None
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RenderOptions:
        """Raises BadOptionsError for unknown keys and for values out of range."""
        unknown = set(data) - {field.name for field in fields(cls)}
        if unknown:
            raise BadOptionsError(_("Unknown settings: {names}.").format(names=", ".join(sorted(unknown))))
        values = dict(data)
        if values.get("resolution") is not None:
            values["resolution"] = tuple(values["resolution"])
        return cls(**values)


OPTIONAL_PARTS = ("stem", "detail", "wide")  # of flow_fusion; weights from before there was such a part lack it


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Which network, and how wide. Saved in every checkpoint, so that a file alone rebuilds its network."""

    arch: str = "flow_fusion"  # a name from engine.nets.ARCHITECTURES
    stem: int = 0  # of a frame seen at 1/2 size, as fast weights do; 0: as many as `half`, seen at full size
    half: int = 32  # channels at 1/2 size
    features: int = 32  # of a frame, at 1/4 size
    quarter: int = 48  # channels of the decoder at 1/4 size
    eighth: int = 64  # and at 1/8 size
    detail: int = 16  # of what decides how much of the finest detail is left out; 0: no such part
    wide: int = 48  # at 1/16 and 1/32 size, of what sees far around a place; 0: no such part

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelConfig:
        """As saved; what was saved before there was such a part has none."""
        return cls(**dict.fromkeys(OPTIONAL_PARTS, 0) | values)

    def __post_init__(self) -> None:
        for name in ("half", "features", "quarter", "eighth", *OPTIONAL_PARTS):
            absent = name in OPTIONAL_PARTS and getattr(self, name) == 0
            if not 4 <= getattr(self, name) <= 512 and not absent:
                raise BadOptionsError(
                    _("{name} = {value} channels is out of range. Choose 4 to 512.").format(
                        name=name, value=getattr(self, name)
                    )
                )


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One training run. Times are wall clock; a "step" is one optimiser update on `batch_size` crops."""

    model_path: str = "models/trained_model.pth"
    data_dirs: tuple[str, ...] = ()  # folders of frames or videos, or Vimeo-90K's layout
    photos: str | None = None  # folder of photographs as textures of synthetic scenes; None: procedural
    synthetic: bool = False  # train on scenes made on the fly, alone or mixed with data_dirs
    synthetic_share: float = 0.5  # of the samples, when both are used
    model: ModelConfig = field(default_factory=ModelConfig)
    epochs: int = 50
    steps_per_epoch: int = 500
    batch_size: int = 32
    crop: int = 128  # pixels, square, a multiple of 16
    lr: float = 1e-3  # peak
    lr_final: float = 0.02  # of lr, at the end of the cosine
    warmup_steps: int = 200
    weight_decay: float = 1e-4
    ema: float = 0.999  # decay of the averaged weights, which are what is saved and measured
    clip: float = 1.0  # gradient norm
    decibel_weight: float = 0.05  # of the logarithm of the squared error, beside the pyramid of absolute errors
    choice_weight: float = 1.0  # of the error that the chosen motions lead to
    flow_weight: float = 0.05  # of the supervised flow losses, where the true flow is known
    mask_weight: float = 0.01  # of the supervised mask loss, where it is known that one frame hides the point
    reuse: int = 4  # times each prepared sample is used, flipped and turned differently
    init: str | None = None  # weights to start from (fine-tuning): a fresh schedule
    resume: bool = False  # continue the interrupted run of model_path to the step
    device: str = "auto"
    bf16: bool | None = None  # None: where the processor is faster in it
    threads: int | None = None
    workers: int = 1  # processes that prepare samples; 0: in this one
    max_minutes: float | None = None
    seed: int = 0
    validation_triplets: int = 32  # kept apart; every epoch is measured on them

    def __post_init__(self) -> None:
        limits = {
            "epochs": (1, 100_000), "steps_per_epoch": (1, 1_000_000), "batch_size": (1, 1024), "crop": (32, 1024),
            "lr": (1e-8, 1.0), "synthetic_share": (0.0, 1.0), "workers": (0, 64), "reuse": (1, 1000),
            "validation_triplets": (1, 1000),
        }  # fmt: skip
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise BadOptionsError(
                    _("{name} = {value} is out of range. Choose {low} to {high}.").format(
                        name=name, value=value, low=low, high=high
                    )
                )
        if self.crop % 16:
            raise BadOptionsError(_("crop = {crop} must be a multiple of 16.").format(crop=self.crop))
        if not (self.synthetic or self.data_dirs):
            raise BadOptionsError(_("Nothing to train on. Name a data folder, or ask for synthetic scenes."))
        if self.max_minutes is not None and self.max_minutes <= 0:
            raise BadOptionsError(_("max_minutes must be above 0."))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_dict` gives the same configuration back."""
        return asdict(self) | {"data_dirs": list(self.data_dirs)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TrainConfig:
        """Raises BadOptionsError for unknown keys and for values out of range."""
        unknown = set(data) - {entry.name for entry in fields(cls)}
        if unknown:
            raise BadOptionsError(_("Unknown settings: {names}.").format(names=", ".join(sorted(unknown))))
        values = dict(data)
        if "data_dirs" in values:
            values["data_dirs"] = tuple(values["data_dirs"])
        if isinstance(values.get("model"), dict):
            values["model"] = ModelConfig.from_dict(values["model"])
        return cls(**values)
