"""Jobs: start, find, watch, stop, try again, change, compare."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.fields.json import KeyTransform
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from interpolation import services
from interpolation.access import Act, find
from interpolation.comparison import MOST, compare
from interpolation.models import Job, Source

from . import options
from . import serializers as out
from .access import AccessMixin
from .links import LinksActions
from .parts import PartsActions
from .results import ResultsActions
from .strict import StrictSerializer
from .views import ScopedCreateMixin, require_good


class JobFilter(filters.FilterSet):
    project = filters.UUIDFilter()
    source = filters.UUIDFilter()
    status = filters.MultipleChoiceFilter(choices=Job.Status.choices, help_text="May be given several times.")
    model = filters.CharFilter("model_name", help_text="Name of the weights that drew the frames.")
    tag = filters.CharFilter("tags__name", "iexact")
    name = filters.CharFilter("source__name", "icontains", help_text="Part of the source's name.")
    trial = filters.BooleanFilter(help_text="Three seconds to judge settings by: true only those, false none.")
    created_after = filters.IsoDateTimeFilter("created_at", "gte")
    created_before = filters.IsoDateTimeFilter("created_at", "lt")


class ComparisonSerializer(serializers.Serializer[Any]):
    jobs = serializers.ListField(child=serializers.DictField(), help_text="The facts of each, in the order asked for.")
    differ = serializers.ListField(child=serializers.CharField(), help_text="Names of the facts that are not the same.")


class CompareSerializer(StrictSerializer):
    jobs = serializers.ListField(child=serializers.UUIDField(), min_length=2, max_length=MOST)


def in_short(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """Without the figures of every frame, which take a hundred kilobytes; those in short are looked out of them."""
    short = {f"short_{name}": KeyTransform(name, "metrics") for name in out.SHORT}
    return jobs.defer("metrics").annotate(**short)


class JobViewSet(
    AccessMixin,
    PartsActions,
    ResultsActions,
    LinksActions,
    ScopedCreateMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[Job],
):
    queryset = Job.objects.all()
    serializer_class = out.JobSerializer
    filterset_class = JobFilter
    create_scope = "job"
    creates = ("create", "redraw", "rerun")
    acts = {"links": Act.MANAGE, "link_create": Act.MANAGE, "link_revoke": Act.MANAGE}

    def get_queryset(self) -> QuerySet[Job]:
        jobs = self.visible(Job.objects.all()).select_related("source", "project", "created_by")
        jobs = jobs.prefetch_related("previews", "tags")
        return in_short(jobs) if self.action in ("list", "retrieve") else jobs

    @extend_schema(request=out.JobCreateSerializer, responses={201: out.JobSerializer}, examples=options.EXAMPLES)
    def create(self, request: Request) -> Response:
        """Start a job. The answer holds its `id` and, under `progress`, its place in the queue."""
        serializer = out.JobCreateSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        source = find(Source.objects.select_related("project"), request.user, Act.CHANGE, given["source"])
        require_good(source, given["options"])
        with transaction.atomic():
            job = services.job_create(source=source, options=dict(given["options"]), user=self.user)
            self._say(job, given)
            if "webhook" in given:
                services.webhook_create(
                    project=job.project,
                    job=job,
                    user=self.user,
                    portal=request.build_absolute_uri("/"),
                    **given["webhook"],
                )
        return self._made(job)

    @extend_schema(request=out.JobWordsSerializer, responses=out.JobSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Other tags, another note."""
        job = self.get_object()
        given = out.JobWordsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        with transaction.atomic():
            self._say(job, given.validated_data)
        return Response(self.get_serializer(self.get_object()).data)

    def perform_destroy(self, instance: Job) -> None:
        services.job_delete(job=instance, user=self.user)

    @extend_schema(request=None, responses=out.JobSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop. A waiting job is over at once, a running one within a second or so."""
        job = self.get_object()
        services.job_cancel(job=job)
        return Response(self.get_serializer(job).data)

    @extend_schema(request=None, responses=out.JobSerializer)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Run a failed or cancelled job again; what was finished of it is used again."""
        job = self.get_object()
        services.job_retry(job=job)
        return Response(self.get_serializer(job).data)

    @extend_schema(request=out.RerunSerializer, responses={201: out.JobSerializer})
    @action(detail=True, methods=["post"])
    def rerun(self, request: Request, pk: str) -> Response:
        """A new job on the same source, with the settings of this one and the changes that are sent."""
        job = self.get_object()
        given = out.RerunSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        chosen = {**job.options, **given.validated_data["options"]}
        source = find(Source.objects.select_related("project"), request.user, Act.CHANGE, job.source_id)
        require_good(source, chosen)
        return self._made(services.job_create(source=source, options=chosen, user=self.user))

    @extend_schema(request=CompareSerializer, responses=ComparisonSerializer)
    @action(detail=False, methods=["post"])
    def compare(self, request: Request) -> Response:
        """The facts of several jobs beside each other: settings, model, figures, time; and which of them differ."""
        given = CompareSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        asked: list[UUID] = list(dict.fromkeys(given.validated_data["jobs"]))
        jobs = Job.objects.all().reachable_by(self.user).select_related("source").in_bulk(asked)
        missing = {str(asked.index(pk)): [_("There is no such job.")] for pk in asked if pk not in jobs}
        if missing:
            raise ValidationError({"jobs": missing})
        return Response(compare([jobs[pk] for pk in asked]))

    def _say(self, job: Job, given: dict[str, Any]) -> None:
        if "tags" in given:
            services.job_tag(job=job, tags=given["tags"])
        if "notes" in given:
            services.job_note(job=job, notes=given["notes"])

    def _made(self, job: Job) -> Response:
        return Response(self.get_serializer(job).data, status.HTTP_201_CREATED)
