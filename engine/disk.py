"""Room on the disk, in words."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import NoSpaceError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what the system says of a disk or a quota that is used up
MIN_FREE_BYTES = 64 * 2**20  # below this nothing new is begun


def check_room(folder: Path) -> None:
    """Raises NoSpaceError when `folder` has less than 64 MiB left."""
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        raise NoSpaceError(
            f"Only {free // 2**20} MiB are free on the disk. Make room and start again: finished parts are kept."
        )


@contextmanager
def full_disk_in_words() -> Iterator[None]:
    """Turns "no space left", also as FFmpeg reports it, into NoSpaceError."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise NoSpaceError("The disk is full: not everything could be written. Make room and try again.") from error
