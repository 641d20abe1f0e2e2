"""Room on the disk, in words."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from engine.disk import FULL
from engine.disk import in_words as in_words
from engine.errors import NoSpaceError

from .errors import NoRoomError

DISK_FULL = gettext_noop(
    "The server's disk is full, nothing was kept. Ask the administrator to make room, then try again."
)


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
            _(
                "The server's disk has no room for this: %(needed)s needed, %(free)s free, of which "
                "%(least)s must stay free. Ask the administrator to make room, or delete "
                "projects that are no longer needed."
            )
            % {"needed": in_words(needed), "free": in_words(free), "least": in_words(settings.MIN_FREE_BYTES)}
        )


@contextmanager
def full_disk_in_words() -> Iterator[None]:
    """Turns "no space left on device" of whatever is inside into words."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise NoRoomError(_(DISK_FULL)) from error
    except NoSpaceError as error:
        raise NoRoomError(str(error)) from error
