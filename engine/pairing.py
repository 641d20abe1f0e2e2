"""Which pictures of many belong together, two by two, by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from .album import Picture
from .errors import BadInputError
from .media_types import HEAD_BYTES, sniff_bytes
from .numbering import by_folder, name_parts
from .translation import gettext as _

TRIPLET = ["im1", "im2", "im3"]  # a folder of a training set: the one in the middle is what is to be drawn
MAX_PAIRS = 200  # that become sources of a project at once
ENDS = (("1", "2"), ("0", "1"), ("01", "02"), ("1", "3"))  # a_1 and a_2 are a pair called "a"


@dataclass(frozen=True, slots=True)
class PicturePair:
    """Two pictures by their places in the list they were found in. name: for people, and for a folder of results."""

    name: str
    first: int
    second: int


def find_pairs(labels: Sequence[str]) -> tuple[list[PicturePair], list[int]]:
    """The pairs among pictures with these names, and the places of those without a partner.

    Folder by folder: names that differ in their last number only, two of them, are a pair (a_1 and a_2; im1 and im3,
    also when im2 lies between them). More than two follow each other: the first and the second are a pair, the third
    and the fourth. Names without any such partner are paired in the order of their names.
    """
    pairs, lonely = list[PicturePair](), list[int]()
    for places in by_folder(labels):
        twos = list[tuple[int, int]]()
        for group in _families(places, labels):
            if [PurePosixPath(labels[place]).stem.lower() for place in group] == TRIPLET:
                group = [group[0], group[2]]
            twos += zip(group[::2], group[1::2], strict=False)
            lonely += group[len(group) // 2 * 2 :]
        names = [_name(labels[first], labels[second], only=len(twos) == 1) for first, second in twos]
        pairs += [PicturePair(name, *two) for name, two in zip(names, twos, strict=True)]
    return _with_own_names(pairs), lonely


def _families(places: list[int], labels: Sequence[str]) -> list[list[int]]:
    """Pictures of one folder, in order, grouped by what their names have in common: all but the last number."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for place in places:
        parts = name_parts(labels[place])
        groups.setdefault(tuple(parts[:-2] + parts[-1:] if len(parts) > 1 else parts), []).append(place)
    return list(groups.values()) if any(len(group) > 1 for group in groups.values()) else [places]


def _name(first: str, second: str, *, only: bool) -> str:
    """What the two are called together. only: there are no others in their folder."""
    folder, stem, other = PurePosixPath(first).parent, PurePosixPath(first).stem, PurePosixPath(second).stem
    if only and str(folder) != ".":
        return _plain(str(folder))
    common = re.sub(r"[\W_]*\d+$", "", stem)
    ends = tuple(word.removeprefix(common).strip("_- ") for word in (stem, other))
    return _plain(str(folder / (common if common and ends in ENDS else f"{stem}-{other}")))


def _plain(name: str) -> str:
    """Fit to be the name of a folder."""
    return re.sub(r"[^\w.+-]+", "_", name).strip("._") or "pair"


def _with_own_names(pairs: list[PicturePair]) -> list[PicturePair]:
    taken, found = set[str](), list[PicturePair]()
    for pair in pairs:
        name, count = pair.name, 2
        while name.casefold() in taken:
            name, count = f"{pair.name}_{count}", count + 1
        taken.add(name.casefold())
        found.append(PicturePair(name, pair.first, pair.second))
    return found


def only_pictures(album: Sequence[Picture]) -> tuple[list[Picture], list[tuple[str, str]]]:
    """The pictures, and what is none: (name, reason in words)."""
    pictures, others = list[Picture](), list[tuple[str, str]]()
    for picture in album:
        try:
            kind = sniff_bytes(picture.read(HEAD_BYTES))
            if kind.picture is None:
                raise BadInputError(_("This is no picture."))
            pictures.append(picture)
        except BadInputError as error:
            others.append((picture.label, str(error)))
    return pictures, others
