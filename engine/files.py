"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .disk import full_disk_in_words


@contextmanager
def atomically(path: Path) -> Iterator[Path]:
    """A temporary path in the same folder; renamed to `path` when the block ends well, removed when it does not.

    Raises:
        NoSpaceError: the disk filled up meanwhile.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        with full_disk_in_words():
            yield temporary
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def link(path: Path, to: Path) -> None:
    """A second name for a file that nobody changes in place; a copy where the disk knows no such thing.

    Raises:
        FileNotFoundError: it is gone. NoSpaceError: no room for a copy.
    """
    with full_disk_in_words():
        try:
            os.link(path, to)
        except FileNotFoundError:
            raise
        except OSError:
            shutil.copy2(path, to)


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
