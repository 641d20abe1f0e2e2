"""The inside of a job's child process: load the model, render, write down what came of it."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.utils.translation import gettext as _

from engine.config import RenderOptions
from engine.errors import EngineError, StoppedError

from . import services
from .models import Job, Source

if TYPE_CHECKING:
    from engine.interpolator import Interpolator
    from engine.render import Progress, RenderResult

log = logging.getLogger(__name__)
WRITES_PER_SECOND = 4.0
SAID_AGAIN = 5.0  # seconds after which the log says how far it is
WAITING_AGAIN = 5.0  # seconds after which it is said once more that a job waits
RATE_WINDOW = 10.0  # seconds that the estimate looks back


def run(job_id: str, worker: str, should_stop: Callable[[], bool]) -> int:
    """One attempt at a claimed job. Returns the exit code: 0 the row says how it ended, 1 it broke down."""
    job = Job.objects.select_related("source").get(pk=job_id)
    try:
        result = render(job, worker, should_stop)
        services.job_finish(job_id=job.pk, worker=worker, result=result)
    except StoppedError:
        services.job_stopped(job_id=job.pk, worker=worker)
    except EngineError as error:
        log.warning("refused: %s", error, exc_info=error.__cause__)
        services.job_fail(job_id=job.pk, worker=worker, error=str(error))
    except MemoryError:
        log.exception("out of memory")
        words = _("There was not enough memory. Choose a lower resolution.")
        services.job_fail(job_id=job.pk, worker=worker, error=words)
    except DatabaseError:
        raise  # the worker sees the exit code and the job gets another attempt
    except Exception:
        log.exception("broke down")
        words = _("Something broke inside while rendering. The administrator finds the details in the log of this job.")
        services.job_fail(job_id=job.pk, worker=worker, error=words)
        return 1
    return 0


def render(job: Job, worker: str, should_stop: Callable[[], bool]) -> RenderResult:
    from engine.interpolator import Interpolator
    from engine.render import render_pictures, render_video

    options = RenderOptions.from_dict(job.options)
    reporter = Reporter(job, worker)
    services.job_say(job.pk, f"attempt {job.attempts}")
    reporter.stage("loading the model")
    interpolator: Interpolator = Interpolator.load(options.model, settings.JOB_DEVICE, threads=settings.JOB_THREADS)
    services.job_model(job_id=job.pk, worker=worker, model=interpolator.info)
    services.job_say(job.pk, f"drawn by {interpolator.info.name} {interpolator.info.sha256[:12]}".rstrip())
    job.directory.mkdir(parents=True, exist_ok=True)
    if job.source.kind == Source.Kind.VIDEO:
        return render_video(
            job.source.path,
            job.directory,
            options,
            interpolator,
            on_progress=reporter,
            should_stop=should_stop,
            disk_patience=settings.DISK_WAIT,
        )
    return render_pictures(
        job.source.path,
        second_picture(job.source),
        job.directory,
        options,
        interpolator,
        resize_second=bool(job.source.info.get("resize_second")),
        on_progress=reporter,
        should_stop=should_stop,
        disk_patience=settings.DISK_WAIT,
    )


def warm_up() -> None:
    """Loads everything a job needs, and draws one small picture: libraries set themselves up at their first use."""
    import numpy as np

    import engine.render  # noqa: F401
    from engine.interpolator import Interpolator

    ground = np.random.default_rng(0).integers(0, 255, (256, 288, 3), dtype=np.uint8)
    try:
        model = Interpolator.load(None, settings.JOB_DEVICE, threads=settings.JOB_THREADS)
        model.pair(np.ascontiguousarray(ground[:, :256]), np.ascontiguousarray(ground[:, 32:])).at(0.5)
    except EngineError as error:  # damaged weights, no such device: the job that needs them says it to its owner
        log.warning("not warmed up: %s", error)


def second_picture(source: Source) -> Path:
    if source.path2 is None:
        raise EngineError(_("The second picture of this source is missing. Upload both again."))
    return source.path2


class Reporter:
    """Writes progress into the row: every change of stage, else about four times a second, and less while it waits."""

    def __init__(self, job: Job, worker: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.job, self.worker, self.clock = job, worker, clock
        self.written = 0.0
        self.last = ("", "")
        self.said = 0.0
        self.marks: deque[tuple[float, int]] = deque()

    def stage(self, name: str) -> None:
        self.write(name, 0, 0)

    def __call__(self, progress: Progress) -> None:
        now, changed = self.clock(), (progress.stage, progress.waiting) != self.last
        if changed or progress.waiting:
            self.marks.clear()
        pause = WAITING_AGAIN if progress.waiting else 1 / WRITES_PER_SECOND
        over = progress.frames_done >= progress.frames_total and not progress.waiting
        if not changed and not over and now - self.written < pause:
            return
        if not progress.waiting:
            self.mark(now, progress.frames_done)
        self.write(progress.stage, progress.frames_done, progress.frames_total, progress.waiting)

    def mark(self, now: float, done: int) -> None:
        self.marks.append((now, done))
        while len(self.marks) > 2 and now - self.marks[0][0] > RATE_WINDOW:
            self.marks.popleft()

    def eta(self, done: int, total: int) -> float | None:
        """Seconds until this stage is through, at the rate of the last seconds; None while that is not known."""
        (then, before), (now, _done) = self.marks[0], self.marks[-1]
        if now - then < 1 or done <= before:
            return None
        return (total - done) * (now - then) / (done - before)

    def say(self, stage: str, done: int, total: int, waiting: str) -> None:
        """A line in the job's log: of every stage, and now and then how far it is."""
        now, changed = self.clock(), (stage, waiting) != self.last
        if not changed and now - self.said < SAID_AGAIN:
            return
        self.said = now
        far = f", {done} of {total}" if total > 0 and not waiting else ""
        services.job_say(self.job.pk, f"waiting: {waiting}" if waiting else f"{stage}{far}{self.pace()}")

    def pace(self) -> str:
        """How fast it goes, in words; nothing while that is not known."""
        if len(self.marks) < 2:
            return ""
        (then, before), (now, done) = self.marks[0], self.marks[-1]
        return f", {(done - before) / (now - then):.1f} a second" if now - then >= 1 and done > before else ""

    def write(self, stage: str, done: int, total: int, waiting: str = "") -> None:
        self.say(stage, done, total, waiting)
        self.written, self.last = self.clock(), (stage, waiting)
        try:
            services.job_progress(
                job_id=self.job.pk,
                worker=self.worker,
                stage=stage,
                frames_done=done,
                frames_total=total,
                eta_seconds=self.eta(done, total) if self.marks else None,
                waiting=waiting,
            )
        except DatabaseError:  # no line about progress is worth the frames drawn so far
            log.warning("the database does not answer; rendering goes on", exc_info=True)
            close_old_connections()
