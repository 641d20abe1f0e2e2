"""What the operators of the portal have set."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Hold(models.Model):
    """Workers shall take no new work: all of a queue, or those of one machine. The row is there while it holds."""

    class Mode(models.TextChoices):
        DRAIN = "drain", "Drain: what runs is finished, nothing new is taken"
        PAUSE = "pause", "Pause: what runs is put back with all it has, nothing new is taken"

    queue = models.CharField(max_length=40)
    host = models.CharField(max_length=80, blank=True)  # "" for all machines
    mode = models.CharField(max_length=10, choices=Mode.choices)
    reason = models.CharField(max_length=200, blank=True)  # shown to everybody
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["queue", "host"]
        constraints = [models.UniqueConstraint(fields=["queue", "host"], name="one_hold_per_queue_and_machine")]

    def __str__(self) -> str:
        return f"{self.queue} on {self.host or 'all machines'}: {self.mode}"
