"""Numbered pictures as one file that is read like a video: a zip of pictures as they came, and beside them a list.

`pack_sequence` makes it. What its list says has been checked there, picture by picture.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Several
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

from .album import MAX_PICTURE_BYTES, Picture, naming, open_album
from .config import MIN_SIDE, parse_fps
from .disk import check_room, full_disk_in_words
from .errors import BadInputError
from .files import atomically
from .media_types import ZIP, Limits, sniff
from .numbering import listed, number
from .pictures import PictureFacts, picture_facts
from .translation import gettext as _

LIST = "sequence.json"
DEFAULT_FPS = Fraction(24)
_DAY_ONE = (1980, 1, 1, 0, 0, 0)  # the same pictures give the same file, to the last byte


@dataclass(frozen=True, slots=True)
class Page:
    """One picture. file: its name in the zip. label: what it was called. tick: when it is shown, in 1/fps s."""

    file: str
    label: str
    tick: int


@dataclass(frozen=True, slots=True)
class Facts:
    """width, height: pixels, of every picture. deep, alpha: whether any of them has 16 bits, or transparent parts.

    kinds: of the files ("PNG"), the most common first. notes: what a person should know, in words.
    """

    fps: Fraction
    width: int
    height: int
    deep: bool
    alpha: bool
    kinds: list[str]
    pages: list[Page]
    notes: list[str]

    @property
    def times(self) -> list[Fraction]:
        """Seconds from the first, ascending."""
        return [page.tick / self.fps for page in self.pages]

    @property
    def duration(self) -> Fraction:
        return (self.pages[-1].tick + 1) / self.fps

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"fps": str(self.fps)}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: bytes) -> Facts:
        """Raises ValueError, KeyError or TypeError for anything else than `to_json` makes."""
        data = json.loads(text)
        pages = [Page(**page) for page in data.pop("pages")]
        return cls(**data | {"fps": parse_fps(data["fps"]), "pages": pages})


def pack_sequence(
    source: Path | Several[Path],
    output: Path,
    fps: Fraction = DEFAULT_FPS,
    *,
    labels: Several[str] | None = None,
    limits: Limits | None = None,
) -> Facts:
    """Makes one file of the pictures of a folder, of a zip, or of several files; they are copied as they are.

    They are put in order by the numbers in their names (engine/numbering.py). Every header is read, no pixel decoded.

    Raises:
        BadInputError: no pictures, one only, something else among them, different sizes, or a zip that tries tricks;
        the message names them. NoSpaceError: no room on the disk.
    """
    limits, facts = limits or Limits(), list[PictureFacts]()
    with open_album(source, limits, labels) as album, atomically(output) as part:
        if len(album) == 1:
            _looked_at(album[0], limits)  # perhaps no picture at all
            raise BadInputError(
                _('There is one picture only, "{label}". At least two are needed.').format(label=album[0].label)
            )
        order = number([picture.label for picture in album])
        pictures = [album[place] for place in order.order]
        check_room(output.parent)
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
            pages = []
            for count, (picture, tick) in enumerate(zip(pictures, order.ticks, strict=True), 1):
                found, data = _looked_at(picture, limits)
                facts.append(found)
                pages.append(Page(f"{count:06d}{found.kind.suffix}", picture.label, tick))
                archive.writestr(zipfile.ZipInfo(pages[-1].file, _DAY_ONE), data)
            _check_sizes(pictures, facts)
            known = _together(fps, facts, pages, order.notes)
            archive.writestr(zipfile.ZipInfo(LIST, _DAY_ONE), known.to_json())
    return known


def _looked_at(picture: Picture, limits: Limits) -> tuple[PictureFacts, bytes]:
    data = picture.read(-1)
    with naming(picture.label):
        return picture_facts(data, limits), data


def _together(fps: Fraction, facts: list[PictureFacts], pages: list[Page], notes: list[str]) -> Facts:
    kinds = [kind for kind, _ in Counter(found.kind.name for found in facts).most_common()]
    if any(found.other_colours for found in facts):
        notes = [*notes, _("The pictures carry a colour profile: they are brought to sRGB, with 8 bits a channel.")]
    deep, alpha = any(found.deep for found in facts), any(found.alpha for found in facts)
    return Facts(fps, facts[0].width, facts[0].height, deep, alpha, kinds, pages, notes)


def _check_sizes(pictures: list[Picture], facts: list[PictureFacts]) -> None:
    sizes = Counter((found.width, found.height) for found in facts)
    usual, *others = (size for size, count in sizes.most_common())
    if others:
        odd = [
            f'"{picture.label}" ({found.width}x{found.height})'
            for picture, found in zip(pictures, facts, strict=True)
            if (found.width, found.height) != usual
        ]
        raise BadInputError(
            _(
                "The pictures differ in size: most are {width}x{height}, but not {names}. Bring all to one "
                "size, or take those out."
            ).format(width=usual[0], height=usual[1], names=listed(odd))
        )
    if min(usual) < MIN_SIDE:
        raise BadInputError(
            _("The pictures are too small: each side must be at least {min_side} pixels.").format(min_side=MIN_SIDE)
        )


@contextmanager
def open_sequence(path: Path) -> Iterator[tuple[Facts, Callable[[Page], bytes]]]:
    """What `pack_sequence` made: its facts, and a function that reads the file of a page.

    Raises:
        BadInputError: not one of ours, or damaged. The function raises it for a picture that is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            facts = Facts.from_json(archive.read(LIST))
            yield facts, lambda page: _page_bytes(archive, page)
    except KeyError as error:
        raise BadInputError(
            _("This zip has not been made a sequence. Give the pictures to pack_sequence, or upload the zip.")
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, TypeError) as error:
        raise BadInputError(_("This sequence of pictures is damaged. Send the pictures again.")) from error


def _page_bytes(archive: zipfile.ZipFile, page: Page) -> bytes:
    try:
        if archive.getinfo(page.file).file_size > MAX_PICTURE_BYTES:
            raise BadInputError(_('"{label}" is too large.').format(label=page.label))
        return archive.read(page.file)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        raise BadInputError(_('"{label}" is damaged.').format(label=page.label)) from error


def as_film(
    source: Path | Several[Path], folder: Path, fps: Fraction | None = None, limits: Limits | None = None
) -> Path:
    """A folder, a zip, or several pictures as a sequence in `folder`; whatever is a video is given back as it is.

    fps: default 24. Raises as `pack_sequence` does.
    """
    if (
        isinstance(source, Path)
        and not source.is_dir()
        and (sniff(source) != ZIP or (fps is None and is_packed(source)))
    ):
        return source
    with full_disk_in_words():
        folder.mkdir(parents=True, exist_ok=True)
    packed = folder / "source.zip"
    pack_sequence(source, packed, fps or DEFAULT_FPS, limits=limits)
    return packed


def is_packed(path: Path) -> bool:
    """Whether `pack_sequence` made this file."""
    try:
        with open_sequence(path):
            return True
    except BadInputError:
        return False
