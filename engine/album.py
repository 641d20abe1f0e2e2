"""Single pictures that come together: in a zip, in a folder, or as several files. What is dangerous is refused first.

Nothing is ever unpacked under a name of the zip's; names are labels for people and for the order.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .errors import BadInputError
from .media_types import ZIP, Limits, sniff
from .numbering import listed
from .translation import gettext as _

MAX_PICTURES = 50_000
MAX_PICTURE_BYTES = 512 << 20  # 8192x4320 with alpha and 16 bits is 283 MB when it is not packed
MAX_RATIO = 200  # a zip may unpack to so many times its size; pictures, packed themselves, give next to 1
RATIO_FREE = 64 << 20  # bytes that are always allowed
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
CLUTTER = {"thumbs.db", "desktop.ini", "sequence.json"}  # the last is ours: a packed sequence may come back


@dataclass(frozen=True, slots=True)
class Picture:
    """label: its name, with "/" between folders. size: bytes, as declared. read(n): the first n bytes; -1: all."""

    label: str
    size: int
    read: Callable[[int], bytes]


@contextmanager
def naming(label: str) -> Iterator[None]:
    """Errors inside say which picture they are about."""
    try:
        yield
    except BadInputError as error:
        raise BadInputError(f'"{label}": {error}') from error


@contextmanager
def open_album(
    source: Path | Sequence[Path], limits: Limits, labels: Sequence[str] | None = None, *, nested: bool = False
) -> Iterator[list[Picture]]:
    """The pictures of a zip, of a folder, or of several files, in no certain order.

    labels: names of the files, where their own say nothing. nested: of folders in the folder as well (of a zip they
    always count). Files that systems leave behind are passed over.

    Raises:
        BadInputError: no pictures, something else among them, too many or too large ones, or a zip that tries tricks.
    """
    if not isinstance(source, Path):
        if len(source) != 1 or sniff(source[0]) != ZIP:
            yield _checked([_of_file(path, label) for path, label in _labelled(source, labels)], limits)
            return
        source = source[0]
    if source.is_dir():
        found = (path for path in (source.rglob("*") if nested else source.iterdir()) if path.is_file())
        named = sorted((path.relative_to(source).as_posix(), path) for path in found)
        yield _checked([_of_file(path, label) for label, path in named if not _is_clutter(label)], limits)
        return
    try:
        with zipfile.ZipFile(source) as archive:
            yield _checked(_of_zip(archive, source.stat().st_size, limits), limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise BadInputError(_("This zip is damaged or cut short. Pack it again and send it again.")) from error


def _labelled(paths: Sequence[Path], labels: Sequence[str] | None) -> Iterator[tuple[Path, str]]:
    return zip(paths, labels or [path.name for path in paths], strict=True)


def _of_file(path: Path, label: str) -> Picture:
    def read(count: int) -> bytes:
        with path.open("rb") as file:
            return file.read(count)

    return Picture(label, path.stat().st_size, read)


def _of_zip(archive: zipfile.ZipFile, size: int, limits: Limits) -> list[Picture]:
    """size: of the zip itself, bytes."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MAX_PICTURES:
        raise _too_many(len(entries))
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > max(RATIO_FREE, MAX_RATIO * size):
        raise BadInputError(
            _(
                "This zip of {size:.1f} MB would unpack to {unpacked:.0f} MB. Pictures do not pack so well; "
                "save them as PNG or JPEG and pack those."
            ).format(size=size / 2**20, unpacked=unpacked / 2**20)
        )
    return [_entry(archive, entry) for entry in entries if not _is_clutter(_path(entry))]


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Picture:
    label = _path(entry)
    if label.startswith("/") or ".." in PurePosixPath(label).parts or label[1:2] == ":":
        raise BadInputError(
            _('The zip has an entry that leads out of it: "{label}". Pack the pictures again.').format(label=label)
        )
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise BadInputError(
            _('"{label}" in the zip is a link, not a picture. Pack the pictures themselves.').format(label=label)
        )
    if entry.flag_bits & 0x1:
        raise BadInputError(_("The zip is locked with a password. Pack the pictures without one."))
    if entry.compress_type not in PACKINGS:
        raise BadInputError(
            _('"{label}" is packed in a way that cannot be read here. Pack it as an ordinary zip.').format(label=label)
        )

    def read(count: int) -> bytes:
        with archive.open(entry) as file:
            return file.read(count)

    return Picture(label, entry.file_size, read)


def _path(entry: zipfile.ZipInfo) -> str:
    return entry.filename.replace("\\", "/")


def _is_clutter(label: str) -> bool:
    parts = PurePosixPath(label).parts
    hidden = any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in parts)
    return hidden or bool(parts and parts[-1].lower() in CLUTTER)


def _checked(pictures: list[Picture], limits: Limits) -> list[Picture]:
    """What can be said without opening a picture."""
    if not pictures:
        raise BadInputError(_("There is no picture in it. Send PNG, JPEG, TIFF, WebP or BMP pictures."))
    if len(pictures) > min(MAX_PICTURES, limits.max_frames):
        raise _too_many(len(pictures))
    twice = [label for label, count in _counted(pictures).items() if count > 1]
    if twice:
        raise BadInputError(
            _("The same name comes twice: {names}. Give every picture a name of its own.").format(names=listed(twice))
        )
    largest = max(pictures, key=lambda picture: picture.size)
    if largest.size > MAX_PICTURE_BYTES:
        raise BadInputError(
            _('"{label}" has {size:.0f} MB: no picture is that large.').format(
                label=largest.label, size=largest.size / 2**20
            )
        )
    total = sum(picture.size for picture in pictures)
    if total > limits.max_bytes:
        raise BadInputError(
            _(
                "The pictures have {total:.0f} MB together; at most {most:.0f} MB are taken. Send fewer, or "
                "smaller ones."
            ).format(total=total / 2**20, most=limits.max_bytes / 2**20)
        )
    return pictures


def _counted(pictures: Sequence[Picture]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for picture in pictures:
        counts[picture.label] = counts.get(picture.label, 0) + 1
    return counts


def _too_many(count: int) -> BadInputError:
    return BadInputError(
        _("There are {count} pictures; at most {max_pictures} are taken. Make it several, or a video.").format(
            count=count, max_pictures=MAX_PICTURES
        )
    )
