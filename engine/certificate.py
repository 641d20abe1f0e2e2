"""The output certificate: the finished file is looked at again, and compared with what was promised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from .errors import EngineError
from .video import VideoInfo, probe

SOUND_FRAME = 1024  # samples an AAC packet holds; sound cannot be placed finer without encoding it again


def _first_sound(info: VideoInfo) -> float | None:
    return info.audio[0]["start"] if info.audio else None


_FOUND: dict[str, Callable[[VideoInfo], Any]] = {
    "frame_count": lambda info: info.frame_count,
    "duration": lambda info: info.duration,
    "fps": lambda info: info.fps,
    "width": lambda info: info.width,
    "height": lambda info: info.height,
    "sar": lambda info: info.sar,
    "codec": lambda info: info.codec,
    "pix_fmt": lambda info: info.pix_fmt,
    "audio_streams": lambda info: len(info.audio),
    "chapters": lambda info: len(info.chapters),
    "av_offset": _first_sound,
    "color_primaries": lambda info: info.color_primaries,
    "color_transfer": lambda info: info.color_transfer,
    "color_matrix": lambda info: info.color_matrix,
    "color_range": lambda info: info.color_range or "tv",
}
_EXACT = ("duration", "fps", "sar")


def certify(path: str | Path, expected: Mapping[str, Any]) -> dict[str, Any]:
    """Probes `path` and compares. Never raises for a bad file: that is a failed check named "readable".

    `expected` may have any of: frame_count, duration (seconds) and fps and sar (Fraction or "n/d"; compared exactly),
    width, height (pixels), codec, pix_fmt, audio_streams, chapters (counts), av_offset (seconds the first sound begins
    after the first frame; may be off by one AAC packet), color_primaries, color_transfer, color_matrix, color_range
    ("" for unspecified). None means: not checked.

    Returns: {"ok": bool, "checks": [{"name", "expected", "found", "ok"}]}, ready for JSON; fractions as "n/d".

    Raises:
        ValueError: an unknown key (a mistake of the caller).
    """
    unknown = set(expected) - set(_FOUND)
    if unknown:
        raise ValueError(f"Nothing is known about {', '.join(sorted(unknown))}")
    try:
        info = probe(path)
    except (EngineError, OSError) as error:
        return {"ok": False, "checks": [_row("readable", "yes", str(error), ok=False)]}
    checks = [_row("readable", "yes", "yes", ok=True)]
    checks += [_check(name, value, info) for name, value in expected.items() if value is not None]
    return {"ok": all(check["ok"] for check in checks), "checks": checks}


def _check(name: str, wanted: Any, info: VideoInfo) -> dict[str, Any]:
    found = _FOUND[name](info)
    if name in _EXACT:
        wanted = Fraction(wanted)
    if name == "color_range":
        wanted = wanted or "tv"  # unspecified means limited
    if name != "av_offset":
        return _row(name, wanted, found, ok=wanted == found)
    wanted = float(wanted)
    slack = SOUND_FRAME / info.audio[0]["sample_rate"] if info.audio and info.audio[0]["sample_rate"] else 0.0
    ok = found is not None and abs(found - wanted) <= slack
    return _row(name, round(wanted, 4), round(found, 4) if found is not None else None, ok=ok)


def _row(name: str, expected: Any, found: Any, *, ok: bool) -> dict[str, Any]:
    return {"name": name, "expected": _plain(expected), "found": _plain(found), "ok": ok}


def _plain(value: Any) -> Any:
    return f"{value.numerator}/{value.denominator}" if isinstance(value, Fraction) else value
