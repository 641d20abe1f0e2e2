"""Settings that are kept for the next time, and three seconds of two of them beside each other."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse

from .work import Job, Source


class Preset(models.Model):
    """Settings under a name, one person's own. Without a part of a film: that belongs to the film."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="presets")
    name = models.CharField(max_length=60)
    options = models.JSONField(default=dict)  # engine RenderOptions.to_dict()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="a_preset_name_once")]

    def __str__(self) -> str:
        return self.name


class Trial(models.Model):
    """A short stretch of a source, drawn twice. Both are real jobs, marked as trials so that lists leave them out."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="trials")
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="trials")
    first = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+")
    part = models.JSONField(default=dict)  # trim_start and trim_end that the whole job would have
    promoted = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"trial of {self.source.name}"

    def get_absolute_url(self) -> str:
        return reverse("trial", args=[self.pk])
