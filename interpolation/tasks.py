"""What the task queue runs: start the job's child process and watch it. It may start twice; the claim decides."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections

from engine.childproc import ChildResult, run_child
from engine.workers import child_environment, worker_name

from . import services
from .models import Job

BEAT = 3.0  # seconds between heartbeats
GRACE = 10.0  # seconds from asking a child to end to killing it
LOOK = 0.5  # seconds between looks at the cancel flag
log = logging.getLogger(__name__)


class StalledError(Exception):
    """A child lives but gets nowhere. It is killed, not asked to stop: what stops in order does not cost an attempt."""


def job_run(job_id: str) -> str:
    """One attempt at a job; returns how it ended, for the queue's own list."""
    worker = worker_name()
    if not services.job_claim(job_id=job_id, worker=worker):
        return "not waiting"
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
    return status or "deleted"


def watched_child(job_id: str, worker: str) -> ChildResult:
    """Raises StalledError when nothing moved for too long; the child is gone then."""
    watch = Watch(UUID(job_id), worker)
    with log_path(job_id).open("ab") as words:
        return run_child(
            [sys.executable, "manage.py", "run_job", job_id, "--claim", worker],
            on_tick=watch.tick,
            should_stop=watch.should_stop,
            memory_limit=settings.JOB_MEMORY_BYTES,
            time_limit=settings.JOB_TIMEOUT,
            grace=GRACE,
            env=child_environment(job_id, settings.JOB_THREADS),
            cwd=settings.BASE_DIR,
            output=words,
        )


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
        columns = ("cancel_requested_at", "stage", "frames_done", "frames_total")
        row = Job.objects.filter(pk=self.job_id, worker=self.worker).values_list(*columns).first()
        if row is None or row[0] is not None:  # deleted, in other hands, or cancelled
            self.stop = True
        elif row[1:] != self.moved[1]:
            self.moved = (now, row[1:])
        elif settings.JOB_STALL and now - self.moved[0] > settings.JOB_STALL:
            raise StalledError(f"Nothing moved for {settings.JOB_STALL / 60:.0f} minutes.")

    def should_stop(self) -> bool:
        return self.stop


def settle(job_id: UUID, worker: str, result: ChildResult) -> None:
    """Say in the row how the child ended, where the child could not say it itself."""
    if result.ended == "memory":
        limit = settings.JOB_MEMORY_BYTES // 2**20
        services.job_fail(
            job_id=job_id,
            worker=worker,
            error=f"This job needed more than the {limit} MB of memory a job may use. Choose a lower resolution.",
        )
    elif result.ended == "time":
        hours = settings.JOB_TIMEOUT // 3600
        services.job_fail(
            job_id=job_id,
            worker=worker,
            error=f"This job took longer than the {hours} hours a job may take. Try a shorter part.",
        )
    elif result.ended == "stopped":
        services.job_stopped(job_id=job_id, worker=worker)
    elif result.returncode != 0:
        services.job_lost(job_id=job_id, worker=worker, reason=f"The process that rendered this {result.how_it_died}.")
    log.info("child ended: %s, code %d", result.ended, result.returncode, extra={"job": job_id})
