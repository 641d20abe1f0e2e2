"""The inside of a training run, whoever started it: call the loop, write down how it goes."""

from __future__ import annotations

import errno
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from engine.config import TrainConfig
from engine.errors import EngineError

from . import pictures, services
from .models import TrainingRun

if TYPE_CHECKING:
    from engine.learn.loop import EpochReport, StepReport, TrainResult
    from engine.learn.showing import Shown

WRITES_PER_SECOND = 1.0
BEAT = 5.0  # seconds
RATE_WINDOW = 30.0  # seconds that the rate is measured over
MEMORY_WORDS = gettext_noop("There was not enough memory. Use a smaller batch or crop.")
log = logging.getLogger(__name__)


class Recorder:
    """Callbacks of the loop that keep the row up to date. A database that is away for a moment stops nothing."""

    def __init__(self, run: TrainingRun, worker: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.run, self.worker, self.clock = run, worker, clock
        self.written = -math.inf
        self.recent: list[float] = []
        self.curve: list[list[float]] = list(run.curve)
        self.marks: deque[tuple[float, int]] = deque()  # (when, step) of the last while
        self.every = 1  # steps per point of the curve; doubles when it is full
        if len(self.curve) > 1:
            self.every = max(1, round(self.curve[-1][0] - self.curve[-2][0]))

    def on_step(self, report: StepReport) -> None:
        if math.isfinite(report.loss):
            self.recent.append(report.loss)
        now = self.clock()
        due = now - self.written >= 1 / WRITES_PER_SECOND or report.step == report.steps_total
        if report.step % self.every == 0 and self.recent:
            self._point(report.step)
        self.marks.append((now, report.step))
        while self.marks[0][0] < now - RATE_WINDOW:
            self.marks.popleft()
        if due:
            self.written = now
            self._write(report)

    def on_epoch(self, report: EpochReport) -> None:
        self._safely(lambda: services.epoch_add(run_id=self.run.pk, worker=self.worker, report=report))

    def _point(self, step: int) -> None:
        """Adds the mean loss since the last point, thinning the curve to every other point when it is full."""
        self.curve = [point for point in self.curve if point[0] < step]  # resumed: these steps are done again
        self.curve.append([step, round(sum(self.recent) / len(self.recent), 6)])
        self.recent = self.recent[-1:]
        if len(self.curve) > services.CURVE_POINTS:
            self.curve, self.every = self.curve[1::2], self.every * 2

    def _write(self, report: StepReport) -> None:
        loss = self.curve[-1][1] if self.curve else report.loss
        self._safely(
            lambda: services.training_run_progress(
                run_id=self.run.pk, worker=self.worker, report=report, loss=loss, rate=self.rate(), curve=self.curve
            )
        )

    def rate(self) -> float | None:
        """Samples a second over the last while, with everything that takes time; None while that is not known."""
        (then, first), (now, last) = self.marks[0], self.marks[-1]
        return (last - first) * self.run.config["batch_size"] / (now - then) if now - then >= 1 else None

    def _safely(self, write: Callable[[], bool]) -> None:
        try:
            write()
        except DatabaseError:
            log.warning("the database does not answer; training goes on", exc_info=True)
            close_old_connections()


class Pulse:
    """A thread that says "alive" and hears whether a person asked to stop, while steps take their time."""

    def __init__(self, run: TrainingRun, worker: str) -> None:
        self.run, self.worker = run, worker
        self.stop_asked = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="pulse", daemon=True)

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        try:
            while not self._over.wait(BEAT):
                self._beat()
        finally:
            connection.close()

    def _beat(self) -> None:
        try:
            ours = services.training_run_beat(run_id=self.run.pk, worker=self.worker)
            asked = TrainingRun.objects.filter(pk=self.run.pk, cancel_requested_at__isnull=False).exists()
        except DatabaseError:
            log.warning("the database does not answer; training goes on", exc_info=True)
            close_old_connections()
            return
        if asked or not ours:
            self.stop_asked.set()


def run(run_id: str, worker: str, should_stop: Callable[[], bool]) -> int:
    """One attempt at a claimed run, in a process of its own. Returns 0 when the row says how it ended, 1 when not."""
    row = TrainingRun.objects.get(pk=run_id)
    held: dict[str, Any] = {"run_id": row.pk, "worker": worker}
    try:
        config = TrainConfig.from_dict(row.config)
        if services.resume_path(config).is_file() and (row.steps_done or row.attempts > 1):
            config = replace(config, resume=True)
        config = replace(config, max_minutes=min(config.max_minutes or math.inf, settings.TRAINING_TIMEOUT / 60))
        result = train(row, worker, config, should_stop)
        settle(row, worker, result, interrupted=should_stop())
    except EngineError as error:
        log.warning("refused: %s", error, exc_info=error.__cause__)
        services.training_run_fail(**held, error=str(error))
    except MemoryError:
        log.exception("out of memory")
        services.training_run_fail(**held, error=_(MEMORY_WORDS))
    except DatabaseError:
        raise  # the worker sees the exit code and the run gets another attempt
    except Exception as error:
        log.exception("broke down")
        if should_stop():  # the processes that prepare samples may be ended first, under the loop's feet
            services.training_run_stopped(**held)
            return 0
        words = _("Something broke inside while training. The administrator finds the details in the log of this run.")
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            words = _("The disk is full. Free some space, then let the run go on.")
        services.training_run_fail(**held, error=words)
        return 1
    return 0


def train(
    row: TrainingRun,
    worker: str,
    config: TrainConfig,
    should_stop: Callable[[], bool],
    *,
    on_step: Callable[[StepReport], None] = lambda report: None,
    on_epoch: Callable[[EpochReport], None] = lambda report: None,
) -> TrainResult:
    """The loop, recorded; the extra callbacks are for whoever watches in a terminal."""
    from engine.learn.loop import train as train_loop

    recorder = Recorder(row, worker)
    services.training_run_stage(run_id=row.pk, worker=worker, stage=gettext_noop("reading the data"))

    def both_steps(report: StepReport) -> None:
        recorder.on_step(report)
        on_step(report)

    def both_epochs(report: EpochReport) -> None:
        recorder.on_epoch(report)
        on_epoch(report)

    return train_loop(
        config,
        on_step=both_steps,
        on_epoch=both_epochs,
        on_pictures=lambda epoch, shown: keep_pictures(row, epoch, shown),
        should_stop=should_stop,
    )


def keep_pictures(row: TrainingRun, epoch: int, shown: Iterable[Shown]) -> None:
    """A full disk costs the pictures, not the training."""
    try:
        pictures.keep(row.pk, epoch, shown)
    except OSError:
        log.warning("the pictures of epoch %d could not be kept", epoch, exc_info=True, extra={"job": row.pk})


def settle(row: TrainingRun, worker: str, result: TrainResult, *, interrupted: bool) -> None:
    """Finished, out of its time, ended by a person - or interrupted by a worker that shuts down: to go on later."""
    row.refresh_from_db(fields=["cancel_requested_at"])
    stopped = result.stopped and interrupted
    if stopped and row.cancel_requested_at is None and not row.by_hand:
        services.training_run_stopped(run_id=row.pk, worker=worker)
    else:
        services.training_run_finish(run_id=row.pk, worker=worker, result=result, stopped=stopped)
