"""What a result can be written as: one table, and from it the settings of an encoder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Literal

import av
import numpy as np

from .colour import ColourTags
from .errors import BadOptionsError
from .hdr import hdr_params
from .translation import any_of
from .translation import gettext as _

Kind = Literal["film", "gif", "webp", "png"]
SVT_AV1_FPS = 240  # it refuses more; it is told no more, and the times of the frames stay what they are
# Where the curves below are given; between them lie straight lines. At one quality the other codecs come as near to
# the pictures they are given as H.264 does (SSIM and PSNR on six clips).
QUALITIES = (0, 20, 40, 60, 80, 100)

# sound that may be copied; what is not in it is encoded anew
MP4_SOUND = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"})
MOV_SOUND = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be"})
WEBM_SOUND = frozenset({"opus", "vorbis"})

# (bits of a channel, alpha) -> pixel format; the second table is for pictures with an odd side where it differs
YUV = {(8, False): "yuv420p", (10, False): "yuv420p10le"}
ODD_YUV = {(8, False): "yuv444p", (10, False): "yuv444p10le"}
P010 = {(8, False): "yuv420p", (10, False): "p010le"}
PRORES = {(10, False): "yuv444p10le", (10, True): "yuva444p10le"}
RGB = {(8, False): "rgb24", (8, True): "rgba", (10, False): "rgb48be", (10, True): "rgba64be"}


@dataclass(frozen=True, slots=True)
class Format:
    """One line of the table.

    label: for people. container: FFmpeg's muxer of the file, "" where it is no film. codec: as `probe` names it.
    tag: the codec's four letters in MP4 and MOV. segment: suffix of the files it is joined from; those hold the codec
    itself, or, for GIF, WebP and PNG, PNG pictures in a MOV. browser: whether browsers play it as it is.
    depths: bits of a channel it can have; 10 stands for all above 8 (PNG: 16). auto_depths: those of them it gets
    without being asked for.
    unit: what it counts time in, seconds; 0 where the unit is made to fit.
    most_fps: frames a second that it can hold, or that browsers show at their speed (what lasts 10 ms or less they show
    for 100); 0: any. A film that has more is refused, of an animation frames are left out.
    crf: (best, worst) of the encoder's scale. curve: CRF at each of QUALITIES.
    sound: codecs that are copied into it. sound_encoder: of all others; "" means that it has no sound.
    """

    name: str
    label: str
    suffix: str
    mime: str
    codec: str
    encoder: str
    kind: Kind = "film"
    container: str = ""
    tag: str = ""
    segment: str = ".mp4"
    browser: bool = False
    pixel_shape: bool = False  # whether pixels may be wider or narrower than high: only where the codec itself says so
    nvenc: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    pix_fmts: Mapping[tuple[int, bool], str] = field(default_factory=lambda: YUV)
    odd_pix_fmts: Mapping[tuple[int, bool], str] = field(default_factory=dict)
    depths: tuple[int, ...] = (8, 10)
    auto_depths: tuple[int, ...] = (8, 10)
    alpha: bool = False
    unit: Fraction = Fraction(0)
    most_fps: int = 0
    crf: tuple[int, int] | None = None
    curve: tuple[int, ...] = ()
    sound: frozenset[str] = frozenset()
    sound_encoder: str = ""

    def tags(self, tags: ColourTags) -> ColourTags:
        """Those of `tags` that go in: ProRes is always limited in range; pictures are RGB, as screens take it to be,
        and only HDR has to be told.
        """
        if self.codec == "prores":
            return replace(tags, range="tv")
        if self.kind != "film":
            known = (tags.primaries, tags.transfer) if tags.hdr else ("", "")
            return ColourTags(*known, "gbr", "pc")
        return tags

    def leaves_out(self, fps: Fraction, *, even: bool) -> bool:
        """Whether a file may have fewer frames than it was made from: WebP shows one of several alike for longer, GIF
        one of several that come too fast."""
        return self.kind == "webp" or (self.kind == "gif" and (fps > self.most_fps or not even))

    def too_fast(self, fps: Fraction) -> str:
        """Why a film with `fps` frames a second, where they come fastest, cannot be written, in words; "" if it can."""
        if self.kind != "film" or not self.most_fps or fps <= self.most_fps:
            return ""
        return _(
            "{label} counts time in milliseconds, and with {fps:.6g} frames a second two would fall into one. Choose "
            "MP4, fewer in-between frames, or an exact rate of 480 fps or less."
        ).format(label=self.label, fps=float(fps))

    @property
    def writable_depths(self) -> tuple[int, ...]:
        """`depths` as far as the encoder that is installed has them: libvpx comes with 8 bits only, or with more."""
        able = {pixel.name for pixel in av.Codec(self.encoder, "w").video_formats or []}
        return tuple(bits for bits in self.depths if self.pix_fmts[bits, False] in able)


os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 tells its life on stderr: errors only
_X265 = "log-level=none:info=0:open-gop=0"

FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        Format(
            "mp4_h264", "MP4, H.264", ".mp4", "video/mp4", "h264", "libx264", container="mp4", tag="avc1", browser=True,
            pixel_shape=True,
            nvenc="h264_nvenc", settings={"preset": "fast"}, odd_pix_fmts=ODD_YUV, auto_depths=(8,),
            crf=(0, 51), curve=(42, 36, 30, 24, 18, 8), sound=MP4_SOUND, sound_encoder="aac",
        ),
        Format(
            "mp4_h265", "MP4, H.265", ".mp4", "video/mp4", "hevc", "libx265", container="mp4", tag="hvc1",
            pixel_shape=True,
            nvenc="hevc_nvenc", settings={"preset": "fast", "x265-params": _X265}, odd_pix_fmts=ODD_YUV,
            crf=(0, 51), curve=(44, 38, 31, 24, 18, 7), sound=MP4_SOUND, sound_encoder="aac",
        ),
        Format(
            "mp4_av1", "MP4, AV1", ".mp4", "video/mp4", "av1", "libsvtav1", container="mp4", tag="av01", browser=True,
            nvenc="av1_nvenc", settings={"preset": "8"},
            crf=(0, 63), curve=(63, 60, 51, 37, 22, 5), sound=MP4_SOUND, sound_encoder="aac",
        ),
        Format(
            "webm_vp9", "WebM, VP9", ".webm", "video/webm", "vp9", "libvpx-vp9", container="webm", browser=True,
            unit=Fraction(1, 1000), most_fps=1000,
            settings={"deadline": "good", "cpu-used": "4", "row-mt": "1", "b": "0"},
            crf=(0, 63), curve=(63, 58, 47, 35, 22, 5), sound=WEBM_SOUND, sound_encoder="libopus",
        ),
        Format(
            "webm_av1", "WebM, AV1", ".webm", "video/webm", "av1", "libsvtav1", container="webm", browser=True,
            unit=Fraction(1, 1000), most_fps=1000, nvenc="av1_nvenc", settings={"preset": "8"},
            crf=(0, 63), curve=(63, 60, 51, 37, 22, 5), sound=WEBM_SOUND, sound_encoder="libopus",
        ),
        Format(
            "mov_prores", "MOV, ProRes 422", ".mov", "video/quicktime", "prores", "prores_ks", container="mov",
            tag="apch", segment=".mov", pix_fmts={(10, False): "yuv422p10le"}, depths=(10,), auto_depths=(10,),
            sound=MOV_SOUND, sound_encoder="pcm_s16le",
        ),
        Format(
            "mov_prores4444", "MOV, ProRes 4444", ".mov", "video/quicktime", "prores", "prores_ks", container="mov",
            tag="ap4h", segment=".mov", pix_fmts=PRORES,
            depths=(10,), auto_depths=(10,), alpha=True, sound=MOV_SOUND, sound_encoder="pcm_s16le",
        ),
        Format(
            "gif", "GIF", ".gif", "image/gif", "gif", "png", kind="gif", tag="png ", segment=".mov", browser=True,
            unit=Fraction(1, 100), most_fps=50, pix_fmts=RGB, depths=(8,), auto_depths=(8,), alpha=True,
        ),
        Format(
            "webp", "WebP", ".webp", "image/webp", "webp", "png", kind="webp", tag="png ", segment=".mov", browser=True,
            unit=Fraction(1, 1000), most_fps=90, pix_fmts=RGB, depths=(8,), auto_depths=(8,), alpha=True,
        ),
        Format(
            "png", "PNG pictures (zip)", ".zip", "application/zip", "png", "png", kind="png", tag="png ",
            segment=".mov", pix_fmts=RGB, alpha=True,
        ),
    )
}  # fmt: skip

SUFFIXES = {".mp4": "mp4_h264", ".m4v": "mp4_h264", ".webm": "webm_vp9", ".mov": "mov_prores", ".gif": "gif",
            ".webp": "webp", ".zip": "png"}  # fmt: skip
NVENC_SIDE = 160  # pixels: smaller pictures are refused by some cards
PRORES_PROFILES = {  # (from which quality on, prores_ks' profile, tag)
    "mov_prores": ((0, "proxy", "apco"), (20, "lt", "apcs"), (40, "standard", "apcn"), (60, "hq", "apch")),
    "mov_prores4444": ((0, "4444", "ap4h"), (95, "4444xq", "ap4x")),
}


@dataclass(frozen=True, slots=True)
class Encoding:
    """The settings of one encoder, the same for all segments of a result.

    encoder: FFmpeg's name for it. bits: of a channel, 8 or 10 (which is 16 in a PNG). options: of the encoder.
    """

    format: Format
    encoder: str
    bits: int
    quality: int
    tag: str
    options: Mapping[str, str]

    def pix_fmt(self, width: int, height: int, *, alpha: bool) -> str:
        """The pixel format for pictures of this size; alpha only where the format holds it."""
        kind = (self.bits, alpha and self.format.alpha)
        if self.encoder == self.format.nvenc:
            return P010[kind]
        odd = width % 2 or height % 2
        return self.format.odd_pix_fmts.get(kind, self.format.pix_fmts[kind]) if odd else self.format.pix_fmts[kind]

    def told_fps(self, fps: Fraction) -> Fraction:
        """The rate to tell the encoder, which only reckons bits by it."""
        return min(fps, Fraction(SVT_AV1_FPS)) if self.encoder == "libsvtav1" else fps

    def found_as(self, width: int, height: int, *, alpha: bool) -> str:
        """The pixel format that a decoder gives of it: of ProRes 4444 FFmpeg makes 12 bits."""
        written = self.pix_fmt(width, height, alpha=alpha)
        if self.format.name == "mov_prores4444":
            return written.replace("10le", "12le")
        return {"p010le": "yuv420p10le"}.get(written, written)

    def identity(self) -> list[object]:
        """Changes with whatever makes a segment unfit to be joined to another."""
        return [self.format.name, self.encoder, self.bits, self.tag, dict(self.options)]


def plain_h264(crf: int, preset: str = "fast") -> Encoding:
    """H.264 of 8 bits in MP4, by x264."""
    entry = FORMATS["mp4_h264"]
    return Encoding(entry, entry.encoder, 8, 80, entry.tag, {"crf": str(crf), "preset": preset})


def format_for(path: str | Path) -> str:
    """The name of the format that a file called `path` has unless another is asked for.

    Raises:
        BadOptionsError: another suffix than those of the table.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        known = f"{', '.join(list(SUFFIXES)[:-1])} or {list(SUFFIXES)[-1]}"
        raise BadOptionsError(
            _('Nothing is known about files that end in "{suffix}". Let the name end in {known}.').format(
                suffix=suffix, known=known
            )
        )
    return SUFFIXES[suffix]


