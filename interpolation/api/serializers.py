"""What goes in and out of the API."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from interpolation.models import Job, Preview, Project, Source
from interpolation.services import job_progress_view, outlooks

from .options import CertificateSerializer, OptionsSerializer


class MediaField(serializers.CharField):
    """A path under the media folder, given out as an address."""

    def to_representation(self, value: str) -> str:
        address = reverse("media", args=[value]) if value else ""
        request = self.context.get("request")
        return request.build_absolute_uri(address) if request and address else address


class ProjectSerializer(serializers.ModelSerializer[Project]):
    class Meta:
        model = Project
        fields = ("id", "name", "created_at")
        read_only_fields = ("id", "created_at")


class SourceSerializer(serializers.ModelSerializer[Source]):
    file = MediaField(read_only=True, help_text="Address of the video, or of the first picture.")
    file2 = MediaField(read_only=True, help_text="Address of the second picture; empty for a video.")
    poster = MediaField(read_only=True)
    info = serializers.DictField(read_only=True, help_text="Size, frame rate, frames, sound and the like.")

    class Meta:
        model = Source
        fields = ("id", "project", "kind", "name", "size_bytes", "info", "file", "file2", "poster", "created_at")
        read_only_fields = fields


class SourceCreateSerializer(serializers.Serializer[Any]):
    """Either `video`, or `frame1` and `frame2`, or `pictures`, or `sample`."""

    project = serializers.UUIDField()
    video = serializers.FileField(
        required=False, max_length=1000, allow_empty_file=True, help_text="A video, or a zip of numbered pictures."
    )
    pictures = serializers.ListField(
        child=serializers.FileField(max_length=1000, allow_empty_file=True),
        required=False,
        help_text="Numbered pictures of one sequence: the field comes once for each.",
    )
    fps = serializers.CharField(
        required=False,
        max_length=40,
        help_text='Of a sequence or a zip of pictures: "24" (default) or "24000/1001".',
    )
    frame1 = serializers.FileField(required=False, max_length=1000, allow_empty_file=True)
    frame2 = serializers.FileField(required=False, max_length=1000, allow_empty_file=True)
    resize_second = serializers.BooleanField(default=False, help_text="Take two pictures of different sizes.")
    sample = serializers.BooleanField(default=False, help_text="Use the clip that comes with the portal.")


class JobCreateSerializer(serializers.Serializer[Any]):
    source = serializers.UUIDField()  # type: ignore[assignment]
    options = OptionsSerializer(default=dict)


class PreviewSerializer(serializers.ModelSerializer[Preview]):
    file = MediaField(read_only=True)

    class Meta:
        model = Preview
        fields = ("kind", "position", "time", "file")


PROGRESS: dict[str, serializers.Field[Any, Any, Any, Any]] = {
    "status": serializers.ChoiceField(choices=Job.Status.choices),
    "status_display": serializers.CharField(),
    "stage": serializers.CharField(),
    "waiting": serializers.CharField(help_text="What a running job waits for, in words; empty while it works."),
    "frames_done": serializers.IntegerField(),
    "frames_total": serializers.IntegerField(),
    "percent": serializers.IntegerField(min_value=0, max_value=100),
    "eta_seconds": serializers.IntegerField(allow_null=True),
    "elapsed_seconds": serializers.IntegerField(allow_null=True),
    "queue_position": serializers.IntegerField(allow_null=True, help_text="1 for the job that is taken next."),
    "starts_in_seconds": serializers.IntegerField(
        allow_null=True,
        help_text="Of a waiting job, learned from those done so far; null while too little is known.",
    ),
    "done_in_seconds": serializers.IntegerField(allow_null=True),
    "cancel_requested": serializers.BooleanField(),
    "silent_seconds": serializers.IntegerField(allow_null=True),
    "attempts": serializers.IntegerField(),
    "attempts_allowed": serializers.IntegerField(),
    "error": serializers.CharField(),
}
DOWNLOADS = ("master", "pictures", "figures")


class JobListSerializer(serializers.ModelSerializer[Job]):
    progress = serializers.SerializerMethodField()
    options = OptionsSerializer(read_only=True)
    parts_until = serializers.DateTimeField(
        read_only=True,
        help_text="Until when parts can be drawn anew at the longest; null while it runs, and after that.",
    )

    class Meta:
        model = Job
        fields: tuple[str, ...] = (
            "id",
            "project",
            "source",
            "status",
            "progress",
            "options",
            "created_at",
            "started_at",
            "finished_at",
            "base",
            "range_start",
            "range_end",
            "parts_until",
        )
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field(inline_serializer("Progress", PROGRESS))
    def get_progress(self, job: Job) -> dict[str, Any]:
        context: Any = self.context
        if job.status == Job.Status.QUEUED and "outlooks" not in context:
            context["outlooks"] = outlooks()  # once for a list
        return job_progress_view(job, outlooks_now=context.get("outlooks"))


class JobSerializer(JobListSerializer):
    """A job with all that came of it."""

    previews = PreviewSerializer(many=True, read_only=True)
    downloads = serializers.SerializerMethodField()
    metrics = serializers.DictField(read_only=True)
    certificate = CertificateSerializer(read_only=True)

    class Meta(JobListSerializer.Meta):
        fields = (
            *JobListSerializer.Meta.fields,
            "model_name",
            "model_sha256",
            "model_notice",
            "metrics",
            "certificate",
            "previews",
            "downloads",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.DictField(child=serializers.URLField()))
    def get_downloads(self, job: Job) -> dict[str, str]:
        if job.status != Job.Status.SUCCEEDED:
            return {}
        build = self.context["request"].build_absolute_uri
        kept = {"master": job.master, "pictures": job.pictures_zip, "figures": "always"}
        return {what: build(reverse("job-download", args=[job.pk, what])) for what in DOWNLOADS if kept[what]}


class ModelSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    arch = serializers.CharField()
    sha256 = serializers.CharField()
    step = serializers.IntegerField()
    trained = serializers.BooleanField()
    notice = serializers.CharField(help_text="Empty, or a sentence to show to people.")
    metrics = serializers.DictField()


class CredentialsSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()
    expiry = serializers.DateTimeField(allow_null=True)


class ErrorSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField(help_text="What is wrong and what to do, in words.")
