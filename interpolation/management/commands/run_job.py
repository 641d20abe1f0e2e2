"""`manage.py run_job ID`: render one job in this process. Workers start it; by hand it claims a waiting job itself."""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from engine.childproc import die_with_parent
from engine.workers import worker_name
from interpolation import services
from interpolation.runner import run


class Command(BaseCommand):
    requires_system_checks = []  # the web server makes them
    help = "Render one job in this process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("job", help="the job's id")
        parser.add_argument("--claim", default="", help="the claim under which a worker holds the job")

    def handle(self, *args: Any, **options: Any) -> None:
        die_with_parent()
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        worker = options["claim"] or self.claim(options["job"])
        code = run(options["job"], worker, stop.is_set)
        if code:
            sys.exit(code)

    def claim(self, job_id: str) -> str:
        worker = worker_name()
        if not services.job_claim(job_id=job_id, worker=worker):
            raise CommandError(f"Job {job_id} does not wait to be run.")
        return worker
