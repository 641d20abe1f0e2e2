"""One portal per data folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self


class LockedError(Exception):
    """Another portal uses the folder; the message says where it is."""


class FolderLock:
    """Held while the `with` block runs; the kernel frees it when the process ends, however it ends."""

    def __init__(self, path: Path, note: str) -> None:
        self.path, self.note = path, note
        self.file = -1

    def __enter__(self) -> Self:
        self.file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)  # not inherited by children
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            note = os.read(self.file, 1000).decode(errors="replace").strip()
            os.close(self.file)
            raise LockedError(
                f"A portal is already running on the data folder {self.path.parent}: {note or 'just starting'}. "
                "Use that one, stop it, or give this one another folder: make up INBETWEEN_DATA=/some/folder"
            ) from error
        os.ftruncate(self.file, 0)
        os.write(self.file, f"{self.note} (process {os.getpid()})".encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.ftruncate(self.file, 0)
        os.close(self.file)
