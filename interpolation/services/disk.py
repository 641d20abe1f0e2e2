"""Room on the disk, in words."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from engine.disk import FULL
from engine.disk import in_words as in_words
from engine.errors import NoSpaceError

from .errors import NoRoomError

DISK_FULL = "The server's disk is full, nothing was kept. Ask the administrator to make room, then try again."


def free_bytes() -> int:
    """Room on the disk that holds the media, in bytes."""
    root = Path(settings.MEDIA_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(root).free


def require_room(needed: int) -> None:
    """Raises NoRoomError when `needed` bytes would leave less than the room that must stay free."""
    free = free_bytes()
    if free - needed < settings.MIN_FREE_BYTES:
        raise NoRoomError(
            f"The server's disk has no room for this: {in_words(needed)} needed, {in_words(free)} free, "
            f"of which {in_words(settings.MIN_FREE_BYTES)} must stay free. Ask the administrator to make room, "
            "or delete projects that are no longer needed."
        )


@contextmanager
def full_disk_in_words() -> Iterator[None]:
    """Turns "no space left on device" of whatever is inside into words."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise NoRoomError(DISK_FULL) from error
    except NoSpaceError as error:
        raise NoRoomError(str(error)) from error
