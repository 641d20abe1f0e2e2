"""`manage.py run_training ID`: one training run in this process. Workers start it; by hand it claims a waiting one."""

from __future__ import annotations

import signal
import sys
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from engine.childproc import die_with_parent
from engine.workers import worker_name
from training import services
from training.runner import run


class Command(BaseCommand):
    help = "Do one training run in this process."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", help="the run's id")
        parser.add_argument("--claim", default="", help="the claim under which a worker holds the run")

    def handle(self, *args: Any, **options: Any) -> None:
        die_with_parent()
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        worker = options["claim"] or self.claim(options["run"])
        code = run(options["run"], worker, stop.is_set)
        if code:
            sys.exit(code)

    def claim(self, run_id: str) -> str:
        worker = worker_name()
        if not services.training_run_claim(run_id=run_id, worker=worker):
            raise CommandError(f"Training run {run_id} does not wait to be run.")
        return worker
