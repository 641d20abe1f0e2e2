"""Presets, one's own and those that are offered for a source; three seconds with two settings."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from interpolation import services
from interpolation.access import Act, find
from interpolation.models import Job, Preset, Source, Trial
from interpolation.services.trials import SIDES

from . import serializers as out
from .options import OptionsSerializer
from .pairs import PairActions, PairSerializer
from .strict import StrictSerializer
from .views import ScopedCreateMixin, require_good


class PresetSerializer(serializers.ModelSerializer[Preset]):
    options = OptionsSerializer()

    class Meta:
        model = Preset
        fields = ("id", "name", "options", "created_at")


class PresetCreateSerializer(StrictSerializer):
    name = serializers.CharField(max_length=60)
    options = OptionsSerializer()


KEPT = OpenApiExample("Animation", request_only=True, value={"name": "Cartoons", "options": {"duplicates": "retime"}})


class PresetViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[Preset]
):
    """One's own presets."""

    queryset = Preset.objects.none()
    serializer_class = PresetSerializer

    def get_queryset(self) -> QuerySet[Preset]:
        return Preset.objects.filter(user=self.request.user.pk)

    @extend_schema(request=PresetCreateSerializer, responses={201: PresetSerializer}, examples=[KEPT])
    def create(self, request: Request) -> Response:
        """Keep options under a name. The same name again replaces them. What belongs to one film (`trim_start`,
        `trim_end`) is not kept."""
        given = PresetCreateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        assert isinstance(request.user, User)
        preset = services.preset_save(user=request.user, **given.validated_data)
        return Response(self.get_serializer(preset).data, status.HTTP_201_CREATED)


class TrialSerializer(PairSerializer):
    status = serializers.SerializerMethodField(help_text="Of both jobs as one: `succeeded` when both are.")

    class Meta:
        model = Trial
        fields = ("id", "source", "first", "second", "status", "percent", "eta_seconds", "promoted", "created_at")

    @extend_schema_field(serializers.ChoiceField(choices=Job.Status.choices))
    def get_status(self, trial: Trial) -> str:
        return self._progress(trial).status


class TrialCreateSerializer(StrictSerializer):
    source = serializers.UUIDField()  # type: ignore[assignment]
    start = serializers.CharField(max_length=40, default="0", help_text='Second of the source: "12.5", "1:02.5".')
    first = OptionsSerializer(default=dict)
    second = OptionsSerializer()


class PromoteSerializer(StrictSerializer):
    side = serializers.ChoiceField(choices=SIDES)


TRY = OpenApiExample(
    "Blend or model",
    request_only=True,
    value={"source": "00000000-0000-0000-0000-000000000000", "start": "4.5", "second": {"duplicates": "retime"}},
)


class TrialViewSet(ScopedCreateMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, PairActions):
    """One's own trials. Both films are jobs with `trial` true."""

    queryset = Trial.objects.none()
    serializer_class = TrialSerializer
    create_scope = "job"
    creates = ("create", "promote", "retry")

    @property
    def user(self) -> User:
        """Who is signed in: the default permission lets nobody else in."""
        assert isinstance(self.request.user, User)
        return self.request.user

    def get_queryset(self) -> QuerySet[Trial]:
        if not self.request:
            return Trial.objects.none()  # while the API is described
        return services.pairs_of(Trial, self.request.user)

    @extend_schema(request=TrialCreateSerializer, responses={201: TrialSerializer}, examples=[TRY])
    def create(self, request: Request) -> Response:
        """Draw three seconds of a source with two settings."""
        given = TrialCreateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        source = find(Source.objects.select_related("project"), request.user, Act.CHANGE, data["source"])
        for side in SIDES:
            require_good(source, data[side])
        made = services.trial_create(
            user=self.user, source=source, start=data["start"], first=dict(data["first"]), second=dict(data["second"])
        )
        return Response(self.get_serializer(made).data, status.HTTP_201_CREATED)

    @extend_schema(request=PromoteSerializer, responses={201: out.JobSerializer})
    @action(detail=True, methods=["post"])
    def promote(self, request: Request, pk: str) -> Response:
        """Start the job on the whole film with the settings of a side."""
        trial = self.get_object()
        given = PromoteSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        trial.source = find(Source.objects.select_related("project"), request.user, Act.CHANGE, trial.source_id)
        job = services.trial_promote(trial=trial, side=given.validated_data["side"], user=self.user)
        return Response(out.JobSerializer(job, context=self.get_serializer_context()).data, status.HTTP_201_CREATED)
