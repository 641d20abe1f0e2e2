"""Titles, dates, languages, places: what a file says in words about itself and its tracks, carried into another."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from av.container import InputContainer
from av.stream import Disposition

from .part import Part

CARRIED = {"title", "artist", "album", "author", "comment", "copyright", "creation_time", "date", "description",
           "genre", "location", "make", "model", "synopsis"}  # fmt: skip
APPLE = "com.apple.quicktime."  # telephones write their words under this
APPLE_NAMES = {"creationdate": "date", "location.iso6709": "location"}


def film_words(source: Mapping[str, str]) -> dict[str, str]:
    """What is carried of the words about a whole film. Not which program made it: the result was made by another."""
    found = dict[str, str]()
    for key, value in source.items():
        name = key.lower()
        if name.startswith(APPLE):
            name = APPLE_NAMES.get(name.removeprefix(APPLE), name.removeprefix(APPLE))
            found.setdefault(name, value)
        else:
            found[name] = value
    return {name: value for name, value in found.items() if name in CARRIED}


def copy_track_words(source: Any, target: Any) -> None:
    """Language, title and role (default, forced, for the hard of hearing ...) of one track (PyAV streams)."""
    title = source.metadata.get("title") or source.metadata.get("name")  # MP4 has it under "name"
    words = {"language": source.metadata.get("language"), "title": title}
    target.metadata.update({key: value for key, value in words.items() if value})
    target.disposition = source.disposition & ~(Disposition.attached_pic | Disposition.timed_thumbnails)


def chapters_of(source: InputContainer, part: Part) -> list[Any]:
    """The chapters of the part, as PyAV has them; moved, cut and stretched with its picture."""
    chapters: list[Any] = []
    for chapter in source.chapters():
        unit = chapter["time_base"] or Fraction(1)
        span = part.span(chapter["start"] * unit, chapter["end"] * unit)
        if span is not None:
            start, end = (round(moment / unit) for moment in span)
            chapters.append({**chapter, "start": start, "end": end})
    return chapters
