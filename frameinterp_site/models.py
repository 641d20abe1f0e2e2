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


class Worker(models.Model):
    """A task queue cluster of one machine, as it says of itself every few seconds. One that stops in order goes."""

    queue = models.CharField(max_length=40)
    host = models.CharField(max_length=80)
    pid = models.PositiveIntegerField()
    processes = models.PositiveIntegerField(default=0)  # workers and what they have started
    memory_bytes = models.BigIntegerField(default=0)  # of all of them
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["queue", "host"]
        constraints = [models.UniqueConstraint(fields=["queue", "host"], name="one_cluster_per_queue_and_machine")]

    def __str__(self) -> str:
        return f"{self.queue} on {self.host}"
