"""What the task queue runs: give the job to a child process and watch it. It may start twice; the claim decides.

A worker keeps one child warm: it has loaded all it needs and waits, so that a small job takes no longer than its own
work. After a job that went well the same child waits for the next; after any other end it is replaced.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from pathlib import Path
from typing import IO
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from engine.childproc import ChildResult, run_child
from engine.warm import WarmChild
from engine.workers import child_environment, worker_name, working_on

from . import services
from .models import Job

BEAT = 3.0  # seconds between heartbeats
GRACE = 10.0  # seconds from asking a child to end to killing it
LOOK = 0.5  # seconds between looks at the cancel flag
KEEP_BYTES = 1 << 30  # a child that holds more memory than this after a job is replaced
KEEP_JOBS = 50  # and so is one that has done so many
log = logging.getLogger(__name__)
_waiting: WarmChild | None = None  # this worker's child between two jobs


class StalledError(Exception):
    """A child lives but gets nowhere. It is killed, not asked to stop: what stops in order does not cost an attempt."""


def job_run(job_id: str) -> str:
    """One attempt at the job that is next, which need not be the one that the message names; returns how it ended."""
    worker = worker_name()
    next_job = services.job_claim_next(worker=worker)
    if next_job is None:
        if services.held_back(worker):
            services.wake()  # for other machines: this one has taken their message
        return "nothing waits"
    try:
        with working_on(str(next_job)):
            return attempt(str(next_job), worker)
    finally:
        services.wake()


def attempt(job_id: str, worker: str) -> str:
    """At a job that is held; returns how it ended, for the queue's own list."""
    log.info("started", extra={"job": job_id})
    try:
        result = watched_child(job_id, worker)
    except StalledError as error:
        close_old_connections()
        services.job_lost(job_id=job_id, worker=worker, reason=str(error))
    else:
        close_old_connections()
        settle(UUID(job_id), worker, result)
    status = Job.objects.filter(pk=job_id).values_list("status", flat=True).first()
    if status is None:
        services.job_remove_files(job_id=UUID(job_id))
    else:
        services.job_measure(job_id=UUID(job_id))
        services.mail_job_ended(job_id=UUID(job_id))
    return status or "deleted"


def figures_run(job_id: str) -> str:
    """The figures of a finished job once more, in a child of its own; returns how it ended."""
    with working_on(job_id), log_path(job_id).open("ab") as words:
        result = run_child(
            [sys.executable, "manage.py", "measure_job", job_id],
            env=child_environment(job_id, settings.JOB_THREADS),
            cwd=settings.BASE_DIR,
            memory_limit=settings.JOB_MEMORY_BYTES,
            time_limit=settings.JOB_TIMEOUT,
            grace=GRACE,
            output=words,
        )
    close_old_connections()
    if result.ended != "exit" or result.returncode:
        log.error("figures could not be measured again; see its own log", extra={"job": job_id})
    services.wake()  # its message may have been counted as one for a waiting job
    return "measured" if result.returncode == 0 else "failed"


def watched_child(job_id: str, worker: str) -> ChildResult:
    """Raises StalledError when nothing moved for too long; the child is gone then."""
    watch, log_file = Watch(UUID(job_id), worker), log_path(job_id)
    request = {"job": job_id, "claim": worker, "log": str(log_file)}
    waited = _take_waiting()
    child = waited or start_child(log_file)
    try:
        result = _hand_over(child, request, watch)
        if waited and not child.taken:  # it had died meanwhile
            child.close()
            child = start_child(log_file)
            result = _hand_over(child, request, watch)
        _keep_or_replace(child, result)
        return result
    except BaseException:
        child.close()
        prepare()
        raise


def _hand_over(child: WarmChild, request: dict[str, str], watch: Watch) -> ChildResult:
    return child.serve(
        request,
        on_tick=watch.tick,
        should_stop=watch.should_stop,
        memory_limit=settings.JOB_MEMORY_BYTES,
        time_limit=watch.time_limit,
        grace=GRACE,
    )


def start_child(output: Path | None = None) -> WarmChild:
    """A child that takes a request when it has loaded everything. What it says on the way goes to `output`."""
    words: IO[bytes] | None = output.open("ab") if output else None
    try:
        return WarmChild(
            [sys.executable, "manage.py", "serve_jobs"],
            env=child_environment("-", settings.JOB_THREADS),
            cwd=settings.BASE_DIR,
            output=words,
        )
    finally:
        if words:
            words.close()


