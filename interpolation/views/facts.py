"""A source in words, and what a job would make of it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ..models import Source
from ..services.prediction import Prediction, predict
from ..templatetags.inbetween import clock, fps, fraction

BROWSER_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
__all__ = ["Prediction", "predict", "sound_words", "source_facts", "stills"]
Fact = tuple[str, str, str]  # label, value, small print


def stills(source: Source) -> list[str]:
    """Both pictures, as paths under MEDIA_ROOT, when every browser can show them."""
    files = [source.file, source.file2] if source.kind == Source.Kind.PICTURES else []
    return files if all(file.lower().endswith(BROWSER_PICTURES) for file in files) else []


def source_facts(source: Source) -> list[Fact]:
    info = source.info
    size = f"{info.get('width', '?')} × {info.get('height', '?')}"
    if source.kind == Source.Kind.PICTURES:
        return [("Pictures", "2", ""), ("Size", size, "")]
    facts = [
        ("Size", size, f"turned by {info['rotation']}°" if info.get("rotation") else ""),
        (
            "Frame rate",
            f"{fps(info.get('fps'))} fps",
            "variable: every frame keeps its own time" if info.get("is_vfr") else "",
        ),
        ("Frames", f"{info.get('frame_count') or 0:,}", ""),
        ("Length", clock(info.get("duration")), ""),
        ("Sound", *sound_words(info.get("audio") or [])),
        ("Coding", str(info.get("codec", "")), f"in {info.get('container', '')}"),
    ]
    return facts + _special(info)


def sound_words(audio: list[dict[str, Any]]) -> tuple[str, str]:
    """Of the first track: (codec, small print)."""
    if not audio:
        return "none", ""
    first = audio[0]
    tracks = f"{len(audio)} tracks, the first: " if len(audio) > 1 else ""
    return str(first.get("codec", "")), f"{tracks}{first.get('channels')} channels, {first.get('sample_rate')} Hz"


def _special(info: dict[str, Any]) -> list[Fact]:
    """What is out of the ordinary, only where it is so."""
    found: list[Fact] = []
    if info.get("hdr"):
        found.append(("Light", "HDR", "wide range; tags are kept"))
    if info.get("interlaced"):
        found.append(("Scan", "interlaced", "whole frames are made of it"))
    if fraction(info.get("sar")) not in (None, Fraction(0), Fraction(1)):
        found.append(("Pixels", str(info["sar"]), "not square; kept as a tag"))
    return found
