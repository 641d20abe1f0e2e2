"""What templates say the same way everywhere: icons, lengths of time, frame rates, media addresses."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from engine.formats import FORMATS

register = template.Library()


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """One of the vendored icons, hidden from screen readers: the text beside it says what it means."""
    address = static("vendor/bootstrap-icons/sprite.svg")
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>', css, address, name)


@register.filter
def media(path: str) -> str:
    """The address of a file kept under MEDIA_ROOT; empty for an empty path."""
    return reverse("media", args=[path]) if path else ""


@register.filter
def fraction(value: Any) -> Fraction | None:
    """A number as stored in JSON ("24000/1001", 25, "1.5"), or None."""
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return None


@register.filter
def fps(value: Any) -> str:
    """ "24000/1001" as "23.976", 25 as "25"."""
    rate = fraction(value)
    return "" if rate is None else f"{float(rate):.3f}".rstrip("0").rstrip(".")


@register.filter
def clock(seconds: Any) -> str:
    """Seconds as 0:04.2, 1:05, 2:03:07: tenths below a minute."""
    value = fraction(seconds)
    if value is None:
        return ""
    tenths = round(value * 10)
    if tenths < 600:
        return f"0:{tenths // 10:02d}.{tenths % 10}"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@register.filter
def seconds(value: Any) -> float:
    """Exact seconds ("125/2") as a number for scripts; 0 for what is none."""
    return float(fraction(value) or 0)


@register.filter
def span(seconds: Any) -> str:
    """A waiting time in words: "8 s", "3 min 20 s", "1 h 5 min"."""
    value = fraction(seconds)
    if value is None:
        return ""
    total = max(0, round(value))
    hours, rest = divmod(total, 3600)
    minutes, rest = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
    return f"{rest} s"


@register.filter
def per_frame(milliseconds: Any) -> str:
    """Time of one frame: "84 ms", "2.31 s"."""
    value = fraction(milliseconds)
    if value is None:
        return ""
    return f"{float(value):.0f} ms" if value < 1000 else f"{float(value) / 1000:.2f} s"


@register.filter
def format_label(name: str) -> str:
    """A format as people call it: "MP4, H.265"; nothing for an unknown one."""
    return FORMATS[name].label if name in FORMATS else ""


@register.filter
def download_word(name: str | None) -> str:
    """What the finished file is, for its button: "MP4", "WebM", "MOV", "GIF", "WebP"; of PNGs, that it is all of them.

    Jobs from before there was a choice have no format: theirs is MP4.
    """
    return gettext("All frames (PNG)") if name == "png" else (format_label(name or "") or "MP4").split(",")[0]
