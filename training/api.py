"""Training runs over the API: start, watch, stop, go on."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, routers, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine.nets import ARCHITECTURES

from . import pictures, promotion, services
from .forms import TrainingForm
from .models import Epoch, TrainingRun
from .views import may_promote, picture


class EpochSerializer(serializers.ModelSerializer[Epoch]):
    """Figures on footage kept apart; null where nothing could be."""

    class Meta:
        model = Epoch
        fields = ("number", "step", "loss", "psnr", "ssim", "psnr_blend", "psnr_untrained", "lr", "seconds")


class TrainingProgressSerializer(serializers.Serializer[dict[str, Any]]):
    """How far a run is."""

    status = serializers.ChoiceField(choices=TrainingRun.Status.choices)
    status_display = serializers.CharField()
    stage = serializers.CharField()
    steps_done = serializers.IntegerField()
    steps_total = serializers.IntegerField()
    percent = serializers.IntegerField()
    loss = serializers.FloatField(allow_null=True)
    samples_per_second = serializers.FloatField(allow_null=True)
    eta_seconds = serializers.IntegerField(allow_null=True)
    elapsed_seconds = serializers.IntegerField(allow_null=True)
    best_psnr = serializers.FloatField(allow_null=True)
    cancel_requested = serializers.BooleanField()
    error = serializers.CharField()


class TrainingRunSerializer(serializers.ModelSerializer[TrainingRun]):
    config = serializers.DictField(read_only=True)
    progress = serializers.SerializerMethodField()
    model_name = serializers.CharField(read_only=True)
    epochs = EpochSerializer(many=True, read_only=True)

    class Meta:
        model = TrainingRun
        fields = (
            "id",
            "name",
            "config",
            "progress",
            "model_name",
            "model_sha256",
            "created_at",
            "started_at",
            "finished_at",
            "epochs",
        )
        read_only_fields = fields

    @extend_schema_field(TrainingProgressSerializer)
    def get_progress(self, run: TrainingRun) -> dict[str, Any]:
        return services.training_run_progress_view(run)


class CurveSerializer(serializers.Serializer[Any]):
    """The course of the loss: [step, loss], thinned to some hundred points."""

    curve = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))


class TrainingStartSerializer(serializers.Serializer[Any]):
    """As the page's form; what is left out is as there."""

    name = serializers.CharField(max_length=60, help_text="The model will be called after it.")
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=["synthetic", "uploads", "footage", "both"],
        default="synthetic",
        help_text="`synthetic`: scenes made on the fly; `uploads`: videos of a `project`.",
    )
    project = serializers.UUIDField(required=False, help_text="For `uploads`.")
    data_dir = serializers.CharField(
        required=False, allow_blank=True, max_length=1000, help_text="Folder on the server, for `footage` and `both`."
    )
    photos = serializers.CharField(
        required=False, allow_blank=True, max_length=1000, help_text="Folder of photographs for the scenes."
    )
    arch = serializers.ChoiceField(choices=list(ARCHITECTURES), default="flow_fusion")
    init = serializers.CharField(required=False, allow_blank=True, max_length=80, help_text="Model to start from.")
    epochs = serializers.IntegerField(default=20, min_value=1, max_value=100_000)
    steps_per_epoch = serializers.IntegerField(default=200, min_value=1, max_value=1_000_000)
    batch_size = serializers.IntegerField(required=False, min_value=1, max_value=1024)
    crop = serializers.IntegerField(default=128, min_value=32, max_value=1024, help_text="Pixels; a multiple of 16.")
    lr = serializers.FloatField(required=False, min_value=1e-8, max_value=1.0)
    validation_triplets = serializers.IntegerField(
        required=False, min_value=1, max_value=1000, help_text="Kept apart; every epoch is measured on them."
    )
    max_minutes = serializers.FloatField(required=False, allow_null=True, help_text="Default 60; null: no limit.")

    def to_internal_value(self, data: Any) -> Any:
        """A setting that does not exist is refused: misspelt, it would silently do nothing."""
        unknown = sorted(str(name) for name in set(data) - set(self.fields)) if hasattr(data, "keys") else []
        if unknown:
            words = gettext("There is no such field. Choose of: %(names)s.") % {"names": ", ".join(self.fields)}
            raise serializers.ValidationError({name: [words] for name in unknown})
        return super().to_internal_value(data)


class SeenRowSerializer(serializers.Serializer[Any]):
    psnr = serializers.FloatField()
    pictures = serializers.DictField(child=serializers.URLField(), help_text="JPEGs by name.")


class SeenSerializer(serializers.Serializer[Any]):
    epochs = serializers.ListField(child=serializers.IntegerField(), help_text="Those with pictures.")
    epoch = serializers.IntegerField(allow_null=True)
    rows = SeenRowSerializer(many=True)


class GateSerializer(serializers.Serializer[Any]):
    model = serializers.CharField()
    words = serializers.CharField(help_text="What the benchmark says of it.")
    gain = serializers.FloatField(allow_null=True, help_text="dB over the earlier default, mean over the sets.")


class TrainingFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=TrainingRun.Status.choices, help_text="May be given several times.")
    name = filters.CharFilter(lookup_expr="icontains", help_text="Part of the name.")
    created_after = filters.IsoDateTimeFilter("created_at", "gte")
    created_before = filters.IsoDateTimeFilter("created_at", "lt")


EXAMPLE = OpenApiExample(
    "A short run on scenes made on the fly",
    request_only=True,
    value={"name": "trial", "source": "synthetic", "epochs": 2, "steps_per_epoch": 100, "max_minutes": 10},
)


class TrainingRunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[TrainingRun]):
    """Training runs: one's own; staff see all."""

    queryset = TrainingRun.objects.none()
    serializer_class = TrainingRunSerializer
    filterset_class = TrainingFilter

    def get_queryset(self) -> QuerySet[TrainingRun]:
        runs = TrainingRun.objects.visible_to(self.request.user)
        return (runs if self.action == "curve" else runs.defer("curve")).prefetch_related("epochs")

    @extend_schema(request=TrainingStartSerializer, responses={201: TrainingRunSerializer}, examples=[EXAMPLE])
    def create(self, request: Request) -> Response:
        """Start a run. For administrators, unless the portal lets everybody train (INBETWEEN_TRAINING_FOR_ALL)."""
        user = self._trainer()
        given = TrainingStartSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        form = filled_form(given.validated_data, user)
        if not form.is_valid():
            wrong: Any = {
                name if name != "__all__" else "non_field_errors": list(words) for name, words in form.errors.items()
            }
            raise serializers.ValidationError(wrong)
        run = services.training_run_create(
            owner=user, name=form.cleaned_data["name"], config=form.config(), own=form.own_files
        )
        return Response(self.get_serializer(run).data, status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=TrainingRunSerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str) -> Response:
        """It stops after its present step and keeps the weights so far."""
        run = self.get_object()
        services.training_run_cancel(run=run)
        return Response(self.get_serializer(run).data)

    @extend_schema(request=None, responses=TrainingRunSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """A failed or stopped run goes on where it was saved."""
        run = self.get_object()
        self._trainer()
        services.training_run_requeue(run=run)
        return Response(self.get_serializer(run).data)

    @extend_schema(responses=EpochSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def epochs(self, request: Request, pk: str) -> Response:
        """The figures of every epoch."""
        return Response(EpochSerializer(self.get_object().epochs.all(), many=True).data)

    @extend_schema(responses=CurveSerializer, filters=False)
    @action(detail=True, methods=["get"])
    def curve(self, request: Request, pk: str) -> Response:
        """The course of the loss."""
        return Response(CurveSerializer(self.get_object()).data)

    @extend_schema(responses=SeenSerializer, parameters=[OpenApiParameter("epoch", int)], filters=False)
    @action(detail=True, methods=["get"])
    def pictures(self, request: Request, pk: str) -> Response:
        """What an epoch, or the newest one, draws of the same few triplets: inputs, truth, drawing, error, flow."""
        run, asked = self.get_object(), request.query_params.get("epoch", "")
        seen = pictures.pictures(run.pk, int(asked) if asked.isdecimal() and len(asked) < 9 else None)
        for row in seen["rows"]:
            row["pictures"] = {
                name: request.build_absolute_uri(reverse("api-training-picture", args=[run.pk, file]))
                for name, file in row["pictures"]
            }
        return Response(seen)

    @extend_schema(request=None, responses=GateSerializer)
    @action(detail=True, methods=["post"])
    def promote(self, request: Request, pk: str) -> Response:
        """Make its weights the default model, if the benchmark says that they are better. For administrators."""
        return promoted(request, self.get_object().model_name)

    def _trainer(self) -> User:
        user = self.request.user
        if not isinstance(user, User) or not services.may_start(user):
            raise PermissionDenied(gettext("Only administrators may start training here."))
        return user


def filled_form(given: dict[str, Any], user: User) -> TrainingForm:
    """The page's form, with its own first values where nothing was sent. A model to start from goes by its name."""
    form = TrainingForm(user=user)
    first = {name: field.initial for name, field in form.fields.items() if field.initial is not None}
    chosen = {name: value for name, value in given.items() if value is not None}
    if "max_minutes" in given and given["max_minutes"] is None:
        first.pop("max_minutes")
    starts: Any = form.fields["init"]
    by_name = {label: value for value, label in starts.choices}
    if chosen.get("init"):
        chosen["init"] = by_name.get(chosen["init"], chosen["init"])
    return TrainingForm({**first, **chosen}, user=user)


def promoted(request: Request, name: str) -> Response:
    if not may_promote(request.user):
        raise PermissionDenied(gettext("Only administrators choose the default model."))
    found = promotion.model_promote(name=name, user=cast(User, request.user))
    return Response({"model": name, "words": found.words, "gain": found.gain})


class PromoteView(APIView):
    @extend_schema(request=None, responses=GateSerializer, operation_id="models_promote")
    def post(self, request: Request, name: str) -> Response:
        """Make these weights the default model, if the benchmark says that they are better. For administrators."""
        return promoted(request, name)


class PictureView(APIView):
    @extend_schema(
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY},
        operation_id="training_runs_picture",
        parameters=[OpenApiParameter("pk", OpenApiTypes.UUID, "path"), OpenApiParameter("name", str, "path")],
    )
    def get(self, request: Request, pk: UUID, name: str) -> HttpResponseBase:
        """One picture of a run; its addresses are in `GET /training-runs/ID/pictures/`."""
        return picture(request._request, get_object_or_404(TrainingRun.objects.visible_to(request.user), pk=pk), name)


router = routers.SimpleRouter()
router.register("training-runs", TrainingRunViewSet, basename="training-run-api")
urlpatterns = [
    *router.urls,
    path("training-runs/<uuid:pk>/pictures/<path:name>", PictureView.as_view(), name="api-training-picture"),
    path("models/<str:name>/promote/", PromoteView.as_view(), name="api-model-promote"),
]
