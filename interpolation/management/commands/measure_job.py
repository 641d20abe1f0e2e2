"""`manage.py measure_job ID`: the held-out figures of a finished job once more, in this process."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from engine.childproc import die_with_parent
from engine.errors import EngineError
from interpolation import services
from interpolation.models import Job


class Command(BaseCommand):
    requires_system_checks = []  # the web server makes them
    help = "Measure the held-out figures of a finished job again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("job", help="the job's id")

    def handle(self, *args: Any, **options: Any) -> None:
        die_with_parent()
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            job = Job.objects.select_related("source").get(pk=options["job"])
            services.job_measure_now(job=job, should_stop=stop.is_set)
        except (Job.DoesNotExist, ValidationError) as error:
            raise CommandError(f"There is no job {options['job']}.") from error
        except (services.ServiceError, EngineError) as error:
            raise CommandError(str(error)) from error
