"""Projects, sources, models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from engine.checkpoint import list_models, models_folder
from engine.config import RenderOptions
from interpolation import services
from interpolation.access import Act, find
from interpolation.models import Project, Source
from interpolation.views.model_pages import read_json
from interpolation.views.preflight import as_json

from . import serializers as out
from .access import AccessMixin
from .members import MembersActions

PARSERS: Any = api_settings.DEFAULT_PARSER_CLASSES


class UploadRefused(APIException):
    status_code: int = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE

    def __init__(self, words: str, status_code: int | None = None) -> None:
        super().__init__(words)
        self.status_code = status_code or self.status_code


class ScopedCreateMixin:
    """Making something is throttled more tightly than looking."""

    action: str
    create_scope = ""
    creates: tuple[str, ...] = ("create",)

    @property
    def throttle_scope(self) -> str:
        return self.create_scope if self.action in self.creates else ""


class ProjectViewSet(
    AccessMixin,
    MembersActions,
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[Project],
):
    queryset = Project.objects.all()
    serializer_class = out.ProjectSerializer
    acts = {"destroy": Act.MANAGE, "partial_update": Act.MANAGE, "member_remove": Act.SEE}

    def get_queryset(self) -> QuerySet[Project]:
        return self.visible(Project.objects).select_related("owner")

    def perform_create(self, serializer: BaseSerializer[Project]) -> None:
        serializer.instance = services.project_create(owner=self.user, **serializer.validated_data)

    @extend_schema(request=out.ProjectSerializer, responses=out.ProjectSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Another name."""
        project = self.get_object()
        given = self.get_serializer(project, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        if "name" in given.validated_data:
            services.project_rename(project=project, name=given.validated_data["name"])
        return Response(self.get_serializer(project).data)

    def perform_destroy(self, instance: Project) -> None:
        """With all its sources, jobs and files. `POST /deleted/project/ID/restore/` brings it back for some days."""
        services.project_delete(project=instance, user=self.user)


class SourceFilter(filters.FilterSet):
    project = filters.UUIDFilter()
    kind = filters.ChoiceFilter(choices=Source.Kind.choices)
    name = filters.CharFilter(lookup_expr="icontains", help_text="Part of the name.")
    created_after = filters.IsoDateTimeFilter("created_at", "gte")
    created_before = filters.IsoDateTimeFilter("created_at", "lt")


class SourceViewSet(
    AccessMixin,
    ScopedCreateMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[Source],
):
    queryset = Source.objects.all()
    serializer_class = out.SourceSerializer
    filterset_class = SourceFilter
    create_scope = "upload"
    creates = ("create", "pairs")
    acts = {"prediction": Act.SEE}

    def get_queryset(self) -> QuerySet[Source]:
        return self.visible(Source.objects).select_related("project")

    def get_parsers(self) -> list[Any]:
        """Files come as forms; all else is JSON. Asked before it is known which action it is."""
        method = str(self.request.method).lower() if self.request else ""  # none while the API is described
        name = (getattr(self, "action_map", None) or {}).get(method)
        if name == "pairs":
            return [MultiPartParser()]
        forms = [MultiPartParser()] if name == "create" else []
        return [*forms, *(parser() for parser in PARSERS)]

    @extend_schema(
        request={"multipart/form-data": out.SourceCreateSerializer, "application/json": out.SampleSerializer},
        responses={201: out.SourceSerializer},
    )
    def create(self, request: Request) -> Response:
        """Upload one `video` (also a zip of pictures), two pictures as `frame1` and `frame2`, or many as `pictures`,
        as a form; or ask for the `sample`."""
        given = self._read(request, out.SourceCreateSerializer)
        project = find(Project.objects.all(), request.user, Act.CHANGE, given["project"])
        source = self._make(project, given)
        return Response(self.get_serializer(source).data, status.HTTP_201_CREATED)

    @extend_schema(request={"multipart/form-data": out.PairsCreateSerializer}, responses={201: out.PairsSerializer})
    @action(detail=False, methods=["post"])
    def pairs(self, request: Request) -> Response:
        """Upload many pictures, or a zip of them, as pairs: each pair is a source of its own."""
        given = self._read(request, out.PairsCreateSerializer)
        project = find(Project.objects.all(), request.user, Act.CHANGE, given["project"])
        made = services.source_create_pairs(
            project=project, uploads=given["pictures"], resize_second=given["resize_second"]
        )
        left_out = [{"name": name, "reason": reason} for name, reason in made.bad]
        sources = self.get_serializer(made.sources, many=True).data
        return Response({"sources": sources, "left_out": left_out}, status.HTTP_201_CREATED)

    def perform_destroy(self, instance: Source) -> None:
        services.source_delete(source=instance, user=self.user)

    @extend_schema(request=out.PredictSerializer, responses=out.PredictionSerializer)
    @action(detail=True, methods=["post"])
    def prediction(self, request: Request, pk: str) -> Response:
        """What a job with these options would give and cost: frames, rate, length, time, size of the file, and what
        should be known before. Nothing is started."""
        source = self.get_object()
        given = out.PredictSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        require_good(source, given.validated_data["options"])
        before = services.preflight(source, RenderOptions.from_dict(dict(given.validated_data["options"])), self.user)
        found = before.made
        width, height = found.size
        return Response(
            {
                "frames": found.frames,
                "new_frames": found.new_frames,
                "source_frames": found.source_frames,
                "at_most": found.at_most,
                "fps": str(found.fps),
                "duration": float(found.duration),
                "width": width,
                "height": height,
                "cost": as_json(before),
            }
        )

    @extend_schema(request=None, responses=out.OfferSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def presets(self, request: Request, pk: str) -> Response:
        """The presets that fit this source, by content, by quality and one's own, each with what it would cost."""
        source = self.get_object()
        return Response([offer(source, setup) for setup in services.setups(source, self.user)])

    def _read(self, request: Request, kind: type[BaseSerializer[Any]]) -> dict[str, Any]:
        serializer = kind(data=request.data)
        refused = getattr(request._request, "upload_refused", "")
        if refused:
            raise UploadRefused(refused, getattr(request._request, "upload_status", None))
        serializer.is_valid(raise_exception=True)
        given: dict[str, Any] = serializer.validated_data
        return given

    def _make(self, project: Project, given: dict[str, Any]) -> Source:
        if given["sample"]:
            return services.source_create_sample(project=project)
        if given.get("pictures"):
            return services.source_create_sequence(project=project, uploads=given["pictures"], fps=given.get("fps"))
        pictures = given.get("frame1") or given.get("frame2")
        return services.source_create(
            project=project,
            kind=Source.Kind.PICTURES if pictures else Source.Kind.VIDEO,
            upload=given.get("frame1") if pictures else given.get("video"),
            upload2=given.get("frame2"),
            resize_second=given["resize_second"],
            fps=given.get("fps"),
        )


def offer(source: Source, setup: services.Setup) -> dict[str, Any]:
    price = services.cost(source, RenderOptions.from_dict(setup.on(RenderOptions().to_dict())))
    return {
        "key": setup.key,
        "group": setup.group,
        "name": setup.name,
        "why": setup.why,
        "options": setup.options,
        "seconds": round(price.time.seconds, 1) if price.time else None,
        "file_bytes": price.size.bytes,
    }


def require_good(source: Source, options: dict[str, Any]) -> None:
    """Raises ValidationError with every setting that is wrong, under its name."""
    wrong = services.wrong_options(source, options)
    if wrong:
        raise ValidationError({"options": {name: [words] for name, words in wrong.items()}})


class ModelsView(APIView):
    @extend_schema(responses=out.ModelSerializer(many=True), operation_id="models_list")
    def get(self, request: Request) -> Response:
        """The models one can choose for a job; the first is the default."""
        measured = benchmark()
        rows = [asdict(info) | {"benchmark": measured(info.sha256, info.name)} for info in list_models()]
        return Response(out.ModelSerializer(rows, many=True).data)


def benchmark() -> Callable[[str, str], dict[str, Any]]:
    """models/benchmark.json, to be asked by the SHA-256 of weights, or by name where there are none."""
    figures = read_json(models_folder() / "benchmark.json")
    methods = {one["sha256"] or one["name"]: one["name"] for one in figures.get("methods") or []}

    def of(sha256: str, name: str) -> dict[str, Any]:
        key = methods.get(sha256 or name)
        return {place: scores[key] for place, scores in (figures.get("scores") or {}).items() if key in scores}

    return of
