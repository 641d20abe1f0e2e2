"""`manage.py release`: workers that were drained or paused take work again."""

from __future__ import annotations

from typing import Any

from frameinterp_site.holding import WorkersCommand
from frameinterp_site.holds import hold_release
from frameinterp_site.models import Hold


class Command(WorkersCommand):
    help = "Release the workers: what `drain`, `pause` or the status page has held goes on at once."

    def handle(self, *args: Any, **options: Any) -> None:
        for queue in options["queues"]:
            hold = Hold.objects.filter(queue=queue, host=options["machine"]).first()
            if hold is None:
                self.stdout.write(f"{queue} on {options['machine'] or 'all machines'} was not held.")
                continue
            words = str(hold)
            hold_release(hold=hold)
            self.stdout.write(f"Released: {words}.")
        for other in Hold.objects.all():
            self.stdout.write(f"Still held: {other}.")
