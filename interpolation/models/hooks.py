"""Who is told when a job is over, how that went, and answers that are kept for calls that are made twice."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from .bakeoff import BakeOff
from .trials import Trial
from .work import Job, Project


class Webhook(models.Model):
    """An address that is called when jobs change: all of a project, or a single one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="webhooks")
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.CASCADE, related_name="webhooks")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    url = models.CharField(max_length=500)
    secret = models.CharField(max_length=100)  # in clear: calls are signed with it
    events = models.JSONField(default=list)
    portal = models.CharField(max_length=200, blank=True)  # how the portal was reached when it was made: for addresses
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """One message to a webhook. The row is the truth; a message in the queue only points at it.

    PENDING --claim--> (a call) --> DELIVERED | PENDING, next_at later | FAILED when all tries are used up
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Given up"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    trial = models.ForeignKey(Trial, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    bake_off = models.ForeignKey(BakeOff, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    event = models.CharField(max_length=20)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True, db_index=True)  # when it is due; a claim moves it on
    payload = models.TextField(blank=True)  # as it was sent first, so that every try says the same
    answer_status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.TextField(blank=True)  # its beginning
    error = models.CharField(max_length=300, blank=True)  # in words, when there was no answer
    seconds = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook}"


class KeptAnswer(models.Model):
    """What a call with an `Idempotency-Key` was answered, so that the same call again makes nothing twice."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)  # of method, address and body
    status = models.PositiveSmallIntegerField(null=True)  # None while the first call is at work
    content_type = models.CharField(max_length=100, blank=True)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="a_key_once_per_user")]

    def __str__(self) -> str:
        return self.key
