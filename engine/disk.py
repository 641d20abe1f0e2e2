"""Room on the disk, in words; and waiting for it."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from .errors import NoSpaceError
from .translation import gettext as _
from .translation import ngettext

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what the system says of a disk or a quota that is used up
MIN_FREE_BYTES = 64 * 2**20  # below this nothing new is begun
LOOK_EVERY = 1.0  # seconds between looks at the disk while waiting
TRY_ANYWAY = (
    60.0  # seconds after which it is tried again though no more room is seen: a quota does not show in the figures
)
Result = TypeVar("Result")


def check_room(folder: Path) -> None:
    """Raises NoSpaceError when `folder` has less than 64 MiB left."""
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        raise NoSpaceError(
            _("Only {free} MiB are free on the disk. Make room and start again: finished parts are kept.").format(
                free=free // 2**20
            )
        )


@contextmanager
def full_disk_in_words() -> Iterator[None]:
    """Turns "no space left", also as FFmpeg reports it, into NoSpaceError."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise NoSpaceError(_("The disk is full: not everything could be written. Make room and try again.")) from error


def in_words(size: float) -> str:
    """1536 -> "1.5 KB", for messages."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"


@dataclass(slots=True)
class Room:
    """The room that a render finds on the disk of `folder`. Where there is too little it waits, and says so.

    say: gets what is waited for, in words, about once a second; it may raise to stop. patience: seconds without any
    success until it gives up; 0 never waits.
    """

    folder: Path
    say: Callable[[str], None]
    patience: float = 0.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _since: float | None = field(default=None, init=False)  # when the waiting began

    def wait(self, needed: int = 0) -> None:
        """Returns when `needed` bytes are free, and MIN_FREE_BYTES besides. Raises NoSpaceError when it gives up."""
        if not self.patience:
            check_room(self.folder)
        else:
            self._until(needed + MIN_FREE_BYTES)

    def after(self, error: NoSpaceError, needed: int = 0) -> None:
        """The disk filled up in the middle of something that needs `needed` bytes: returns when to try it once more.

        Raises: `error` itself where waiting helps nothing, or when it gives up.
        """
        cause = error.__cause__
        if not self.patience or (isinstance(cause, OSError) and cause.errno == errno.EFBIG):
            raise error
        more = shutil.disk_usage(self.folder).free + MIN_FREE_BYTES  # what is free now was not enough
        self._until(max(needed + MIN_FREE_BYTES, more), self.clock() + TRY_ANYWAY)

    def do(self, work: Callable[[], Result], needed: int = 0) -> Result:
        """`work()` as soon as there is room, and again when the disk filled up meanwhile. It must leave no halves."""
        self.wait(needed)
        while True:
            try:
                result = work()
            except NoSpaceError as error:
                self.after(error, needed)
            else:
                self.succeeded()
                return result

    def succeeded(self) -> None:
        """Something was written: the patience begins anew."""
        self._since = None

    def _until(self, wanted: int, try_at: float = float("inf")) -> None:
        while (free := shutil.disk_usage(self.folder).free) < wanted and self.clock() < try_at:
            now = self.clock()
            self._since = now if self._since is None else self._since
            if now - self._since > self.patience:
                raise NoSpaceError(
                    _(
                        "For {hours} there was not enough room on the disk: {wanted} are needed, {free} are free. "
                        "Make room and start again: finished parts are kept."
                    ).format(hours=_hours(self.patience), wanted=in_words(wanted), free=in_words(free))
                )
            self.say(_("{wanted} of free space").format(wanted=in_words(wanted)))
            self.sleep(LOOK_EVERY)
        self.say("")


def _hours(seconds: float) -> str:
    if seconds >= 5400:
        hours = round(seconds / 3600)
        return ngettext("{count} hour", "{count} hours", hours).format(count=hours)
    minutes = round(seconds / 60)
    return ngettext("{count} minute", "{count} minutes", minutes).format(count=minutes)
