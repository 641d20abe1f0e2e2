"""Uploads that arrive in pieces, over lost connections and closed laptops."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .work import Project, Source

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


class UploadQuerySet(models.QuerySet["ResumableUpload"]):
    def of(self, user: User | AnonymousUser) -> UploadQuerySet:
        """An upload is known to who sends it, and to nobody else."""
        return self.filter(user=user.pk, project__deleted_at__isnull=True)

    def unfinished(self) -> UploadQuerySet:
        """What its user has to be told of: it goes on, or was refused."""
        return self.exclude(status=ResumableUpload.Status.DONE).filter(expires_at__gt=timezone.now())

    def announced(self) -> int:
        """Bytes for which room has to be left."""
        arriving = self.filter(status=ResumableUpload.Status.ARRIVING)
        return int(arriving.aggregate(all=Sum("size_bytes", default=0))["all"])


class ResumableUpload(models.Model):
    """One file that arrives by the tus protocol. How much of it is here, the file on the disk says and nothing else.

    ARRIVING --last byte--> LOOKING --> DONE, a source | REFUSED, no video | ARRIVING, whole: no room for it yet
    """

    class Status(models.TextChoices):
        ARRIVING = "arriving", _("Arriving")
        LOOKING = "looking", _("Looked into")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="resumable_uploads")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="resumable_uploads")
    name = models.CharField(max_length=255)  # what the user calls it
    size_bytes = models.BigIntegerField()  # as announced
    metadata = models.TextField(blank=True)  # Upload-Metadata as it was sent: it is given back like that
    fps = models.CharField(max_length=40, blank=True)  # of a zip of pictures, as text
    modified = models.CharField(max_length=20, blank=True)  # the file's own time, by which a browser knows it again
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ARRIVING)
    error = models.TextField(blank=True)  # why it was refused, or cannot be taken yet; for people
    source = models.ForeignKey(Source, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    objects = UploadQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        return Path(settings.MEDIA_ROOT) / "uploads" / str(self.pk)

    @property
    def offset(self) -> int:
        """How many bytes are here. All, once the file was whole: it has become a source, or was refused."""
        if self.status != self.Status.ARRIVING:
            return self.size_bytes
        try:
            return self.path.stat().st_size
        except FileNotFoundError:  # removed a moment ago
            return 0

    @property
    def percent(self) -> int:
        return 100 * self.offset // self.size_bytes
