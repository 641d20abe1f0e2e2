"""What the training cluster runs: start the child of a run and watch it. It may start twice; the claim decides."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.utils.translation import gettext as _

from engine.childproc import ChildResult, run_child
from engine.workers import child_environment, worker_name, working_on

from . import services
from .models import TrainingRun
from .notices import mail_run_ended

BEAT = 3.0  # seconds between heartbeats
LOOK = 0.5  # seconds between looks at the stop flag
SLACK = 1800.0  # seconds beyond its time in which a run, which knows its time, has to end by itself
GRACE = 60.0  # seconds that a run may take to end its step and save
log = logging.getLogger(__name__)


def training_run(run_id: str) -> str:
    """One attempt at a run; returns how it ended, for the queue's own list."""
    worker = worker_name()
    if services.held_back(worker):
        return "held back by an administrator"
    if not services.training_run_claim(run_id=run_id, worker=worker):
        return "not waiting"
    watch = Watch(UUID(run_id), worker)
    with open_log(run_id) as words, working_on(run_id):
        result = run_child(
            [sys.executable, "manage.py", "run_training", run_id, "--claim", worker],
            on_tick=watch.tick,
            should_stop=watch.should_stop,
            memory_limit=settings.JOB_MEMORY_BYTES,
            time_limit=settings.TRAINING_TIMEOUT + SLACK,
            grace=GRACE,
            env=child_environment(run_id, settings.TRAINING_THREADS),
            cwd=settings.BASE_DIR,
            output=words,
        )
    close_old_connections()
    return settle(UUID(run_id), worker, result)


def open_log(run_id: str) -> IO[bytes]:
    """Where the child's own words go: logs/training/ID.log, for administrators."""
    path = Path(settings.LOG_DIR) / "training" / f"{run_id}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab")


class Watch:
    """The parent's side of a running child. Outlives a database that is away for a while."""

    def __init__(self, run_id: UUID, worker: str) -> None:
        self.run_id, self.worker = run_id, worker
        self.beaten = self.looked = 0.0
        self.stop = False

    def tick(self) -> None:
        now = time.monotonic()
        try:
            if now - self.beaten > BEAT:
                self.beaten = now
                services.training_run_beat(run_id=self.run_id, worker=self.worker)
            if now - self.looked > LOOK:
                self.looked = now
                self.look()
        except DatabaseError:
            log.warning("the database does not answer; trying again", exc_info=True, extra={"job": self.run_id})
            close_old_connections()

    def look(self) -> None:
        """Stop when a person asked for it, an administrator pauses, or the row is gone or somebody else's."""
        row = TrainingRun.objects.filter(pk=self.run_id, worker=self.worker).values_list("cancel_requested_at").first()
        self.stop = row is None or row[0] is not None or services.held_back(self.worker) == "pause"

    def should_stop(self) -> bool:
        return self.stop


def how_it_died(result: ChildResult) -> str:
    """In words, for people."""
    if result.killed:
        words = _("The process that trained was killed (signal %(number)s), perhaps for want of memory.")
        return words % {"number": -result.returncode}
    return _("The process that trained broke down (code %(number)s).") % {"number": result.returncode}


def settle(run_id: UUID, worker: str, result: ChildResult) -> str:
    """Say in the row how the child ended, where the child could not say it itself."""
    held: dict[str, Any] = {"run_id": run_id, "worker": worker}
    if result.ended == "memory":
        limit = settings.JOB_MEMORY_BYTES // 2**20
        words = _("Training needed more than the %(limit)s MB of memory it may use. Use a smaller batch or crop.")
        services.training_run_fail(**held, error=words % {"limit": limit})
    elif result.ended == "time":
        words = _("Training took longer than the %(hours)s hours it may take.")
        services.training_run_fail(**held, error=words % {"hours": settings.TRAINING_TIMEOUT // 3600})
    elif result.ended == "stopped":
        services.training_run_stopped(**held)
    elif result.returncode != 0:
        services.training_run_lost(**held, reason=how_it_died(result))
    log.info("child ended: %s, code %d", result.ended, result.returncode, extra={"job": run_id})
    mail_run_ended(run_id=run_id)
    return TrainingRun.objects.filter(pk=run_id).values_list("status", flat=True).first() or "deleted"
