"""Training runs over the API: start, watch, stop, go on."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import mixins, routers, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from engine.nets import ARCHITECTURES

from . import services
from .forms import TrainingForm
from .models import Epoch, TrainingRun


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
        choices=["synthetic", "footage", "both"], default="synthetic", help_text="`synthetic`: scenes made on the fly."
    )
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
    max_minutes = serializers.FloatField(required=False, allow_null=True, help_text="Default 60; null: no limit.")

    def to_internal_value(self, data: Any) -> Any:
        """A setting that does not exist is refused: misspelt, it would silently do nothing."""
        unknown = sorted(str(name) for name in set(data) - set(self.fields)) if hasattr(data, "keys") else []
        if unknown:
            words = f"There is no such field. Choose of: {', '.join(self.fields)}."
            raise serializers.ValidationError({name: [words] for name in unknown})
        return super().to_internal_value(data)


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

    def _trainer(self) -> User:
        user = self.request.user
        if not isinstance(user, User) or not services.may_start(user):
            raise PermissionDenied("Only administrators may start training here.")
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


router = routers.SimpleRouter()
router.register("training-runs", TrainingRunViewSet, basename="training-run-api")
urlpatterns = router.urls
