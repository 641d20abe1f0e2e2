"""`manage.py worker interpolation`: a task queue cluster of which no process outlives another."""

from __future__ import annotations

import os
import sys

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from frameinterp_site.supervisor import die_with_parent

NAME = "Q_CLUSTER_NAME"  # read by django-q2 when it is imported, hence before any command runs


class Command(BaseCommand):
    help = "Runs the tasks of one queue until SIGTERM. `manage.py up` starts one for every queue."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("queue", choices=sorted(settings.Q_CLUSTER["ALT_CLUSTERS"]))

    def handle(self, *args: object, queue: str, **options: object) -> None:
        if os.environ.get(NAME) != queue:
            os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, NAME: queue})
        from django_q.cluster import Cluster

        _tie_forks_together()
        cluster = Cluster()
        cluster.start()
        # Not left to the interpreter's exit, which would join the sentinel too, but with signals half torn down.
        cluster.sentinel.join()
        from frameinterp_site.workers import worker_gone

        worker_gone(queue)


def _tie_forks_together() -> None:
    """Every process forked from here on dies with the one that forked it.

    django-q2 forks a sentinel, which forks the workers. Without this a killed cluster leaves workers that take tasks
    for ever, and a killed sentinel lets its cluster end as if all were well.
    """
    parents: list[int] = []
    os.register_at_fork(
        before=lambda: parents.append(os.getpid()),
        after_in_parent=parents.pop,
        after_in_child=lambda: die_with_parent(parents.pop()),
    )
