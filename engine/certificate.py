"""The output certificate: the finished file is looked at again, and compared with what was promised."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from .errors import BadInputError, EngineError
from .formats import Encoding, Format
from .hdr import same_display
from .translation import gettext as _
from .video import VideoInfo, probe

SOUND_FRAME = 1024  # samples an AAC packet holds; sound cannot be placed finer without encoding it again
PNG_HEAD = 26  # bytes, up to and with the kind of colour
PNG_ALPHA = (4, 6)  # kinds of colour
SAME_MATRIX = {"bt470bg": "smpte170m"}  # two names of one; VP9 knows only the first


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
    "codec_tag": lambda info: info.codec_tag,
    "pix_fmt": lambda info: info.pix_fmt.replace("yuvj", "yuv"),  # "j" is the full range, which is checked by itself
    "bit_depth": lambda info: info.bit_depth,
    "alpha": lambda info: info.alpha,
    "audio_streams": lambda info: len(info.audio),
    "subtitle_streams": lambda info: len(info.subtitles),
    "chapters": lambda info: len(info.chapters),
    "av_offset": _first_sound,
    "color_primaries": lambda info: info.color_primaries,
    "color_transfer": lambda info: info.color_transfer,
    "color_matrix": lambda info: info.color_matrix,
    "color_range": lambda info: info.color_range or "tv",
    "mastering_display": lambda info: info.mastering_display,
    "content_light": lambda info: info.content_light,
}
_EXACT = ("duration", "fps", "sar")


def certify(
    path: str | Path, expected: Mapping[str, Any], *, unit: Fraction = Fraction(0), fewer: bool = False
) -> dict[str, Any]:
    """Probes `path` and compares. Never raises for a bad file: that is a failed check named "readable".

    `expected` may have any of: frame_count, duration (seconds) and fps and sar (Fraction or "n/d"), width, height
    (pixels), codec, codec_tag, pix_fmt, bit_depth, alpha, audio_streams, subtitle_streams, chapters (counts), av_offset
    (seconds the first sound begins after the first frame; may be off by one AAC packet), color_primaries,
    color_transfer, color_matrix, color_range ("" for unspecified), mastering_display, content_light (as engine.hdr
    counts; of what codecs round, the rounding is allowed). None means: not checked.
    unit: what the container counts time in, seconds, where that is too coarse for the exact duration: WebM, GIF, WebP.
    fewer: the file may have fewer frames than expected, since it shows one for longer; its length has to be right.
    A zip of pictures is asked for their number, size, depth and alpha alone.

    Returns: {"ok": bool, "checks": [{"name", "expected", "found", "ok"}]}, ready for JSON; fractions as "n/d".

    Raises:
        ValueError: an unknown key (a mistake of the caller).
    """
    unknown = set(expected) - set(_FOUND)
    if unknown:
        raise ValueError(f"Nothing is known about {', '.join(sorted(unknown))}")
    try:
        found = _pictures(Path(path)) if zipfile.is_zipfile(path) else _film(probe(path))
    except (EngineError, OSError, zipfile.BadZipFile) as error:
        return {"ok": False, "checks": [_row("readable", "yes", str(error), ok=False)]}
    checks = [_row("readable", "yes", "yes", ok=True)]
    for name, wanted in expected.items():
        if wanted is None or name not in found or (fewer and name == "fps"):
            continue
        check = _check(name, wanted, found, unit)
        if fewer and name == "frame_count":
            check["ok"] = 0 < found[name] <= wanted
        checks.append(check)
    return {"ok": all(check["ok"] for check in checks), "checks": checks}


def encoder_row(asked: str, encoding: Encoding) -> dict[str, Any]:
    """Which encoder wrote the file. No file tells that, so it is no check: the row is put beside the others."""
    return _row("encoder", asked, encoding.encoder, ok=True)


def arithmetic_row(used: Iterable[str]) -> list[dict[str, Any]]:
    """What the model computed in, of each part of the film; nothing where no model drew."""
    found = ", ".join(sorted({one for one in used if one}))
    return [_row("arithmetic", "auto", found, ok=True)] if found else []


def lost_row(announced: int, read: int) -> list[dict[str, Any]]:
    """Of a damaged source, how many frames it announces and how many could be read; nothing where all could be."""
    return [_row("source_frames", announced, read, ok=True)] if read < announced else []


def left_out_row(entry: Format, fps: Fraction, certificate: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How many frames are not in an animation because they come faster than browsers show them; nothing where none."""
    count = next((check for check in certificate["checks"] if check["name"] == "frame_count"), None)
    if count is None or fps <= entry.most_fps or count["found"] >= count["expected"]:
        return []
    return [_row("frames_left_out", f"{entry.most_fps} fps", count["expected"] - count["found"], ok=True)]


def _film(info: VideoInfo) -> dict[str, Any]:
    found = {name: look(info) for name, look in _FOUND.items()}
    rate = info.audio[0]["sample_rate"] if info.audio else None
    return {**found, "sound_slack": SOUND_FRAME / rate if rate else 0.0}


def _pictures(path: Path) -> dict[str, Any]:
    """What a zip of PNG pictures holds, from the head of each. Values that differ between them are "different"."""
    with zipfile.ZipFile(path) as archive:
        heads = [_png_head(archive, entry) for entry in archive.infolist()]
    found = {name: heads[0][name] for name in heads[0]} if heads else {}
    for name in found:
        if any(head[name] != found[name] for head in heads):
            found[name] = "different"
    return {**found, "frame_count": len(heads)}


def _png_head(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> dict[str, Any]:
    with archive.open(entry) as file:
        head = file.read(PNG_HEAD)
    if len(head) < PNG_HEAD or head[:8] != b"\x89PNG\r\n\x1a\n":
        raise BadInputError(_("{filename} in the zip is no PNG picture.").format(filename=entry.filename))
    width, height, bits, colour = struct.unpack(">16xIIBB", head)
    return {"codec": "png", "width": width, "height": height, "bit_depth": bits, "alpha": colour in PNG_ALPHA}


def _check(name: str, wanted: Any, found: Mapping[str, Any], unit: Fraction) -> dict[str, Any]:
    seen = found[name]
    if name in _EXACT:
        wanted = Fraction(wanted)
    if name == "color_range":
        wanted = wanted or "tv"  # unspecified means limited
    if name == "av_offset":
        wanted = float(wanted)
        ok = seen is not None and abs(seen - wanted) <= found["sound_slack"]
        return _row(name, round(wanted, 4), round(seen, 4) if seen is not None else None, ok=ok)
    return _row(name, wanted, seen, ok=_same(name, wanted, found, unit))


def _same(name: str, wanted: Any, found: Mapping[str, Any], unit: Fraction) -> bool:
    seen = found[name]
    if name == "duration":
        return bool(abs(seen - wanted) <= unit)
    if name == "fps":  # the length of all frames together is what can be off
        return bool(abs(found["frame_count"] / seen - found["frame_count"] / wanted) <= unit)
    if name == "color_matrix":
        return bool(SAME_MATRIX.get(wanted, wanted) == SAME_MATRIX.get(seen, seen))
    if name == "mastering_display":
        return same_display(wanted, seen)
    return bool(wanted == seen)


def _row(name: str, expected: Any, found: Any, *, ok: bool) -> dict[str, Any]:
    return {"name": name, "expected": _plain(expected), "found": _plain(found), "ok": ok}


def _plain(value: Any) -> Any:
    return f"{value.numerator}/{value.denominator}" if isinstance(value, Fraction) else value
