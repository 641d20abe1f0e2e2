"""A source in words and pictures."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from ..models import Source

BROWSER_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")


def stills(source: Source) -> list[str]:
    """Both pictures, as paths under MEDIA_ROOT, when every browser can show them."""
    files = [source.file, source.file2] if source.kind == Source.Kind.PICTURES else []
    return files if all(file.lower().endswith(BROWSER_PICTURES) for file in files) else []


def sound_words(audio: list[dict[str, Any]]) -> tuple[str, str]:
    """Of the first track: (codec, small print)."""
    if not audio:
        return _("none"), ""
    first = audio[0]
    told = {"tracks": len(audio), "channels": first.get("channels"), "rate": first.get("sample_rate")}
    if len(audio) > 1:
        words = _("%(tracks)d tracks, the first: %(channels)s channels, %(rate)s Hz") % told
    else:
        words = _("%(channels)s channels, %(rate)s Hz") % told
    return str(first.get("codec", "")), words
