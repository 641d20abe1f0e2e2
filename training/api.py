"""Training runs over the API: reading only; they are started from the page or the command line."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import routers, serializers, viewsets

from . import services
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
    progress = serializers.SerializerMethodField()

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
        )

    @extend_schema_field(TrainingProgressSerializer)
    def get_progress(self, run: TrainingRun) -> dict[str, Any]:
        return services.training_run_progress_view(run)


class TrainingRunDetailSerializer(TrainingRunSerializer):
    epochs = EpochSerializer(many=True, read_only=True)

    class Meta(TrainingRunSerializer.Meta):
        fields = (*TrainingRunSerializer.Meta.fields, "epochs")  # type: ignore[assignment]


class TrainingRunViewSet(viewsets.ReadOnlyModelViewSet[TrainingRun]):
    """Training runs: one's own; staff see all."""

    queryset = TrainingRun.objects.none()
    filterset_fields = ("status",)

    def get_queryset(self) -> QuerySet[TrainingRun]:
        runs = TrainingRun.objects.visible_to(self.request.user).defer("curve")
        return runs.prefetch_related("epochs") if self.detail else runs

    def get_serializer_class(self) -> type[TrainingRunSerializer]:
        return TrainingRunDetailSerializer if self.detail else TrainingRunSerializer


router = routers.SimpleRouter()
router.register("training-runs", TrainingRunViewSet, basename="training-run-api")
urlpatterns = router.urls
