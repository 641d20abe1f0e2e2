"""From what a browser sends to a file of ours: whole, under our own name, looked into; or nothing."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
import unicodedata
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

from engine.childproc import run_child
from engine.errors import BadInputError
from engine.media_types import Limits

from .disk import full_disk_in_words, in_words, require_room
from .errors import PictureSizesDifferError, ServiceError

PIECE = 1024 * 1024  # bytes read and written at once
MAX_FILES = 1000  # in one form
LABEL_LENGTH = 120
TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
PROBE_BYTES_PER_SECOND = 20_000_000  # of pictures to be looked at one by one, a slow disk and a busy processor granted
STALE_UPLOAD = 24 * 3600  # seconds: what lies in incoming/ for longer was left by a process that died


def incoming_root() -> Path:
    """Where uploads arrive: on the same disk as the media, so that they are taken over by a rename."""
    root = Path(settings.MEDIA_ROOT) / "incoming"
    root.mkdir(parents=True, exist_ok=True)
    return root


@contextmanager
def incoming() -> Iterator[Path]:
    """A folder for one upload; whatever happens, it is gone afterwards unless it was renamed."""
    folder = incoming_root() / uuid.uuid4().hex
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_incoming(older_than: float = STALE_UPLOAD) -> int:
    """Remove leftovers of processes that were killed while an upload arrived; returns how many."""
    limit, removed = time.time() - older_than, 0
    for entry in incoming_root().iterdir():
        with suppress(FileNotFoundError):  # an upload that was taken over, or given up, since the folder was listed
            if entry.lstat().st_mtime < limit:
                shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink()
                removed += 1
    return removed


def label(name: str, fallback: str = "upload") -> str:
    """The client's file name made fit to be shown: no folders, no control signs, at most 120 characters.

    It is a label only; files are stored under names of our own.
    """
    text = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    text = "".join(" " if sign.isspace() else sign for sign in text if sign.isspace() or fit_to_show(sign))
    text = re.sub(r" +", " ", text).strip(" .")
    if len(text) > LABEL_LENGTH:
        suffix = PurePosixPath(text).suffix[:10]
        text = text[: LABEL_LENGTH - len(suffix) - 1].rstrip() + "…" + suffix
    return text or fallback


def fit_to_show(sign: str) -> bool:
    """Not so control signs, nor those that turn the direction of the rest of the page."""
    return unicodedata.category(sign) not in ("Cc", "Cs", "Co") and sign not in TURNING


def take(upload: UploadedFile[Any] | Path, destination: Path) -> None:
    """Bring an upload, or a file of ours, to `destination`. Raises ServiceError: too large, or no room."""
    size = upload.stat().st_size if isinstance(upload, Path) else int(upload.size or 0)
    if size > settings.MAX_UPLOAD_BYTES:
        raise ServiceError(
            _("The file has %(size)s; at most %(most)s are taken. Cut it, or encode it smaller.")
            % {"size": in_words(size), "most": in_words(settings.MAX_UPLOAD_BYTES)}
        )
    with full_disk_in_words():
        if isinstance(upload, TemporaryUploadedFile) and rename(Path(upload.temporary_file_path()), destination):
            return
        require_room(size)
        with destination.open("xb") as out:
            copy(upload, out)


def rename(arrived: Path, destination: Path) -> bool:
    """Take over the file the upload was streamed to. False: it lies on another disk."""
    try:
        arrived.rename(destination)
    except OSError:
        return False
    destination.chmod(settings.FILE_UPLOAD_PERMISSIONS)
    return True


def copy(upload: UploadedFile[Any] | Path, out: IO[bytes]) -> None:
    if isinstance(upload, Path):
        with upload.open("rb") as file:
            shutil.copyfileobj(file, out, PIECE)
        return
    for piece in upload.chunks(PIECE):
        out.write(piece)


def look_into(
    folder: Path,
    kind: str,
    paths: list[Path],
    *,
    labels: list[str] | None = None,
    resize_second: bool = False,
    fps: str | None = None,
) -> dict[str, Any]:
    """What the files are, and under which names they lie in the folder now: see engine/probe_child.py.

    labels: what the user called them. fps: of pictures, as text.

    Raises:
        BadInputError: refused, with the reason; also when looking took too much time or memory.
        PictureSizesDifferError: two pictures of different sizes.
    """
    request, answer = folder / "request.json", folder / "answer.json"
    seconds = settings.PROBE_SECONDS + sum(path.stat().st_size for path in paths) // PROBE_BYTES_PER_SECOND
    request.write_text(
        json.dumps(
            {
                "kind": kind,
                "paths": [str(path) for path in paths],
                "labels": labels or [path.name for path in paths],
                "folder": str(folder),
                "answer": str(answer),
                "limits": asdict(upload_limits()),
                "resize_second": resize_second,
                "fps": fps,
                "language": {"folders": [str(one) for one in settings.LOCALE_PATHS], "locale": locale()},
                "memory": settings.PROBE_MEMORY_BYTES,
                "seconds": seconds,
            }
        )
    )
    run_child(
        [sys.executable, "-m", "engine.probe_child", str(request)],
        cwd=settings.BASE_DIR,
        env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},  # its address space is limited: few stacks
        memory_limit=settings.PROBE_MEMORY_BYTES,
        time_limit=seconds,
        interval=0.02,
        grace=1.0,
    )
    if not answer.exists():
        raise BadInputError(
            _("The file takes too much time or memory to open. It may be damaged; export it again, smaller.")
        )
    found: dict[str, Any] = json.loads(answer.read_text())
    request.unlink()
    answer.unlink()
    if found.get("code") == "sizes_differ":
        raise PictureSizesDifferError(found["error"])
    if "error" in found:
        raise BadInputError(found["error"])
    return found


def locale() -> str:
    """The language of whoever asks, as folders of catalogues are named."""
    return to_locale(get_language() or settings.LANGUAGE_CODE)


def upload_limits() -> Limits:
    return Limits(max_bytes=settings.MAX_UPLOAD_BYTES)
