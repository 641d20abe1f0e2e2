"""What a video is: the answer of `probe`, as it is kept in the database and shown before a job."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Any

from .colour import HDR_TRANSFERS, ColourTags
from .interlace import FieldOrder

_FRACTIONS = ("sar", "duration", "fps", "time_base", "start")


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """A video as it will be read.

    width, height: in pixels, as displayed (after rotation, before `sar`).
    rotation: degrees anticlockwise that reading applies: 0, 90, 180 or 270. mirrored: flipped as well.
    sar: shape of a pixel, width / height, as displayed. duration: of the picture track, seconds.
    fps: exact rate; of a VFR file the average, frame_count / duration.
    time_base: unit of the file's timestamps, seconds. start: time stamp of the first frame, seconds.
    interlaced: as its pictures show, whatever the file says; field_order: then "tff" or "bff", which field comes first.
    alpha: it can be transparent. chroma_site: as `colour.chroma_site` says.
    codec_tag: four letters, of MP4 and MOV. mastering_display, content_light: of HDR10, as engine.hdr says.
    audio: [{codec, channels, sample_rate, duration, start, language}]; duration and start in seconds, start relative
    to the first frame. subtitles: [{codec, language}]. chapters: [{start, end, title}], seconds.
    notes: what a person should know before using it, in words.
    """

    container: str
    codec: str
    width: int
    height: int
    rotation: int
    mirrored: bool
    sar: Fraction
    frame_count: int
    duration: Fraction
    fps: Fraction
    is_vfr: bool
    time_base: Fraction
    start: Fraction
    pix_fmt: str
    bit_depth: int
    color_primaries: str
    color_transfer: str
    color_matrix: str
    color_range: str
    interlaced: bool
    size_bytes: int
    field_order: FieldOrder = "progressive"
    alpha: bool = False
    chroma_site: str = "left"
    codec_tag: str = ""
    mastering_display: list[int] | None = None
    content_light: list[int] | None = None
    audio: list[dict[str, Any]] = field(default_factory=list)
    subtitles: list[dict[str, Any]] = field(default_factory=list)
    chapters: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def hdr(self) -> bool:
        """PQ (HDR10) or HLG."""
        return self.color_transfer in HDR_TRANSFERS

    @property
    def colour(self) -> ColourTags:
        return ColourTags(self.color_primaries, self.color_transfer, self.color_matrix, self.color_range)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; fractions as "n/d". Carries `hdr` for readers; `from_dict` gives the same info back."""
        data = {item.name: getattr(self, item.name) for item in fields(self)}
        for name in _FRACTIONS:
            data[name] = f"{data[name].numerator}/{data[name].denominator}"
        return {**data, "hdr": self.hdr}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> VideoInfo:
        """The info that `to_dict` was made from. Raises KeyError / TypeError for anything else."""
        values = {key: value for key, value in data.items() if key != "hdr"}
        for name in _FRACTIONS:
            values[name] = Fraction(values[name])
        return cls(**values)
