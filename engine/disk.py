"""Room on the disk, in words."""

from __future__ import annotations

import shutil
from pathlib import Path

from .errors import NoSpaceError

MIN_FREE_BYTES = 64 * 2**20  # below this nothing new is begun


def check_room(folder: Path) -> None:
    """Raises NoSpaceError when `folder` has less than 64 MiB left."""
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        raise NoSpaceError(
            f"Only {free // 2**20} MiB are free on the disk. Make room and start again: finished parts are kept."
        )
