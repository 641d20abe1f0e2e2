"""What is kept of training: runs and their epochs. The weights themselves live in `models/`."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class TrainingRunQuerySet(models.QuerySet["TrainingRun"]):
    def visible_to(self, user: Any) -> TrainingRunQuerySet:
        """Everybody sees what they started; staff see all, also what was started by hand."""
        return self if user.is_staff else self.filter(owner=user.pk)


class TrainingRun(models.Model):
    """One run of `engine.learn.loop.train`, started from a page or by `manage.py train_model`. The row is the truth.

    QUEUED --claim--> RUNNING --> SUCCEEDED | FAILED | CANCELLED (weights so far are kept)
    RUNNING --reaper, stale heartbeat--> QUEUED (goes on where it was saved) | FAILED
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Stopped")

    LIVE = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="training_runs"
    )
    name = models.CharField(max_length=120)
    config = models.JSONField(default=dict)  # engine TrainConfig.to_dict()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    steps_done = models.PositiveIntegerField(default=0)
    steps_total = models.PositiveIntegerField(default=0)
    best_psnr = models.FloatField(null=True, blank=True)
    stage = models.CharField(max_length=40, blank=True)
    loss = models.FloatField(null=True, blank=True)  # mean over the last steps
    samples_per_second = models.FloatField(null=True, blank=True)
    curve = models.JSONField(default=list)  # [[step, loss], ...], thinned to a few hundred points
    by_hand = models.BooleanField(default=False)  # `manage.py train_model`: not in the queue, never taken up again
    model_sha256 = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    enqueued_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = TrainingRunQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["status", "created_at"])]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("training-run", args=[self.pk])

    @property
    def is_live(self) -> bool:
        return self.status in self.LIVE

    @property
    def model_name(self) -> str:
        """Under which jobs can choose the weights, once there are any."""
        return Path(self.config.get("model_path", "")).stem


class Epoch(models.Model):
    """The figures of one epoch of a run, measured on footage that is not trained on."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="epochs")
    number = models.PositiveIntegerField()
    step = models.PositiveIntegerField()
    loss = models.FloatField()
    psnr = models.FloatField(null=True, blank=True)  # dB, validation
    ssim = models.FloatField(null=True, blank=True)
    psnr_blend = models.FloatField(null=True, blank=True)
    psnr_untrained = models.FloatField(null=True, blank=True)
    lr = models.FloatField()
    seconds = models.FloatField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="one_row_per_epoch")]

    def __str__(self) -> str:
        return f"{self.run} epoch {self.number}"

    @property
    def above_blend(self) -> float | None:
        """dB over blending the two frames."""
        return _gain(self.psnr, self.psnr_blend)

    @property
    def above_untrained(self) -> float | None:
        return _gain(self.psnr, self.psnr_untrained)


def _gain(psnr: float | None, reference: float | None) -> float | None:
    """dB, to the hundredth that is shown; never the -0.0 that would be written as "-0.00"."""
    return None if psnr is None or reference is None else round(psnr - reference, 2) + 0.0
