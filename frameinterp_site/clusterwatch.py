"""Notices a task queue cluster that runs but no longer works.

A worker of django-q2 that is killed while it waits for a task takes the lock of the queue with it: its successor, and
every other worker, then waits for ever, and the cluster reports that all is well. Seen from outside, a worker has
vanished; once nothing is being worked on, the cluster is restarted. A worker that retired in good order looks the same,
and a restart of an idle cluster costs about two seconds, so no difference is made.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field

import psutil
from django.core.cache import cache
from django.db import Error as DatabaseError
from django.db import close_old_connections
from redis.exceptions import RedisError

from engine.warm import is_idle

from .broker import SEEN
from .supervisor import Child

LOOK_EVERY = 2.5  # seconds
SILENT_AFTER = 60.0  # seconds without a word of the sentinel, which speaks twice a second


@dataclass
class ClusterWatch:
    """To be asked often; says why the cluster needs a restart, or "" when it is well."""

    queue: str
    look_at: float = 0.0
    pid: int = 0
    workers: set[int] = field(default_factory=set)
    lost: bool = False
    idle_looks: int = 0
    silent_looks: int = 0

    def __call__(self, child: Child) -> str:
        now = time.monotonic()
        if child.process is None or now < self.look_at:
            return ""
        self.look_at = now + LOOK_EVERY
        if child.process.pid != self.pid:
            self.pid, self.workers, self.lost = child.process.pid, set(), False
            self.idle_looks = self.silent_looks = 0
        return self._lost_a_worker() or self._silent(child)

    def _lost_a_worker(self) -> str:
        workers, busy = family(self.pid)
        self.lost = self.lost or bool(self.workers - workers)
        self.workers = workers
        self.idle_looks = 0 if busy or not self.lost else self.idle_looks + 1
        # Two looks, because a task that has just begun has no child yet.
        return (
            "one of its processes died and may have taken the lock of the queue with it" if self.idle_looks > 1 else ""
        )

    def _silent(self, child: Child) -> str:
        if time.monotonic() - child.started < SILENT_AFTER:
            return ""
        seen = last_word(self.queue)
        silence = time.time() - seen if seen is not None else 0.0
        # Two looks, because after an outage of the cache the old word may be read before the next one is written.
        self.silent_looks = self.silent_looks + 1 if silence > SILENT_AFTER else 0
        return f"it has said nothing for {silence:.0f} s" if self.silent_looks > 1 else ""


def last_word(queue: str) -> float | None:
    """When the sentinel of a cluster last wrote into the cache; None when nobody knows."""
    try:
        seen: float | None = cache.get(SEEN.format(queue))
    except (DatabaseError, RedisError, OSError):
        close_old_connections()
        return None
    return seen


def family(pid: int) -> tuple[set[int], bool]:
    """Process ids right below the sentinel of a cluster, and whether any of them has a child that works."""
    workers: set[int] = set()
    busy = False
    with suppress(psutil.Error):
        for sentinel in psutil.Process(pid).children():
            for worker in sentinel.children():
                if worker.status() == psutil.STATUS_ZOMBIE:
                    continue
                workers.add(worker.pid)
                busy = busy or any(not is_idle(child) for child in worker.children())
    return workers, busy
