"""`manage.py serve_jobs`: render, one after the other, the jobs that the worker hands over."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connections

from engine.childproc import die_with_parent
from engine.warm import serve

log = logging.getLogger(__name__)


class Command(BaseCommand):
    requires_system_checks = []  # the web server makes them
    help = "For workers only: takes jobs over the socket that is its standard input."

    def handle(self, *args: Any, **options: Any) -> None:
        die_with_parent()
        if sys.stdin.isatty():
            sys.exit("This is started by workers. To render one job by hand: manage.py run_job ID")
        from interpolation.runner import warm_up

        warm_up()
        serve(work)


def work(request: dict[str, str], should_stop: Callable[[], bool]) -> int:
    """One job, its id in every line of the log. Database connections are closed while there is nothing to do."""
    from interpolation.runner import run

    os.environ["INBETWEEN_JOB_ID"] = request["job"]
    try:
        return run(request["job"], request["claim"], should_stop)
    except Exception:
        log.exception("ended by an error")
        return 1
    finally:
        connections.close_all()
        os.environ["INBETWEEN_JOB_ID"] = "-"