def check_options(name: str, crf: int | None, bit_depth: str, encoder: str) -> None:
    """Raises BadOptionsError where these settings do not go with the format called `name`."""
    entry = FORMATS[name]
    if crf is not None:
        if entry.crf is None:
            raise BadOptionsError(
                _("{label} has no CRF. Leave it out and use quality, 0 to 100.").format(label=entry.label)
            )
        best, worst = entry.crf
        if isinstance(crf, bool) or not isinstance(crf, int) or not best <= crf <= worst:
            raise BadOptionsError(
                _("CRF {crf} is out of range. For {label} choose {best} (best) to {worst} (smallest file).").format(
                    crf=crf, label=entry.label, best=best, worst=worst
                )
            )
    if bit_depth != "auto" and int(bit_depth) not in entry.writable_depths:
        holds = any_of([str(bits) for bits in entry.writable_depths])
        raise BadOptionsError(
            _("{label} is written with {holds} bits a channel. Choose {holds}, or auto.").format(
                label=entry.label, holds=holds
            )
        )
    if encoder == "nvenc" and not entry.nvenc:
        able = ", ".join(one.label for one in FORMATS.values() if one.nvenc)
        raise BadOptionsError(
            _("NVENC does not write {label}, but {able}. Choose encoder auto or software.").format(
                label=entry.label, able=able
            )
        )


