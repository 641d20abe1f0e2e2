"""`manage.py reap`: the reaper, until it is stopped; `--once` for cron."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError
from django.db import close_old_connections

from frameinterp_site import alarm
from interpolation import reaper as interpolation_reaper
from training import reaper as training_reaper

log = logging.getLogger("inbetween.reaper")


class Command(BaseCommand):
    requires_system_checks = []  # nor the addresses of pages, which load torch
    help = "Return jobs of dead workers to the queue, or fail them with a reason; send lost messages again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then end")
        parser.add_argument("--interval", type=float, default=settings.REAP_INTERVAL, help="seconds between rounds")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        if not options["once"]:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        while True:
            self.round()
            if options["once"] or stop.wait(options["interval"]):
                return

    def round(self) -> None:
        try:
            rounds = [interpolation_reaper.reap_once(), training_reaper.reap_once()]
            alarm.look()
        except DatabaseError:
            log.exception("the database does not answer; trying again in the next round")
            close_old_connections()
            return
        for reaped in filter(None, rounds):
            log.warning("%s", reaped)
