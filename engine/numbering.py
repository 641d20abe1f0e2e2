"""The order of single pictures, and when each is shown, from their names."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath

from .errors import BadInputError
from .translation import gettext as _
from .translation import ngettext

_DIGITS = re.compile(r"(\d{1,18})", re.ASCII)
NAMED = 3  # how many of many are named in a message


@dataclass(frozen=True, slots=True)
class Numbering:
    """order: places in the list of names. ticks: when each is shown, in frames from the first; ascending from 0.

    notes: what a person should know of it, in words.
    """

    order: list[int]
    ticks: list[int]
    notes: list[str]


def natural_key(name: str) -> tuple[tuple[str | int, ...], str]:
    """Sorts frame_2 before frame_10. Names are paths with "/" between."""
    return tuple(int(part) if place % 2 else part for place, part in enumerate(name_parts(name))), name


def name_parts(name: str) -> list[str]:
    """Words and numbers in turn, without the ending: "a12b.png" is "a", "12", "b"."""
    return _DIGITS.split(str(PurePosixPath(name).with_suffix("")).casefold())


def number(names: Sequence[str]) -> Numbering:
    """The order of pictures with these names, and their times.

    Numbers that are missing keep their time, unless more are missing than there: then they count something else
    (seconds, the pictures of a camera) and the pictures follow each other evenly. The step may be larger than 1.

    Raises:
        BadInputError: two pictures with the same number or name; they are named.
    """
    order = sorted(range(len(names)), key=lambda place: natural_key(names[place]))
    _refuse_twins([names[place] for place in order])
    numbers = _numbers([names[place] for place in order])
    if numbers is None or len(numbers) < 2:
        return Numbering(order, list(range(len(order))), [])
    step = math.gcd(*(after - before for before, after in pairwise(numbers)))
    ticks = [(value - numbers[0]) // step for value in numbers]
    missing = ticks[-1] + 1 - len(ticks)
    if missing > len(ticks):
        even = _("The numbers in the names leave out more than they count, so the pictures follow each other evenly.")
        return Numbering(order, list(range(len(order))), [even])
    return Numbering(order, ticks, [_gaps_in_words(numbers, step, missing)] if missing else [])


def _numbers(names: Sequence[str]) -> list[int] | None:
    """The number of each, if the names differ in one number only; else None."""
    parts = [name_parts(name) for name in names]
    if len({tuple(found[::2]) for found in parts}) != 1:
        return None
    columns = [[int(found[place]) for found in parts] for place in range(1, len(parts[0]), 2)]
    changing = [column for column in columns if len(set(column)) > 1]
    return changing[0] if len(changing) == 1 else None


def _refuse_twins(names: Sequence[str]) -> None:
    for before, after in pairwise(names):
        if natural_key(before)[0] == natural_key(after)[0]:
            raise BadInputError(
                _(
                    'Two pictures have the same place in the order: "{before}" and "{after}". Take one of them out.'
                ).format(before=before, after=after)
            )


def _gaps_in_words(numbers: Sequence[int], step: int, missing: int) -> str:
    gaps = [(before + step, after - step) for before, after in pairwise(numbers) if after - before > step]
    which = listed([f"{first}" if first == last else f"{first}-{last}" for first, last in gaps])
    return ngettext(
        "Number {which} is missing. Its time is kept: what moved there takes as long as it took.",
        "{missing} numbers are missing ({which}). Their time is kept: what moved there takes as long as it took.",
        missing,
    ).format(missing=missing, which=which)


def listed(words: Sequence[str], most: int = NAMED) -> str:
    """ "a, b, c and 7 more"."""
    more, named = len(words) - most, ", ".join(words[:most])
    return _("{names} and {more} more").format(names=named, more=more) if more > 0 else named


def by_folder(names: Sequence[str]) -> list[list[int]]:
    """Places of the names, folder by folder, each in natural order."""
    order = sorted(range(len(names)), key=lambda place: natural_key(names[place]))
    folders: dict[PurePosixPath, list[int]] = {}
    for place in order:
        folders.setdefault(PurePosixPath(names[place]).parent, []).append(place)
    return list(folders.values())
