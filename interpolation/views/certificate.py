"""The certificate of a result in words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from engine.hdr import LUMINANCE

from ..templatetags.inbetween import fps

CHECKS = {
    "readable": gettext_lazy("Can be opened"),
    "frame_count": gettext_lazy("Frames"),
    "duration": gettext_lazy("Length"),
    "fps": gettext_lazy("Frame rate"),
    "width": gettext_lazy("Width"),
    "height": gettext_lazy("Height"),
    "sar": gettext_lazy("Shape of a pixel"),
    "codec": gettext_lazy("Coding"),
    "codec_tag": gettext_lazy("Mark of the coding"),
    "pix_fmt": gettext_lazy("Pixel format"),
    "bit_depth": gettext_lazy("Bit depth"),
    "alpha": gettext_lazy("Transparency"),
    "audio_streams": gettext_lazy("Sound tracks"),
    "subtitle_streams": gettext_lazy("Subtitle tracks"),
    "chapters": gettext_lazy("Chapters"),
    "av_offset": gettext_lazy("Sound begins after"),
    "color_primaries": gettext_lazy("Colour primaries"),
    "color_transfer": gettext_lazy("Colour transfer"),
    "color_matrix": gettext_lazy("Colour matrix"),
    "color_range": gettext_lazy("Colour range"),
    "mastering_display": gettext_lazy("HDR: screen it was made on"),
    "content_light": gettext_lazy("HDR: brightest"),
    "source_frames": gettext_lazy("Frames of the source that could be read"),
    "frames_left_out": gettext_lazy("Frames left out to be shown at most so fast"),
    "arithmetic": gettext_lazy("Drawn in"),
    "encoder": gettext_lazy("Encoded by"),
}
UNITS = {"duration": "s", "fps": "fps", "width": "px", "height": "px", "av_offset": "s", "bit_depth": "bits"}
NAMES = {
    "arithmetic": {
        "auto": gettext_lazy("automatic"),
        "int8": gettext_lazy("8 bits (int8)"),
        "bf16": gettext_lazy("16 bits (bf16)"),
        "float32": gettext_lazy("32 bits (float32)"),
        "bf16 cuda": gettext_lazy("16 bits (bf16), graphics card"),
        "float32 cuda": gettext_lazy("32 bits (float32), graphics card"),
    },
    "color_range": {"tv": gettext_lazy("limited (tv)"), "pc": gettext_lazy("full (pc)")},
    "encoder": {
        "auto": gettext_lazy("automatic"),
        "software": gettext_lazy("the processor"),
        "nvenc": gettext_lazy("the graphics card"),
        "libx264": gettext_lazy("x264 (processor)"),
        "libx265": gettext_lazy("x265 (processor)"),
        "libsvtav1": gettext_lazy("SVT-AV1 (processor)"),
        "libvpx-vp9": gettext_lazy("libvpx (processor)"),
        "prores_ks": gettext_lazy("prores_ks (processor)"),
        "png": gettext_lazy("the processor"),
        "h264_nvenc": gettext_lazy("NVENC (graphics card)"),
        "hevc_nvenc": gettext_lazy("NVENC (graphics card)"),
        "av1_nvenc": gettext_lazy("NVENC (graphics card)"),
    },
}
TOLD = ("arithmetic", "encoder", "frames_left_out", "source_frames")
COUNTS = ("audio_streams", "subtitle_streams", "chapters")


def certificate(data: dict[str, Any]) -> dict[str, Any]:
    """The certificate in words; without rows in which nothing is expected and nothing found.

    Rows: {"name", "expected", "found", "ok"}; with "told" where it is something that no file can be asked for.
    """
    rows = [
        check
        | {"name": CHECKS.get(name, name.replace("_", " "))}
        | ({"told": True} if name in TOLD else {})
        | {side: _value(name, check[side]) for side in ("expected", "found")}
        for check in data.get("checks") or []
        if (name := check["name"]) and not (check["ok"] and _nothing(name, check["found"]))
    ]
    return {"ok": data.get("ok", False), "checks": rows}


def _nothing(name: str, value: Any) -> bool:
    return value in ("", None) or (name == "alpha" and value is False) or (name == "subtitle_streams" and value == 0)


def _value(name: str, value: Any) -> str:
    if value in ("", None) or (name in COUNTS and value == 0):
        return _("none")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return _hdr(name, value)
    if isinstance(value, str) and value in NAMES.get(name, {}):
        return str(NAMES[name][value])
    text = fps(value) if isinstance(value, str) and "/" in value and fps(value) else str(value)
    return f"{text} {UNITS.get(name, '')}".strip()


def _hdr(name: str, value: list[int]) -> str:
    """What engine.hdr counts, in cd/m²: of the screen the luminance, of the film the brightest point and picture."""
    if name == "mastering_display" and len(value) == 10:
        least, most = value[9] / LUMINANCE, value[8] / LUMINANCE
        return _("%(least)g to %(most)g cd/m²") % {"least": least, "most": most}
    if name == "content_light" and len(value) == 2:
        return _("point %(point)d, picture %(picture)d cd/m²") % {"point": value[0], "picture": value[1]}
    return ", ".join(map(str, value))
