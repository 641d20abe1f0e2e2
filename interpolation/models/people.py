"""Who works with whom: members of projects, links for everybody, tokens of scripts, and what one user may take."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken

from ..access import Role
from .work import Job, Project


class Member(models.Model):
    """Somebody with whom a project is shared. Its owner is no member."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="a_member_once")]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    def live(self) -> ShareLinkQuerySet:
        """Links that work: not revoked, not over, and of a job that is not deleted."""
        now = timezone.now()
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=now),
            revoked_at__isnull=True,
            job__deleted_at__isnull=True,
            job__project__deleted_at__isnull=True,
        )


class ShareLink(models.Model):
    """An unlisted address under which anybody sees the result of one job. It is not kept itself: access.link_token."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="share_links")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    password = models.CharField(max_length=128, blank=True)  # hashed; "" for none
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    opened = models.PositiveIntegerField(default=0)  # how many times, by whomever
    opened_at = models.DateTimeField(null=True, blank=True)  # last
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"link to {self.job}"

    def get_absolute_url(self) -> str:
        from ..access import link_token

        return reverse("shared", args=[link_token(self.pk)])

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())


class ApiToken(AbstractAuthToken):
    """A token of the API. Only its digest is kept; what it may do is decided in api/authentication.py."""

    class Scope(models.TextChoices):
        READ = "read", _("Read")
        WRITE = "write", _("Read and write")

    name = models.CharField(max_length=80, blank=True)
    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.WRITE)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.name or f"{self.token_key[:8]}…"


class UserLimits(models.Model):
    """What this user may take where it differs from the settings. Empty: as the settings say. 0: no limit."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="limits")
    running_jobs = models.PositiveIntegerField(null=True, blank=True, help_text=_("Jobs at the same time."))
    queued_jobs = models.PositiveIntegerField(null=True, blank=True, help_text=_("Jobs that wait."))
    storage_mb = models.PositiveIntegerField(
        _("storage (MB)"), null=True, blank=True, help_text=_("All of their projects.")
    )
    upload_mb = models.PositiveIntegerField(_("upload (MB)"), null=True, blank=True, help_text=_("One upload."))
    megapixels = models.FloatField(null=True, blank=True, help_text=_("Of a frame of the source and of the result."))
    minutes = models.FloatField(null=True, blank=True, help_text=_("Length of a source."))
    note = models.CharField(max_length=200, blank=True, help_text=_("Why, for other administrators."))

    class Meta:
        verbose_name_plural = "user limits"

    def __str__(self) -> str:
        return f"limits of {self.user}"
