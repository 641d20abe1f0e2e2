"""Views of the API."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, PermissionDenied, ValidationError
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from interpolation import services
from interpolation.access import Act, find
from interpolation.models import Job, Project, Source

from . import options
from . import serializers as out
from .access import AccessMixin
from .parts import PartsActions

REFUSED = OpenApiResponse(out.ErrorSerializer, "What is wrong and what to do, in words.")


class UploadRefused(APIException):
    status_code: int = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE

    def __init__(self, words: str, status_code: int | None = None) -> None:
        super().__init__(words)
        self.status_code = status_code or self.status_code


class ScopedCreateMixin:
    """Making something is throttled more tightly than looking."""

    action: str
    create_scope = ""

    @property
    def throttle_scope(self) -> str:
        return self.create_scope if self.action in ("create", "redraw") else ""


@extend_schema_view(destroy=extend_schema(description="Removes the project with all its sources, jobs and files."))
class ProjectViewSet(
    AccessMixin,
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[Project],
):
    queryset = Project.objects.all()
    serializer_class = out.ProjectSerializer
    acts = {"destroy": Act.MANAGE}

    def get_queryset(self) -> QuerySet[Project]:
        return self.visible(Project.objects)

    def perform_create(self, serializer: BaseSerializer[Project]) -> None:
        serializer.instance = services.project_create(owner=self.user, **serializer.validated_data)

    def perform_destroy(self, instance: Project) -> None:
        services.project_delete(project=instance, user=self.user)


class SourceViewSet(
    AccessMixin, ScopedCreateMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Source]
):
    queryset = Source.objects.all()
    serializer_class = out.SourceSerializer
    parser_classes = [MultiPartParser, FormParser, JSONParser]
    filterset_fields = ["project", "kind"]
    create_scope = "upload"

    def get_queryset(self) -> QuerySet[Source]:
        return self.visible(Source.objects)

    @extend_schema(
        request={
            "multipart/form-data": out.SourceCreateSerializer,
            "application/json": out.SourceCreateSerializer,
        },
        responses={201: out.SourceSerializer, 400: REFUSED, 413: REFUSED},
        description="Send as a form one `video` (also a zip of pictures), two pictures as `frame1` and `frame2`, or "
        "many as `pictures`; or ask for the `sample`.",
    )
    def create(self, request: Request) -> Response:
        given = self.read(request)
        project = find(Project.objects.all(), request.user, Act.CHANGE, given["project"])
        source = self.make(project, given)
        return Response(self.get_serializer(source).data, status.HTTP_201_CREATED)

    def read(self, request: Request) -> dict[str, Any]:
        serializer = out.SourceCreateSerializer(data=request.data)
        refused = getattr(request._request, "upload_refused", "")
        if refused:
            raise UploadRefused(refused, getattr(request._request, "upload_status", None))
        serializer.is_valid(raise_exception=True)
        given: dict[str, Any] = serializer.validated_data
        return given

    def make(self, project: Project, given: dict[str, Any]) -> Source:
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


class JobViewSet(
    AccessMixin,
    PartsActions,
    ScopedCreateMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Job],
):
    queryset = Job.objects.all()
    filterset_fields = ["project", "source", "status"]
    create_scope = "job"

    def get_queryset(self) -> QuerySet[Job]:
        jobs = self.visible(Job.objects.all())
        return jobs.without_figures() if self.action == "list" else jobs.prefetch_related("previews")

    def get_serializer_class(self) -> type[BaseSerializer[Job]]:
        return out.JobListSerializer if self.action == "list" else out.JobSerializer

    @extend_schema(
        request=out.JobCreateSerializer, responses={201: out.JobSerializer, 400: REFUSED}, examples=options.EXAMPLES
    )
    def create(self, request: Request) -> Response:
        serializer = out.JobCreateSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        source = find(Source.objects.select_related("project"), request.user, Act.CHANGE, given["source"])
        wrong = services.wrong_options(source, given["options"])
        if wrong:
            raise ValidationError({"options": {name: [words] for name, words in wrong.items()}})
        job = services.job_create(source=source, options=dict(given["options"]), user=self.user)
        return Response(self.get_serializer(job).data, status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={200: out.JobSerializer, 400: REFUSED})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        job = self.get_object()
        services.job_cancel(job=job)
        return Response(self.get_serializer(job).data)

    @extend_schema(request=None, responses={200: out.JobSerializer, 400: REFUSED})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        job = self.get_object()
        services.job_retry(job=job)
        return Response(self.get_serializer(job).data)


class ModelsView(APIView):
    @extend_schema(responses=out.ModelSerializer(many=True), operation_id="models_list")
    def get(self, request: Request) -> Response:
        """The models one can choose for a job; the first is the default."""
        from engine.checkpoint import list_models  # imports torch

        return Response(out.ModelSerializer(list_models(), many=True).data)


class TokenView(APIView):
    """A token for scripts, by name and password."""

    authentication_classes: list[type] = []
    permission_classes = [AllowAny]
    throttle_scope = "token"

    @extend_schema(
        request=out.CredentialsSerializer, responses={201: out.TokenSerializer, 403: REFUSED, 429: REFUSED}, auth=[]
    )
    def post(self, request: Request) -> Response:
        serializer = out.CredentialsSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = authenticate(request._request, **serializer.validated_data)
        if user is None:
            raise PermissionDenied("Wrong name or password.")
        instance, token = services.token_create(user=user)
        return Response({"token": token, "expiry": instance.expiry}, status.HTTP_201_CREATED)
