"""`manage.py pause`: workers put back what runs, with all it has, and take nothing new."""

from __future__ import annotations

from frameinterp_site.holding import HoldCommand
from frameinterp_site.models import Hold


class Command(HoldCommand):
    help = "Pause the workers: what runs is put back with all it has, nothing new is taken until manage.py release."
    mode = Hold.Mode.PAUSE
