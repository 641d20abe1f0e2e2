"""What `manage.py drain`, `pause` and `release` share: the words of the status page, for shells and scripts."""

from __future__ import annotations

import time
from argparse import ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from .holds import hold_set, work_of
from .models import Hold, Worker

LOOK_EVERY = 1.0  # seconds
LOOKS = 3  # without work before it is over: a worker may have asked just before the hold, and not have taken yet


class WorkersCommand(BaseCommand):
    requires_system_checks = []  # nor the addresses of pages, which load torch

    def add_arguments(self, parser: CommandParser) -> None:
        queues = sorted(settings.Q_CLUSTER["ALT_CLUSTERS"])
        words = f"{', '.join(queues)}; none named: all of them"
        parser.add_argument("queues", nargs="*", metavar="queue", type=a_queue, default=queues, help=words)
        parser.add_argument("--machine", default="", help="only the workers of this machine, by its host name")

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except DatabaseError as error:
            place = settings.DATABASES["default"]["NAME"]
            words = "Is INBETWEEN_DATA (or INBETWEEN_DATABASE) that of the portal, and is it migrated?"
            raise CommandError(f"The database {place} does not answer as a portal's: {error}. {words}") from error

    def say_unknown(self, machine: str) -> None:
        """A misspelt name would hold nobody."""
        known = sorted(set(Worker.objects.values_list("host", flat=True)))
        if machine and machine not in known:
            self.stderr.write(f"No worker has spoken from {machine} (known: {', '.join(known) or 'none'}).")


def a_queue(name: str) -> str:
    queues = sorted(settings.Q_CLUSTER["ALT_CLUSTERS"])
    if name not in queues:
        raise ArgumentTypeError(f"there is no queue {name!r}; choose of {', '.join(queues)}")
    return name


class HoldCommand(WorkersCommand):
    mode: Hold.Mode

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", default="", help="shown to everybody, on every page")
        parser.add_argument("--wait", action="store_true", help="until nothing runs any more")
        parser.add_argument("--timeout", type=float, metavar="SECONDS", help="of --wait; then it ends with exit code 1")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["timeout"] is not None and not options["wait"]:
            raise CommandError("--timeout is how long --wait waits at most: give both.")
        self.say_unknown(options["machine"])
        for queue in options["queues"]:
            hold = hold_set(queue=queue, mode=self.mode, host=options["machine"], reason=options["reason"])
            self.stdout.write(f"Held: {hold}.")
        if options["wait"]:
            try:
                self.wait(options["queues"], options["machine"], options["timeout"])
            except KeyboardInterrupt as error:
                raise CommandError("Not waiting any longer. The workers stay held until manage.py release.") from error

    def wait(self, queues: list[str], machine: str, timeout: float | None) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        quiet, told = 0, ""
        while True:
            works = [work for queue in queues for work in work_of(queue, machine)]
            quiet = 0 if works else quiet + 1
            if quiet == LOOKS:
                self.stdout.write("Nothing runs any more.")
                return
            words = ", ".join(f"{work.pk} {work}" for work in works)
            if end is not None and time.monotonic() >= end:
                still = f"After {timeout:g} s there still runs: {words}." if works else f"{timeout:g} s are too short."
                raise CommandError(f"{still} The workers stay held until manage.py release.")
            if words and words != told:
                self.stdout.write(f"Waiting for {words}")
                self.stdout.flush()
            told = words
            time.sleep(LOOK_EVERY)
