"""How far a render is, told to whoever asked, and the place where it can be stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .errors import StoppedError

STAGES = ("reading", "interpolating", "evaluating", "joining", "previews")


@dataclass(frozen=True, slots=True)
class Progress:
    """frames_done of frames_total of one stage. In "joining" the whole film counts as one."""

    stage: str
    frames_done: int
    frames_total: int


@dataclass(frozen=True, slots=True)
class Reporter:
    """Passes progress on; every call is also a chance to stop."""

    on_progress: Callable[[Progress], None] | None = None
    should_stop: Callable[[], bool] | None = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Raises StoppedError when the caller wants no more."""
        if self.should_stop is not None and self.should_stop():
            raise StoppedError("Stopped. Finished parts are kept and will be used when it is started again.")
        if self.on_progress is not None:
            self.on_progress(Progress(stage, done, max(done, total)))
