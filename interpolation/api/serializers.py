"""What goes in and out of the API: projects, sources, jobs. A job looks the same wherever it is shown."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from interpolation import services
from interpolation.models import Job, Preview, Project, Source

from .options import CertificateSerializer, OptionsSerializer
from .strict import Strict, StrictSerializer


class MediaField(serializers.CharField):
    """A path under the media folder, given out as an address."""

    def to_representation(self, value: str) -> str:
        address = reverse("media", args=[value]) if value else ""
        request = self.context.get("request")
        return request.build_absolute_uri(address) if request and address else address


class ProjectSerializer(Strict, serializers.ModelSerializer[Project]):
    owner = serializers.CharField(source="owner.username", read_only=True)

    class Meta:
        model = Project
        fields = ("id", "name", "owner", "created_at")
        read_only_fields = ("id", "owner", "created_at")


class SourceSerializer(serializers.ModelSerializer[Source]):
    file = MediaField(read_only=True, help_text="Address of the video, or of the first picture.")
    file2 = MediaField(read_only=True, help_text="Address of the second picture; empty for a video.")
    poster = MediaField(read_only=True)
    info = serializers.DictField(read_only=True, help_text="Size, frame rate, frames, sound and the like.")

    class Meta:
        model = Source
        fields = ("id", "project", "kind", "name", "size_bytes", "info", "file", "file2", "poster", "created_at")
        read_only_fields = fields


def _file(help_text: str = "") -> serializers.FileField:
    return serializers.FileField(required=False, max_length=1000, allow_empty_file=True, help_text=help_text)


class SourceCreateSerializer(StrictSerializer):
    """Either `video`, or `frame1` and `frame2`, or `pictures`, or `sample`."""

    project = serializers.UUIDField()
    video = _file("A video, or a zip of numbered pictures.")
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
    frame1 = _file()
    frame2 = _file()
    resize_second = serializers.BooleanField(default=False, help_text="Take two pictures of different sizes.")
    sample = serializers.BooleanField(default=False, help_text="Use the clip that comes with the portal.")


class SampleSerializer(StrictSerializer):
    """The clip that comes with the portal, for those who send JSON."""

    project = serializers.UUIDField()
    sample = serializers.BooleanField()


class PairsCreateSerializer(StrictSerializer):
    project = serializers.UUIDField()
    pictures = serializers.ListField(
        child=serializers.FileField(max_length=1000, allow_empty_file=True),
        min_length=1,
        help_text="The pictures of all pairs, or a zip of them; names such as `a_1.png`, `a_2.png` say what belongs "
        "together.",
    )
    resize_second = serializers.BooleanField(default=False, help_text="Take pairs of different sizes.")


class LeftOutSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    reason = serializers.CharField()


class PairsSerializer(serializers.Serializer[Any]):
    sources = SourceSerializer(many=True)
    left_out = LeftOutSerializer(many=True)


class PredictSerializer(StrictSerializer):
    options = OptionsSerializer(default=dict)


class WarningSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(
        choices=["stop", "warning", "tip"], help_text="`stop`: such a job would be refused or wait for room."
    )
    words = serializers.CharField()
    change = serializers.DictField(help_text="The option that would put it right, if there is one.")


class CostSerializer(serializers.Serializer[Any]):
    """What a job would take here, learned from the jobs that were done."""

    seconds = serializers.FloatField(allow_null=True, help_text="The likeliest; null while nothing is known.")
    seconds_low = serializers.FloatField(allow_null=True, help_text="Four of five jobs lie between this and the next.")
    seconds_high = serializers.FloatField(allow_null=True)
    learned_from_jobs = serializers.IntegerField(help_text="0: a guess from the benchmark of the model.")
    file_bytes = serializers.IntegerField(help_text="About, of the finished file.")
    file_bytes_learned_from_jobs = serializers.IntegerField(help_text="0: a rule of thumb.")
    jobs_ahead = serializers.IntegerField(help_text="That run or wait already.")
    warnings = WarningSerializer(many=True)


class OfferSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    group = serializers.ChoiceField(choices=["content", "quality", "own"])
    name = serializers.CharField()
    why = serializers.CharField()
    options = serializers.DictField(help_text="What it changes; put them on top of other options.")
    seconds = serializers.FloatField(allow_null=True, help_text="A job with it, else with the usual options, takes.")
    file_bytes = serializers.IntegerField()


class PredictionSerializer(serializers.Serializer[Any]):
    """What a job with these settings would give, reckoned without reading the film."""

    frames = serializers.IntegerField()
    new_frames = serializers.IntegerField()
    source_frames = serializers.IntegerField(help_text="Of the part that is used.")
    at_most = serializers.BooleanField(help_text="Nobody knows how many frames, but not more than these.")
    fps = serializers.CharField(help_text='Exact: "60000/1001".')
    duration = serializers.FloatField(help_text="Seconds.")
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    cost = CostSerializer()


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
    "frames_done": serializers.IntegerField(help_text="Of the stage."),
    "frames_total": serializers.IntegerField(help_text="Of the stage."),
    "percent": serializers.IntegerField(
        min_value=0, max_value=100, help_text="Of the whole job, over all stages; never runs backwards."
    ),
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
SHORT = ("held_out", "timing", "frames", "notes")  # of the figures: what every job shows of itself


class HeldOutSerializer(serializers.Serializer[Any]):
    """Real frames were hidden, drawn again, and compared: the means over all of them."""

    psnr = serializers.FloatField(help_text="dB")
    ssim = serializers.FloatField()
    blend_psnr = serializers.FloatField(help_text="dB that a plain blend of the neighbours reaches.")


class ShortFiguresSerializer(serializers.Serializer[Any]):
    """The figures in short; all of them: `GET /jobs/ID/figures/`. Empty values until the job is done."""

    held_out = HeldOutSerializer(allow_null=True)
    timing = serializers.DictField()
    frames = serializers.DictField(child=serializers.IntegerField())
    notes = serializers.ListField(child=serializers.CharField())


class JobSerializer(serializers.ModelSerializer[Job]):
    """A job with all that came of it: the same in GET, in lists, and in webhooks."""

    created_by = serializers.CharField(source="created_by.username", read_only=True, default=None, allow_null=True)
    progress = serializers.SerializerMethodField()
    options = OptionsSerializer(read_only=True)
    tags = serializers.SerializerMethodField()
    figures = serializers.SerializerMethodField()
    certificate = CertificateSerializer(read_only=True)
    previews = PreviewSerializer(many=True, read_only=True)
    downloads = serializers.SerializerMethodField()
    parts_until = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="Until when parts can be drawn anew at the longest; null while it runs, and after that.",
    )

    class Meta:
        model = Job
        fields = (
            "id",
            "project",
            "source",
            "created_by",
            "status",
            "progress",
            "options",
            "tags",
            "notes",
            "trial",
            "created_at",
            "started_at",
            "finished_at",
            "base",
            "range_start",
            "range_end",
            "parts_until",
            "model_name",
            "model_sha256",
            "model_notice",
            "figures",
            "certificate",
            "previews",
            "downloads",
        )
        read_only_fields = fields

    @extend_schema_field(inline_serializer("Progress", PROGRESS))
    def get_progress(self, job: Job) -> dict[str, Any]:
        context: Any = self.context
        if job.status == Job.Status.QUEUED and "outlooks" not in context:
            context["outlooks"] = services.outlooks()  # once for a list
        return services.job_progress_view(job, outlooks_now=context.get("outlooks"))

    def get_tags(self, job: Job) -> list[str]:
        return [tag.name for tag in job.tags.all()]

    @extend_schema_field(ShortFiguresSerializer)
    def get_figures(self, job: Job) -> dict[str, Any]:
        short = "metrics" in job.get_deferred_fields()
        of = {name: getattr(job, f"short_{name}") if short else job.metrics.get(name) for name in SHORT}
        held = of["held_out"]
        return {
            "held_out": {name: held[name] for name in ("psnr", "ssim", "blend_psnr")} if held else None,
            "timing": of["timing"] or {},
            "frames": of["frames"] or {},
            "notes": of["notes"] or [],
        }

    @extend_schema_field(serializers.DictField(child=serializers.URLField()))
    def get_downloads(self, job: Job) -> dict[str, str]:
        if job.status != Job.Status.SUCCEEDED:
            return {}
        build = self.context["request"].build_absolute_uri
        kept = {"master": job.master, "pictures": job.pictures_zip, "figures": "always"}
        return {what: build(reverse("api-job-download", args=[job.pk, what])) for what in DOWNLOADS if kept[what]}


class WebhookOfJobSerializer(StrictSerializer):
    url = serializers.CharField(max_length=500, help_text="Is told when the job is over.")
    secret = serializers.CharField(
        required=False,
        min_length=16,
        max_length=100,
        help_text="With which calls are signed. Left out, one is made: `GET /webhooks/?job=ID` shows it.",
    )


TAGS_HELP = "Words by which the job is found again; a `#` before them is left out."


class JobCreateSerializer(StrictSerializer):
    source = serializers.UUIDField()  # type: ignore[assignment]
    options = OptionsSerializer(default=dict)
    tags = serializers.ListField(child=serializers.CharField(), required=False, help_text=TAGS_HELP)
    notes = serializers.CharField(required=False, allow_blank=True)
    webhook = WebhookOfJobSerializer(required=False)


class JobWordsSerializer(StrictSerializer):
    tags = serializers.ListField(child=serializers.CharField(), required=False, help_text=TAGS_HELP)
    notes = serializers.CharField(required=False, allow_blank=True)


class RerunSerializer(StrictSerializer):
    options = OptionsSerializer(default=dict, help_text="What is to be different; all else stays.")


class FrameFigureSerializer(serializers.Serializer[Any]):
    """A real frame that was hidden and drawn again."""

    frame = serializers.IntegerField(required=False, help_text="Number in the source.")
    time = serializers.FloatField(help_text="Seconds of the result.")
    psnr = serializers.FloatField()
    ssim = serializers.FloatField()
    blend_psnr = serializers.FloatField()


class MotionSerializer(serializers.Serializer[Any]):
    time = serializers.FloatField(help_text="Seconds of the result.")
    px = serializers.FloatField(help_text="Pixels per frame of the source, median over the picture.")


class FramesSerializer(serializers.Serializer[Any]):
    """Figures per frame, empty where there are none."""

    held_out = FrameFigureSerializer(many=True)
    note = serializers.CharField(help_text="Why no frame could be held out; empty where some were.")
    motion = MotionSerializer(many=True)
    cuts = serializers.ListField(child=serializers.FloatField(), help_text="Seconds of the result.")


class ModelSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    arch = serializers.CharField()
    sha256 = serializers.CharField()
    step = serializers.IntegerField()
    trained = serializers.BooleanField()
    notice = serializers.CharField(help_text="Empty, or a sentence to show to people.")
    metrics = serializers.DictField(help_text="What was measured when it was saved.")
    benchmark = serializers.DictField(
        child=serializers.DictField(),
        help_text="Figures on every set of triplets; empty where nobody measured.",
    )


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()
    expiry = serializers.DateTimeField(allow_null=True)
