"""Work that nothing waits for until the film is drawn, in a thread beside the drawing: the network leaves much of a
machine's time unused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar

from .errors import NoSpaceError, StoppedError

Result = TypeVar("Result")
OnStep = Callable[[int], None]  # gets the number of steps done so far; what it raises ends the work


class Aside(Generic[Result]):
    """One piece of work. Use in a `with` block, which ends it when it is left early.

    work: leaves no halves when it is stopped. at_once: whether it begins in the thread; else `finish` does it all.
    """

    def __init__(self, work: Callable[[OnStep], Result], *, at_once: bool = True) -> None:
        self._work, self._at_once = work, at_once
        self._results: list[Result] = []
        self._error: BaseException | None = None
        self._steps, self._stopped = 0, threading.Event()
        self._thread = threading.Thread(target=self._run, name="aside", daemon=True)

    def __enter__(self) -> Self:
        if self._at_once:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        if self._at_once:
            self._thread.join()

    def finish(self, on_step: OnStep) -> Result:
        """What the work gives. `on_step` is told meanwhile how far it is, and may raise.

        Raises: what went wrong in it; NoSpaceError: call again when there is room.
        """
        while self._thread.is_alive():
            on_step(self._steps)
            self._thread.join(0.2)
        error, self._error = self._error, None
        if error is not None and not isinstance(error, NoSpaceError):
            raise error
        if not self._results:
            self._results.append(self._work(on_step))
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._work(self._step))
        except BaseException as error:  # noqa: BLE001 - raised again in finish()
            self._error = error

    def _step(self, done: int) -> None:
        self._steps = done
        if self._stopped.is_set():
            raise StoppedError("Stopped.")