def prepare() -> None:
    """See to it that a child waits for this worker's next job, where that is wanted (INBETWEEN_WARM)."""
    global _waiting
    if not settings.JOB_WARM or (_waiting is not None and _waiting.alive):
        return
    try:
        _waiting = start_child()
    except OSError as error:  # no memory, no more processes: the next job starts one itself
        log.warning("no child could be started in advance: %s", error)


def dismiss() -> None:
    """End the child that waits, if there is one."""
    child = _take_waiting()
    if child is not None:
        child.close()


def _take_waiting() -> WarmChild | None:
    global _waiting
    child, _waiting = _waiting, None
    return child


def _keep_or_replace(child: WarmChild, result: ChildResult) -> None:
    global _waiting
    if settings.JOB_WARM and child.fit_to_stay(result, KEEP_BYTES, KEEP_JOBS):
        _waiting = child
    else:
        child.close()
        prepare()


def log_path(job_id: str) -> Path:
    """Where the child's own words go, for administrators."""
    path = Path(settings.LOG_DIR) / "jobs" / f"{job_id}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


class Watch:
    """The parent's side of a running child: heartbeat, cancel flag, stall. Outlives a database that is away a while."""

    def __init__(self, job_id: UUID, worker: str) -> None:
        self.job_id, self.worker = job_id, worker
        self.beaten = self.looked = 0.0
        self.stop = False
        self.moved = (time.monotonic(), ("", 0, 0))
        self.waited, self.seen = 0.0, time.monotonic()
        self.ended = 0.0  # when the row was first seen to be over although the child still works

    def tick(self) -> None:
        now = time.monotonic()
        try:
            if now - self.beaten > BEAT:
                self.beaten = now
                services.job_beat(job_id=self.job_id, worker=self.worker)
            if now - self.looked > LOOK:
                self.looked = now
                self.look(now)
        except DatabaseError:
            log.warning("the database does not answer; trying again", exc_info=True, extra={"job": self.job_id})
            close_old_connections()

    def look(self, now: float) -> None:
        columns = ("status", "cancel_requested_at", "waiting", "stage", "frames_done", "frames_total")
        row = Job.objects.filter(pk=self.job_id, worker=self.worker).values_list(*columns).first()
        paused = services.held_back(self.worker) == "pause"  # then it goes on later from where it is
        if row is None or row[1] is not None or paused:  # deleted, in other hands, or cancelled
            self.stop = True
        elif row[0] != Job.Status.RUNNING:  # all is said in the row: the child has a moment to come to its end
            self.ended = self.ended or now
            self.stop = now - self.ended > GRACE
        elif row[2]:  # it waits for room on the disk: that is no stall, and no time of its own
            self.waited += now - self.seen
            self.moved = (now, row[3:])
        elif row[3:] != self.moved[1]:
            self.moved = (now, row[3:])
        elif settings.JOB_STALL and now - self.moved[0] > settings.JOB_STALL:
            minutes = round(settings.JOB_STALL / 60)
            words = ngettext("Nothing moved for %(count)s minute.", "Nothing moved for %(count)s minutes.", minutes)
            raise StalledError(words % {"count": minutes})
        self.seen = now

    def should_stop(self) -> bool:
        return self.stop

    def time_limit(self) -> float:
        """Seconds the job may take from its start; what it waited for room on the disk does not count."""
        return settings.JOB_TIMEOUT + self.waited


def how_it_died(result: ChildResult) -> str:
    """In words, for people."""
    if result.killed:
        words = _("The process that rendered this was killed (signal %(number)s), perhaps for want of memory.")
        return words % {"number": -result.returncode}
    return _("The process that rendered this broke down (code %(number)s).") % {"number": result.returncode}


def settle(job_id: UUID, worker: str, result: ChildResult) -> None:
    """Say in the row how the child ended, where the child could not say it itself."""
    if result.ended == "memory":
        words = _("This job needed more than the %(limit)s MB of memory a job may use. Choose a lower resolution.")
        limit = settings.JOB_MEMORY_BYTES // 2**20
        services.job_fail(job_id=job_id, worker=worker, error=words % {"limit": limit})
    elif result.ended == "time":
        words = _("This job took longer than the %(hours)s hours a job may take. Try a shorter part.")
        services.job_fail(job_id=job_id, worker=worker, error=words % {"hours": settings.JOB_TIMEOUT // 3600})
    elif result.ended == "stopped" or result.returncode == -signal.SIGTERM:  # or asked to end before it had begun
        services.job_stopped(job_id=job_id, worker=worker)
    elif result.returncode != 0:
        services.job_lost(job_id=job_id, worker=worker, reason=how_it_died(result))
    log.info("child ended: %s, code %d", result.ended, result.returncode, extra={"job": job_id})