def encoding_for(
    name: str,
    size: tuple[int, int],
    *,
    quality: int = 80,
    crf: int | None = None,
    bit_depth: str = "auto",
    encoder: str = "auto",
    source_bits: int = 8,
    mastering_display: Sequence[int] | None = None,
    content_light: Sequence[int] | None = None,
) -> Encoding:
    """The settings for a result of `size` = (width, height) in pixels made from pictures with `source_bits` a channel.

    mastering_display, content_light: of the source, as engine.hdr says. The rest are fields of `RenderOptions`.

    Raises:
        BadOptionsError: as `check_options`; or NVENC is asked for and no card here does it.
    """
    check_options(name, crf, bit_depth, encoder)
    entry = FORMATS[name]
    bits = int(bit_depth) if bit_depth != "auto" else _depth(entry, source_bits)
    level = crf if crf is not None else crf_for(entry, quality)
    if encoder == "nvenc":
        _check_nvenc(entry, size, bits)
    if encoder != "software" and entry.nvenc and _fits_nvenc(size) and usable(entry.nvenc, P010[bits, False]):
        cq = {"preset": "p5", "rc": "vbr", "cq": str(min(51, level)), "b": "0"}
        return Encoding(entry, entry.nvenc, bits, quality, entry.tag, cq)
    options, tag = dict(entry.settings), entry.tag
    if name in PRORES_PROFILES:
        options["profile"], tag = [rest for least, *rest in PRORES_PROFILES[name] if quality >= least][-1]
    elif entry.crf is not None:
        options["crf"] = str(level)
    option, told = hdr_params(entry.encoder, mastering_display, content_light)
    if told:
        options[option] = ":".join(filter(None, [options.get(option), told]))
    return Encoding(entry, entry.encoder, bits, quality, tag, options)


