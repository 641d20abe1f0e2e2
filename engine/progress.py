"""How far a render is, told to whoever asked, and the place where it can be stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from .errors import StoppedError
from .translation import gettext as _

STAGES = ("reading", "interpolating", "evaluating", "joining", "previews")


@dataclass(frozen=True, slots=True)
class Progress:
    """frames_done of frames_total of one stage. In "joining" the whole film counts as one.

    waiting: what stands in the way, in words ("1.2 GB of free space"); "" while work goes on.
    """

    stage: str
    frames_done: int
    frames_total: int
    waiting: str = ""


@dataclass(slots=True)
class Reporter:
    """Passes progress on; every call is also a chance to stop."""

    on_progress: Callable[[Progress], None] | None = None
    should_stop: Callable[[], bool] | None = None
    last: Progress = Progress(STAGES[0], 0, 0)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Raises StoppedError when the caller wants no more."""
        self._tell(Progress(stage, done, max(done, total)))

    def waiting(self, words: str) -> None:
        """Work stands still for want of `words`; "" when it goes on. Raises as a call does."""
        if words or self.last.waiting:
            self._tell(replace(self.last, waiting=words))

    def _tell(self, progress: Progress) -> None:
        if self.should_stop is not None and self.should_stop():
            raise StoppedError(_("Stopped. Finished parts are kept and will be used when it is started again."))
        self.last = progress
        if self.on_progress is not None:
            self.on_progress(progress)
