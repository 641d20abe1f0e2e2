"""The certificate of a result in words."""

from __future__ import annotations

from typing import Any

from engine.hdr import LUMINANCE

from ..templatetags.inbetween import fps

CHECKS = {
    "readable": "Can be opened",
    "frame_count": "Frames",
    "duration": "Length",
    "fps": "Frame rate",
    "width": "Width",
    "height": "Height",
    "sar": "Shape of a pixel",
    "codec": "Coding",
    "codec_tag": "Mark of the coding",
    "pix_fmt": "Pixel format",
    "bit_depth": "Bit depth",
    "alpha": "Transparency",
    "audio_streams": "Sound tracks",
    "subtitle_streams": "Subtitle tracks",
    "chapters": "Chapters",
    "av_offset": "Sound begins after",
    "color_primaries": "Colour primaries",
    "color_transfer": "Colour transfer",
    "color_matrix": "Colour matrix",
    "color_range": "Colour range",
    "mastering_display": "HDR: screen it was made on",
    "content_light": "HDR: brightest",
    "encoder": "Encoded by",
}
UNITS = {"duration": "s", "fps": "fps", "width": "px", "height": "px", "av_offset": "s", "bit_depth": "bits"}
NAMES = {
    "color_range": {"tv": "limited (tv)", "pc": "full (pc)"},
    "encoder": {
        "auto": "automatic",
        "software": "the processor",
        "nvenc": "the graphics card",
        "libx264": "x264 (processor)",
        "libx265": "x265 (processor)",
        "libsvtav1": "SVT-AV1 (processor)",
        "libvpx-vp9": "libvpx (processor)",
        "prores_ks": "prores_ks (processor)",
        "png": "the processor",
        "h264_nvenc": "NVENC (graphics card)",
        "hevc_nvenc": "NVENC (graphics card)",
        "av1_nvenc": "NVENC (graphics card)",
    },
}
COUNTS = ("audio_streams", "subtitle_streams", "chapters")


def certificate(data: dict[str, Any]) -> dict[str, Any]:
    """The certificate in words; without rows in which nothing is expected and nothing found.

    Rows: {"name", "expected", "found", "ok"}; with "told" where it is something that no file can be asked for.
    """
    rows = [
        check
        | {"name": CHECKS.get(name, name.replace("_", " "))}
        | ({"told": True} if name == "encoder" else {})
        | {side: _value(name, check[side]) for side in ("expected", "found")}
        for check in data.get("checks") or []
        if (name := check["name"]) and not (check["ok"] and _nothing(name, check["found"]))
    ]
    return {"ok": data.get("ok", False), "checks": rows}


def _nothing(name: str, value: Any) -> bool:
    return value in ("", None) or (name == "alpha" and value is False) or (name == "subtitle_streams" and value == 0)


def _value(name: str, value: Any) -> str:
    if value in ("", None) or (name in COUNTS and value == 0):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return _hdr(name, value)
    if isinstance(value, str) and value in NAMES.get(name, {}):
        return NAMES[name][value]
    text = fps(value) if isinstance(value, str) and "/" in value and fps(value) else str(value)
    return f"{text} {UNITS.get(name, '')}".strip()


def _hdr(name: str, value: list[int]) -> str:
    """What engine.hdr counts, in cd/m²: of the screen the luminance, of the film the brightest point and picture."""
    if name == "mastering_display" and len(value) == 10:
        return f"{value[9] / LUMINANCE:g} to {value[8] / LUMINANCE:g} cd/m²"
    if name == "content_light" and len(value) == 2:
        return f"point {value[0]}, picture {value[1]} cd/m²"
    return ", ".join(map(str, value))