def crf_for(entry: Format, quality: int) -> int:
    """The CRF behind the slider; 0 for formats without."""
    return round(float(np.interp(quality, QUALITIES, entry.curve))) if entry.curve else 0


def _depth(entry: Format, source_bits: int) -> int:
    """The depth nearest to the source's among those the format takes without being asked."""
    able = [bits for bits in entry.auto_depths if bits in entry.writable_depths]
    return max(able) if source_bits > 8 else min(able)


def _fits_nvenc(size: tuple[int, int]) -> bool:
    return not size[0] % 2 and not size[1] % 2 and min(size) >= NVENC_SIDE


def _check_nvenc(entry: Format, size: tuple[int, int], bits: int) -> None:
    if not _fits_nvenc(size):
        raise BadOptionsError(
            _(
                "NVENC does not write {width}x{height} pictures. Choose even sides of at least {nvenc_side} "
                "pixels, or encoder auto or software."
            ).format(width=size[0], height=size[1], nvenc_side=NVENC_SIDE)
        )
    if not usable(entry.nvenc, P010[bits, False]):
        raise BadOptionsError(
            _(
                "No graphics card here encodes {label} with {bits} bits (NVENC). Choose encoder auto or software."
            ).format(label=entry.label, bits=bits)
        )


@cache
def usable(encoder: str, pix_fmt: str = "yuv420p") -> bool:
    """Whether `encoder` really encodes here: one frame of 256x256 is tried, once per process."""
    try:
        context = av.CodecContext.create(encoder, "w")
        if not isinstance(context, av.VideoCodecContext):
            return False
        context.width, context.height, context.pix_fmt = 256, 256, pix_fmt
        context.time_base = Fraction(1, 25)
        frame = av.VideoFrame(256, 256, pix_fmt)
        frame.pts = 0
        return bool([*context.encode(frame), *context.encode(None)])
    except (av.FFmpegError, ValueError, OSError):
        return False
