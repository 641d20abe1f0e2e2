"""Uploads in pieces: the tus protocol without its HTTP. The file on the disk says how far one is, whatever died."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import logging
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Protocol
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from engine.config import parse_fps
from engine.disk import FULL
from engine.errors import EngineError
from interpolation.models import Project, ResumableUpload, Source

from .disk import require_room
from .errors import (
    ChecksumError,
    GoneError,
    LimitError,
    LockedError,
    NoRoomError,
    ServiceError,
    StateError,
    TooLargeError,
)
from .limits import require_upload
from .sources import source_create
from .uploads import label

Status = ResumableUpload.Status
ALGORITHMS = ("sha1", "sha256", "sha512", "md5")  # of checksums
MOST = 100  # unfinished uploads of one user
ORPHANED = 3600  # seconds: a file whose row is not there by then has lost it
FULL_WORDS = gettext_noop(
    "The server's disk is full. What has arrived is kept: ask the administrator to make room, then send the rest."
)
log = logging.getLogger(__name__)


class Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class WholeFile(TemporaryUploadedFile):
    """A file that came in pieces, to be taken over by a rename: of a second name for it, so that the first stays
    until it is known that there is a source. Where disks know no second names it is copied.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.twin = path.with_suffix(".taken")
        self.twin.unlink(missing_ok=True)  # of a process that died
        with suppress(OSError):
            os.link(path, self.twin)
        UploadedFile.__init__(self, path.open("rb"), name, "application/octet-stream", path.stat().st_size)

    def temporary_file_path(self) -> str:
        return str(self.twin)

    def close(self) -> None:
        if self.file is not None:
            self.file.close()
        self.twin.unlink(missing_ok=True)


def upload_create(
    *, project: Project, user: User, size: int, name: str = "", fps: str = "", metadata: str = "", modified: str = ""
) -> ResumableUpload:
    """Announce a file of `size` bytes; nothing of it is here yet.

    Raises:
        TooLargeError: more bytes than this user may send. LimitError: no room in the storage, or too many unfinished.
        NoRoomError: the disk is too full. BadOptionsError: `fps` is no frame rate. ServiceError: nothing to send.
    """
    if size <= 0:
        raise ServiceError(gettext("The file is empty (0 bytes). Choose another."))
    if fps:
        parse_fps(fps)
    require_upload(project.owner, size)
    require_room(size)
    waiting = ResumableUpload.objects.filter(user=user, status=Status.ARRIVING).count()
    if waiting >= MOST:
        raise LimitError(
            gettext("%(waiting)s of your uploads are unfinished; the most is %(most)s. Finish some, or remove them.")
            % {"waiting": waiting, "most": MOST}
        )
    upload = ResumableUpload(
        project=project,
        user=user,
        size_bytes=size,
        name=label(name)[:255],
        fps=fps,
        metadata=metadata,
        modified=modified[:20],
        expires_at=expiry(),
    )
    upload.path.parent.mkdir(parents=True, exist_ok=True)
    upload.path.touch(mode=settings.FILE_UPLOAD_PERMISSIONS)
    upload.save()
    return upload


def expiry() -> datetime:
    return timezone.now() + timedelta(hours=settings.UPLOAD_HOURS)


@contextmanager
def held(upload: ResumableUpload) -> Iterator[IO[bytes]]:
    """The upload's file, for this caller alone; the row is read anew.

    Raises:
        LockedError: somebody else has it. GoneError: it is not kept any more.
    """
    gone = GoneError(gettext("This upload is not kept any more. Begin a new one."))
    try:
        file = upload.path.open("r+b")
    except FileNotFoundError as error:
        raise gone from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LockedError(
                gettext(
                    "Another connection is sending this upload, or it is being looked into. Try again in a few seconds."
                )
            ) from error
        found = ResumableUpload.objects.filter(pk=upload.pk).values("status", "expires_at").first()
        if found is None or found["status"] in (Status.DONE, Status.REFUSED):
            raise gone
        upload.status = found["status"]
        yield file


