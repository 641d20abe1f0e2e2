"""Two models on one clip, judged blind."""

from __future__ import annotations

import random
import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse

from .work import Job, Source


class BakeOff(models.Model):
    """Both films are ordinary jobs. Which of them stands on which side is drawn by lot in every round."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bakeoffs")
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="bakeoffs")
    first = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+")
    revealed_at = models.DateTimeField(null=True, blank=True)  # from then on no more votes
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.first.options.get('model')} against {self.second.options.get('model')}"

    def get_absolute_url(self) -> str:
        return reverse("bakeoff", args=[self.pk])

    def swapped(self, number: int) -> bool:
        """Whether in this round the second film is A. Not to be guessed, and the same when the page is loaded anew."""
        return random.Random(f"{settings.SECRET_KEY}:{self.pk}:{number}").random() < 0.5


class Vote(models.Model):
    """One judgement. `choice` names the film, whatever side it stood on."""

    class Choice(models.TextChoices):
        FIRST = "first", "First"
        SECOND = "second", "Second"
        TIE = "tie", "No difference"

    bakeoff = models.ForeignKey(BakeOff, on_delete=models.CASCADE, related_name="votes")
    number = models.PositiveIntegerField()
    choice = models.CharField(max_length=6, choices=Choice.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["bakeoff", "number"], name="one_vote_a_round")]

    def __str__(self) -> str:
        return f"round {self.number}: {self.choice}"
