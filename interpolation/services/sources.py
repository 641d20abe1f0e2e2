"""Sources: one video, two pictures, a sequence of pictures; or many pairs, each a source of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from interpolation.models import Project, Source

from .disk import full_disk_in_words, in_words, require_room
from .errors import ServiceError
from .limits import require_footage, require_upload
from .projects import remove, source_directory
from .uploads import incoming, label, look_into, take

Upload: TypeAlias = "UploadedFile[Any] | Path"


@dataclass(frozen=True, slots=True)
class MadePairs:
    """sources: one for every pair. bad: (name, why it is none) of pairs and pictures that could not be used."""

    sources: list[Source]
    bad: list[tuple[str, str]]


def source_create(
    *,
    project: Project,
    kind: str,
    upload: Upload | None,
    upload2: Upload | None = None,
    resize_second: bool = False,
    fps: str | None = None,
    name: str = "",
) -> Source:
    """Take what was uploaded, look into it, and keep it; or refuse it with words and keep nothing.

    Args:
        upload: the video, or the first picture. A zip of pictures is a video too: a sequence. A Path is copied.
        upload2: the second picture.
        resize_second: take two pictures of different sizes; the second is resized to the first when they are rendered.
        fps: frames per second of a zip of pictures, as text; default 24.

    Raises:
        BadInputError: not a video or picture that can be used.
        PictureSizesDifferError: the pictures differ in size and `resize_second` is false.
        BadOptionsError: `fps` is no frame rate.
        ServiceError: something is missing, too large, or there is no room.
    """
    uploads = wanted(kind, upload, upload2)
    with arrived(project, uploads) as (folder, paths):
        found = look_into(folder, kind, paths, labels=labels_of(uploads), resize_second=resize_second, fps=fps)
        called = name or " + ".join(dict.fromkeys(labels_of(uploads)))
        return keep(project, kind, folder, found["files"], found["info"], called)


def source_create_sequence(
    *, project: Project, uploads: Sequence[Upload], fps: str | None = None, paths: Sequence[str] = (), name: str = ""
) -> Source:
    """Many pictures, or a zip of them, as one film of `fps` pictures a second (as text; default 24).

    They are put in order by their names, or by `paths`, which are names with folders. Raises as `source_create` does.
    """
    require_any(uploads)
    with arrived(project, uploads, copied=True) as (folder, files):
        labels = list(paths) or labels_of(uploads)
        found = look_into(folder, "sequence", files, labels=labels, fps=fps)
        more = f" + {len(uploads) - 1} more" if len(uploads) > 1 else ""
        return keep(
            project, Source.Kind.VIDEO, folder, found["files"], found["info"], name or label_of(uploads[0]) + more
        )


def source_create_pairs(
    *, project: Project, uploads: Sequence[Upload], resize_second: bool = False, paths: Sequence[str] = ()
) -> MadePairs:
    """Many pictures, or a zip of them, as pairs: engine/pairing.py says which belong together.

    Pairs that cannot be used are told, the others are kept.

    Raises:
        BadInputError: there is no pair that can be used. ServiceError: too large, or there is no room.
    """
    require_any(uploads)
    with arrived(project, uploads, copied=True) as (folder, files):
        labels = list(paths) or labels_of(uploads)
        found = look_into(folder, "pairs", files, labels=labels, resize_second=resize_second)
        bad = [(label(name), reason) for name, reason in found["bad"]]
        if not found["pairs"]:
            raise ServiceError(_("There is no pair that can be used.") + " " + in_a_few_words(bad))
        return MadePairs(keep_pairs(project, folder, found["pairs"]), bad)


def keep_pairs(project: Project, folder: Path, pairs: Sequence[dict[str, Any]]) -> list[Source]:
    """All of them or, when something breaks, none. The first comes to stand on top of the list."""
    sources: list[Source] = []
    try:
        with transaction.atomic():
            for pair in reversed(pairs):
                home = folder / pair["folder"]
                sources.append(keep(project, Source.Kind.PICTURES, home, pair["files"], pair["info"], pair["name"]))
    except BaseException:  # also an interrupt: no file without its row
        remove(source_directory(source) for source in sources)
        raise
    return sources[::-1]


def in_a_few_words(bad: Sequence[tuple[str, str]], most: int = 5) -> str:
    """The first few with their reasons."""
    more = f" And {len(bad) - most} more." if len(bad) > most else ""
    return " ".join(f"“{name}”: {reason}" for name, reason in bad[:most]) + more


@contextmanager
def arrived(project: Project, uploads: Sequence[Upload], *, copied: bool = False) -> Iterator[tuple[Path, list[Path]]]:
    """A folder of their own with the uploads in it. copied: there has to be room for a copy of them as well.

    Raises ServiceError: too large together, or no room.
    """
    total = sum(upload.stat().st_size if isinstance(upload, Path) else int(upload.size or 0) for upload in uploads)
    if len(uploads) > 1 and total > settings.MAX_UPLOAD_BYTES:
        raise ServiceError(
            _("The files have %(total)s together; at most %(most)s are taken. Send fewer, or smaller ones.")
            % {"total": in_words(total), "most": in_words(settings.MAX_UPLOAD_BYTES)}
        )
    require_upload(project.owner, total)
    with incoming() as folder, full_disk_in_words():
        paths = [folder / f"arrived{place}" for place in range(1, len(uploads) + 1)]
        for upload, path in zip(uploads, paths, strict=True):
            take(upload, path)
        if copied:
            require_room(total)
        yield folder, paths


def require_any(uploads: Sequence[Upload]) -> None:
    if not uploads:
        raise ServiceError(_("Choose pictures to send: several, or a zip of them."))


def labels_of(uploads: Sequence[Upload]) -> list[str]:
    return [label_of(upload) for upload in uploads]


def wanted(kind: str, upload: Upload | None, upload2: Upload | None) -> list[Upload]:
    """The one or two uploads that this kind of source is made of. Raises ServiceError when one is missing."""
    if kind == Source.Kind.VIDEO:
        if upload is None:
            raise ServiceError(_("Choose a video to send."))
        return [upload]
    if kind != Source.Kind.PICTURES:
        raise ServiceError(_('"%(kind)s" is not a kind of source. Send a video or two pictures.') % {"kind": kind})
    if upload is None or upload2 is None:
        raise ServiceError(_("Choose two pictures to send: the first and the second frame."))
    return [upload, upload2]


def label_of(upload: Upload) -> str:
    return label(upload.name or "")


def keep(project: Project, kind: str, folder: Path, files: list[str], info: dict[str, Any], name: str) -> Source:
    """Publish the folder under the source's own number by one rename, then write the row."""
    require_footage(project.owner, info)
    number = uuid.uuid4()
    home = Path(settings.MEDIA_ROOT) / "sources" / str(number)
    home.parent.mkdir(parents=True, exist_ok=True)
    size = sum((folder / file).stat().st_size for file in files)
    folder.rename(home)
    try:
        return Source.objects.create(
            id=number,
            project=project,
            kind=kind,
            name=name[:255],
            file=f"sources/{number}/{files[0]}",
            file2=f"sources/{number}/{files[1]}" if len(files) > 1 else "",
            poster=f"sources/{number}/poster.jpg",
            size_bytes=size,
            info=info,
        )
    except BaseException:  # also an interrupt: no file without its row
        remove([home])
        raise


def source_create_sample(*, project: Project) -> Source:
    """The clip that comes with the portal, as if it had been uploaded."""
    clip = Path(settings.SAMPLE_CLIP)
    if not clip.is_file():
        raise ServiceError(
            _("The sample clip %(clip)s is missing. Put it there, or upload a video of your own.") % {"clip": clip}
        )
    return source_create(project=project, kind=Source.Kind.VIDEO, upload=clip, name="Sample clip")
