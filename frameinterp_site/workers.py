"""What the clusters say of themselves, and noticing one that has fallen silent."""

from __future__ import annotations

import logging
import os
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import psutil
from django.db import Error as DatabaseError
from django.utils import timezone

from .models import Worker

SILENT = timedelta(seconds=45)  # a cluster says something every five seconds
FORGOTTEN = timedelta(days=7)  # a machine that has been away for so long is not missed any more
log = logging.getLogger(__name__)


def worker_beat(queue: str) -> None:
    """Called in the sentinel of a cluster: it lives, and takes so much memory. No error of the database ends it."""
    try:
        processes, memory = _family()
        started = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
        Worker.objects.update_or_create(
            queue=queue,
            host=this_host(),
            defaults={
                "pid": os.getpid(),
                "processes": processes,
                "memory_bytes": memory,
                "started_at": started,
                "seen_at": timezone.now(),
            },
        )
    except DatabaseError:
        log.warning("the database does not answer; this worker goes on", exc_info=True)


def worker_gone(queue: str) -> None:
    """A cluster of this machine has stopped in order: nobody need miss it."""
    with suppress(DatabaseError):
        Worker.objects.filter(queue=queue, host=this_host()).delete()


def silent_workers() -> list[tuple[Worker, float]]:
    """(worker, seconds of silence) of those that should speak and do not."""
    now = timezone.now()
    Worker.objects.filter(seen_at__lt=now - FORGOTTEN).delete()
    missing = Worker.objects.filter(seen_at__lt=now - SILENT)
    return [(worker, (now - worker.seen_at).total_seconds()) for worker in missing]


def this_host() -> str:
    return socket.gethostname()[:80]


def _family() -> tuple[int, int]:
    """How many processes this one has started, directly or not, and their memory in bytes together with its own."""
    me = psutil.Process()
    memory, count = me.memory_info().rss, 0
    for child in me.children(recursive=True):
        with suppress(psutil.Error):
            memory += child.memory_info().rss
            count += 1
    return count, memory
