"""`manage.py drain`: workers finish what runs and take nothing new."""

from __future__ import annotations

from frameinterp_site.holding import HoldCommand
from frameinterp_site.models import Hold


class Command(HoldCommand):
    help = "Drain the workers: what runs is finished, nothing new is taken until manage.py release."
    mode = Hold.Mode.DRAIN
