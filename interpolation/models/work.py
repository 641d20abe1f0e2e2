"""Projects, their sources, the jobs on them and the previews that stay."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .. import access

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


class Undeletable(models.Model):
    """What can be deleted and brought back for some days; then the reaper takes it away."""

    deleted_at = models.DateTimeField(null=True, blank=True, db_index=True)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    purged_at = models.DateTimeField(null=True, blank=True)  # its files are gone; no way back

    class Meta:
        abstract = True

    @property
    def undo_until(self) -> datetime | None:
        """Until when a deletion can be taken back; None when it is not deleted, or too late."""
        if self.deleted_at is None or self.purged_at is not None:
            return None
        end = self.deleted_at + timedelta(days=settings.UNDO_DAYS)
        return end if end > timezone.now() else None


class ProjectQuerySet(models.QuerySet["Project"]):
    def alive(self) -> ProjectQuerySet:
        return self.filter(deleted_at__isnull=True)

    def of(self, user: User | AnonymousUser) -> ProjectQuerySet:
        """In this user's lists: their own and those they are a member of."""
        return self.alive().filter(access.belongs_to(user))

    def reachable_by(self, user: User | AnonymousUser) -> ProjectQuerySet:
        """That this user may see by its address; what they may do with it, access.may says."""
        return self.alive().filter(access.reachable_by(user))

    def deleted_of(self, user: User | AnonymousUser) -> ProjectQuerySet:
        """Deleted ones that can still be brought back."""
        since = timezone.now() - timedelta(days=settings.UNDO_DAYS)
        return self.filter(access.belongs_to(user), deleted_at__gt=since, purged_at__isnull=True)


class Project(Undeletable):
    """A folder of sources and jobs, owned by one user. Others see it when it is shared with them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="projects")
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("project", args=[self.pk])


class SourceQuerySet(models.QuerySet["Source"]):
    def alive(self) -> SourceQuerySet:
        """Neither deleted alone nor with their project."""
        return self.filter(deleted_at__isnull=True, project__deleted_at__isnull=True)

    def of(self, user: User | AnonymousUser) -> SourceQuerySet:
        return self.alive().filter(access.belongs_to(user, "project__"))

    def reachable_by(self, user: User | AnonymousUser) -> SourceQuerySet:
        return self.alive().filter(access.reachable_by(user, "project__"))

    def deleted_of(self, user: User | AnonymousUser) -> SourceQuerySet:
        """Deleted alone, and can still be brought back."""
        since = timezone.now() - timedelta(days=settings.UNDO_DAYS)
        mine = self.filter(access.belongs_to(user, "project__"), project__deleted_at__isnull=True)
        return mine.filter(deleted_at__gt=since, purged_at__isnull=True)


class Source(Undeletable):
    """What was uploaded: one video, or two pictures. Kept under a name of ours; `name` is what the user called it."""

    class Kind(models.TextChoices):
        VIDEO = "video", _("Video")
        PICTURES = "pictures", _("Two pictures")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="sources")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=255)
    file = models.CharField(max_length=255)  # path under MEDIA_ROOT
    file2 = models.CharField(max_length=255, blank=True)  # the second picture
    poster = models.CharField(max_length=255, blank=True)  # JPEG, at most 640 px wide
    size_bytes = models.BigIntegerField(default=0)
    info = models.JSONField(default=dict)  # engine VideoInfo.to_dict() / picture sizes
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        return Path(settings.MEDIA_ROOT) / self.file

    @property
    def path2(self) -> Path | None:
        return Path(settings.MEDIA_ROOT) / self.file2 if self.file2 else None


class Tag(models.Model):
    """A word by which jobs of a project are found again."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=40)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="a_tag_once")]

    def __str__(self) -> str:
        return self.name


class JobQuerySet(models.QuerySet["Job"]):
    def alive(self) -> JobQuerySet:
        """Neither deleted alone nor with their project."""
        return self.filter(deleted_at__isnull=True, project__deleted_at__isnull=True)

    def of(self, user: User | AnonymousUser) -> JobQuerySet:
        return self.alive().filter(access.belongs_to(user, "project__"))

    def reachable_by(self, user: User | AnonymousUser) -> JobQuerySet:
        return self.alive().filter(access.reachable_by(user, "project__"))

    def deleted_of(self, user: User | AnonymousUser) -> JobQuerySet:
        """Deleted alone. They can be brought back at any time, in the end with their previews only."""
        mine = self.filter(access.belongs_to(user, "project__"), project__deleted_at__isnull=True)
        return mine.filter(deleted_at__isnull=False)

    def without_figures(self) -> JobQuerySet:
        """For lists: the figures of a long film take a hundred kilobytes, and lists are asked for every few seconds."""
        return self.defer("metrics", "certificate")

    def waiting(self, sent_before: datetime | None = None) -> JobQuerySet:
        """In the order in which they are taken: by when they were sent, so one that is put back comes last."""
        jobs = self.filter(status=Job.Status.QUEUED).annotate(sent_at=Coalesce("enqueued_at", "created_at"))
        return (jobs.filter(sent_at__lt=sent_before) if sent_before else jobs).order_by("sent_at")