def upload_append(
    *,
    upload: ResumableUpload,
    offset: int,
    pieces: Iterable[bytes],
    length: int,
    checksum: tuple[str, bytes] | None = None,
) -> int:
    """Write `pieces`, which are announced to be `length` bytes, behind the first `offset`; what arrives before
    the line breaks stays. The last byte makes the file a source: `upload.source`. Returns the new offset.

    checksum: (algorithm, digest) of the pieces; if they are others, nothing of them stays.

    Raises:
        LockedError, GoneError, StateError: `offset` is not where the file ends. TooLargeError: more than announced.
        NoRoomError: the disk is full. ChecksumError. What `source_create` raises, when the file is whole.
    """
    with held(upload) as file:
        have = file.seek(0, os.SEEK_END)
        if offset != have:
            raise StateError(
                gettext("%(have)s bytes are here, so the next piece begins there and not at %(offset)s.")
                % {"have": have, "offset": offset}
            )
        if have + length > upload.size_bytes:
            raise TooLargeError(
                gettext("With these the file would have %(have)s bytes; %(size_bytes)s are announced.")
                % {"have": have + length, "size_bytes": upload.size_bytes}
            )
        if length:
            require_room(length)
            have = write(file, pieces, length, checksum)
            ResumableUpload.objects.filter(pk=upload.pk).update(expires_at=expiry(), error="")
        if have == upload.size_bytes:
            finish(upload)
    return have


def write(file: IO[bytes], pieces: Iterable[bytes], length: int, checksum: tuple[str, bytes] | None) -> int:
    """Returns where the file ends now; what is there is there after a power failure, too."""
    start, arrived = file.tell(), 0
    digest: Digest | None = hashlib.new(checksum[0], usedforsecurity=False) if checksum else None
    try:
        for piece in pieces:
            file.write(piece[: length - arrived])
            arrived += len(piece)
            if digest:
                digest.update(piece)
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in FULL:
            raise
        log.error("upload of %d bytes at %d: %s", length, start, error)
        raise NoRoomError(gettext(FULL_WORDS)) from error
    if checksum and digest and not hmac.compare_digest(digest.digest(), checksum[1]):
        file.truncate(start)
        raise ChecksumError(
            gettext("The checksum of these bytes is another: nothing of them was kept. Send them again from %(start)s.")
            % {"start": start}
        )
    return file.seek(0, os.SEEK_END)


def finish(upload: ResumableUpload) -> None:
    """The whole file becomes a source, as if it had come as a form. Raises what `source_create` raises.

    What is no video is thrown away and its row says why. What could be taken another time stays: no room, a limit.
    """
    rows = ResumableUpload.objects.filter(pk=upload.pk)
    rows.update(status=Status.LOOKING, expires_at=expiry())
    upload.status = Status.LOOKING
    end: dict[str, Any] = {"status": Status.ARRIVING, "error": ""}
    whole = WholeFile(upload.path, upload.name)
    try:
        upload.source = source_create(
            project=upload.project, kind=Source.Kind.VIDEO, upload=whole, fps=upload.fps or None
        )
        end = {"status": Status.DONE, "source": upload.source}
    except (LimitError, NoRoomError) as error:
        end = {"status": Status.ARRIVING, "error": str(error)}
        raise
    except (EngineError, ServiceError) as error:
        end = {"status": Status.REFUSED, "error": str(error)}
        raise
    finally:
        whole.close()
        rows.update(**end)
        upload.status = end["status"]
        if upload.status in (Status.DONE, Status.REFUSED):
            upload.path.unlink(missing_ok=True)


def upload_remove(*, upload: ResumableUpload) -> None:
    """The upload with what is here of it; of a finished one the source stays. Raises LockedError."""
    try:
        with held(upload):
            upload.path.unlink(missing_ok=True)
            ResumableUpload.objects.filter(pk=upload.pk).delete()
    except GoneError:
        ResumableUpload.objects.filter(pk=upload.pk).delete()


def uploads_expire() -> list[UUID]:
    """Those whose time is over, and files without a row; for the reaper."""
    removed = []
    for upload in ResumableUpload.objects.filter(expires_at__lt=timezone.now()):
        number = upload.pk
        with suppress(LockedError):  # a very slow one
            upload_remove(upload=upload)
            removed.append(number)
    sweep_orphans()
    return removed


def sweep_orphans() -> None:
    """Files of rows that went with their project or user."""
    root, limit = Path(settings.MEDIA_ROOT) / "uploads", time.time() - ORPHANED
    old = []
    for file in root.iterdir() if root.is_dir() else ():
        with suppress(FileNotFoundError, ValueError):
            if file.stat().st_mtime < limit:
                old.append((UUID(file.stem), file))
    known = set(ResumableUpload.objects.filter(pk__in=[number for number, _ in old]).values_list("pk", flat=True))
    for number, file in old:
        if number not in known:
            file.unlink(missing_ok=True)