class Job(Undeletable):
    """One render. This row, not the queue, is the truth about it.

    QUEUED --claim--> RUNNING --> SUCCEEDED | FAILED | CANCELLED
    RUNNING --reaper, stale heartbeat--> QUEUED (attempts remain) | FAILED
    QUEUED --cancel--> CANCELLED
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    LIVE = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="jobs")
    source = models.ForeignKey(Source, on_delete=models.RESTRICT, related_name="jobs")
    created_by = models.ForeignKey(  # whose turn in the queue it takes
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs"
    )
    options = models.JSONField(default=dict)  # engine RenderOptions.to_dict()
    tags: models.ManyToManyField[Tag, Any] = models.ManyToManyField("Tag", blank=True, related_name="jobs")
    notes = models.TextField(blank=True)
    trial = models.BooleanField(default=False)  # a few seconds to judge settings by; lists leave it out

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    stage = models.CharField(max_length=40, blank=True)
    frames_done = models.PositiveIntegerField(default=0)
    frames_total = models.PositiveIntegerField(default=0)
    waiting = models.CharField(max_length=120, blank=True)  # what a running job waits for, in words; "" while it works
    eta_seconds = models.FloatField(null=True, blank=True)  # until done, by the rate of the last seconds
    attempts = models.PositiveSmallIntegerField(default=0)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    enqueued_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True)  # host:pid:token of the last claim; only its holder may write

    model_name = models.CharField(max_length=80, blank=True)
    model_sha256 = models.CharField(max_length=64, blank=True)
    model_notice = models.CharField(max_length=200, blank=True)  # "untrained model", in words
    error = models.TextField(blank=True)  # for people
    metrics = models.JSONField(default=dict)  # engine RenderResult.metrics
    certificate = models.JSONField(default=dict)
    master = models.CharField(max_length=255, blank=True)  # path under MEDIA_ROOT; may be purged
    pictures_zip = models.CharField(max_length=255, blank=True)
    master_bytes = models.BigIntegerField(default=0)  # what it takes on the disk: see services/ledger.py
    preview_bytes = models.BigIntegerField(default=0)
    parts_bytes = models.BigIntegerField(default=0)

    # A job that draws a part of a finished one anew: all the rest is taken from that one's segments.
    base = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="redrawn")
    range_start = models.FloatField(null=True, blank=True)  # seconds of the result; whole segments
    range_end = models.FloatField(null=True, blank=True)
    parts_removed_at = models.DateTimeField(null=True, blank=True)  # when the segments were purged

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["status", "created_at"])]

    def __str__(self) -> str:
        return f"{self.source.name} ({self.get_status_display()})"

    def get_absolute_url(self) -> str:
        return reverse("job", args=[self.pk])

    @property
    def directory(self) -> Path:
        """Where everything of this job lives."""
        return Path(settings.MEDIA_ROOT) / "jobs" / str(self.pk)

    @property
    def is_live(self) -> bool:
        return self.status in self.LIVE

    @property
    def parts_until(self) -> datetime | None:
        """Until when the segments of a job that is over are kept at the longest; None when they are gone."""
        if self.finished_at is None or self.parts_removed_at is not None or self.is_live:
            return None
        return self.finished_at + timedelta(days=settings.SEGMENT_DAYS)


class Preview(models.Model):
    """A file made by a job to be looked at. Never deleted by download, purge or re-run; only with its project."""

    class Kind(models.TextChoices):
        VIDEO = "video", _("Result, for the browser")
        SOURCE_VIDEO = "source_video", _("Source, for the browser")
        POSTER = "poster", _("Poster")
        FRAME = "frame", _("In-between picture")
        FRAME0 = "frame0", _("First source picture")
        FRAME1 = "frame1", _("Second source picture")
        FLOW_FARNEBACK = "flow_farneback", _("Flow, Farneback")
        FLOW_MODEL = "flow_model", _("Flow, the model's own")
        MOTION = "motion", _("Field of motion, to look into")
        HELD_TRUTH = "held_truth", _("Held-out frame, as it was filmed")
        HELD_DRAWN = "held_drawn", _("Held-out frame, as it was drawn")
        HELD_ERROR = "held_error", _("Held-out frame, how far off")

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="previews")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    position = models.PositiveIntegerField(default=0)  # order among frames
    time = models.FloatField(null=True, blank=True)  # seconds from the start of the result
    file = models.CharField(max_length=255)  # path under MEDIA_ROOT
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["kind", "position"]
        constraints = [models.UniqueConstraint(fields=["job", "kind", "position"], name="one_preview_per_place")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.position}"
