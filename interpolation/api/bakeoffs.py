"""Bake-offs: two models on one clip, judged blind."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from interpolation import services
from interpolation.access import Act, find
from interpolation.models import BakeOff, Job, Preview, Source
from interpolation.services.bakeoffs import SIDES, Stage

from .pairs import PairActions, PairSerializer
from .strict import StrictSerializer
from .views import ScopedCreateMixin


class SideSerializer(serializers.Serializer[Any]):
    film = serializers.URLField(help_text="To watch; empty if it is not kept.", allow_blank=True)
    poster = serializers.URLField(help_text="A picture of it; empty if there is none.", allow_blank=True)


class SidesSerializer(serializers.Serializer[Any]):
    a = SideSerializer()
    b = SideSerializer()


class OneOfTwoSerializer(serializers.Serializer[Any]):
    model = serializers.CharField()
    job = serializers.UUIDField()
    votes = serializers.IntegerField()


class VerdictSerializer(serializers.Serializer[Any]):
    first = OneOfTwoSerializer()
    second = OneOfTwoSerializer()
    ties = serializers.IntegerField()


class BakeOffSerializer(PairSerializer):
    """Tells nothing of which film is whose before `verdict` does."""

    stage = serializers.SerializerMethodField(
        help_text="`drawing`; `blind`: both films are there, to be judged; `revealed`; `broken`: one was not finished."
    )
    models = serializers.SerializerMethodField(help_text="In the order of the alphabet.")
    jobs = serializers.SerializerMethodField(help_text="Both, in an order that says nothing.")
    round = serializers.SerializerMethodField(help_text="The number of the round to judge; null unless `blind`.")
    sides = serializers.SerializerMethodField(
        help_text="While `blind` drawn by lot anew in every round; then A is the first, B the second. Else null."
    )
    votes = serializers.SerializerMethodField(help_text="Rounds judged so far.")
    verdict = serializers.SerializerMethodField(help_text="Null until it is asked for.")

    class Meta:
        model = BakeOff
        fields = (
            "id",
            "source",
            "stage",
            "percent",
            "eta_seconds",
            "models",
            "jobs",
            "round",
            "sides",
            "votes",
            "verdict",
            "created_at",
            "revealed_at",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=Stage.values))
    def get_stage(self, bakeoff: BakeOff) -> str:
        return services.bakeoff_stage(bakeoff).value

    def get_models(self, bakeoff: BakeOff) -> list[str]:
        return sorted(str(job.options.get("model")) for job in (bakeoff.first, bakeoff.second))

    @extend_schema_field(serializers.ListField(child=serializers.UUIDField()))
    def get_jobs(self, bakeoff: BakeOff) -> list[str]:
        return sorted(str(pk) for pk in (bakeoff.first_id, bakeoff.second_id))

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_round(self, bakeoff: BakeOff) -> int | None:
        return services.bakeoff_round(bakeoff) if services.bakeoff_stage(bakeoff) is Stage.BLIND else None

    @extend_schema_field(SidesSerializer(allow_null=True))
    def get_sides(self, bakeoff: BakeOff) -> dict[str, dict[str, str]] | None:
        if services.bakeoff_stage(bakeoff) not in (Stage.BLIND, Stage.REVEALED):
            return None
        return {name: self._side(job) for name, job in zip("ab", services.bakeoff_sides(bakeoff), strict=True)}

    def _side(self, job: Job) -> dict[str, str]:
        files = {preview.kind: preview.file for preview in reversed(job.previews.all())}
        wanted = {"film": files.get(Preview.Kind.VIDEO), "poster": files.get(Preview.Kind.POSTER)}
        build = self.context["request"].build_absolute_uri
        return {name: build(reverse("media", args=[file])) if file else "" for name, file in wanted.items()}

    def get_votes(self, bakeoff: BakeOff) -> int:
        return bakeoff.votes.count()

    @extend_schema_field(VerdictSerializer(allow_null=True))
    def get_verdict(self, bakeoff: BakeOff) -> dict[str, Any] | None:
        if bakeoff.revealed_at is None:
            return None
        tally = services.bakeoff_tally(bakeoff)
        both = {"first": bakeoff.first, "second": bakeoff.second}
        named = {
            name: {"model": job.options.get("model"), "job": str(job.pk), "votes": tally[name]}
            for name, job in both.items()
        }
        return {**named, "ties": tally["tie"]}


class BakeOffCreateSerializer(StrictSerializer):
    source = serializers.UUIDField(help_text="A video.")  # type: ignore[assignment]
    first = serializers.CharField(max_length=80, help_text="A name of `GET /models/`, or `blend`.")
    second = serializers.CharField(max_length=80, help_text="Another one.")


class VoteSerializer(StrictSerializer):
    round = serializers.IntegerField(
        min_value=1, help_text="Its number, from the bake-off. Sent twice, it counts once."
    )
    side = serializers.ChoiceField(choices=SIDES, help_text="Which looks better; `tie`: no difference.")


START = OpenApiExample(
    "Model against cross-fade",
    request_only=True,
    value={"source": "00000000-0000-0000-0000-000000000000", "first": "default", "second": "blend"},
)
JUDGED = OpenApiExample("A is better", request_only=True, value={"round": 1, "side": "a"})
SHOWN = OpenApiExample(
    "To be judged",
    response_only=True,
    value={
        "id": "00000000-0000-0000-0000-000000000001",
        "source": "00000000-0000-0000-0000-000000000000",
        "stage": "blind",
        "percent": 100,
        "eta_seconds": None,
        "models": ["blend", "default"],
        "jobs": ["00000000-0000-0000-0000-000000000002", "00000000-0000-0000-0000-000000000003"],
        "round": 2,
        "sides": {
            name: {"film": f"https://example.org/media/jobs/{number}/preview.mp4", "poster": ""}
            for name, number in (("a", 3), ("b", 2))
        },
        "votes": 1,
        "verdict": None,
        "created_at": "2026-11-26T12:00:00Z",
        "revealed_at": None,
    },
)


class BakeOffViewSet(ScopedCreateMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, PairActions):
    """One's own bake-offs: two models draw ten seconds of a clip at most, and are judged without their names."""

    queryset = BakeOff.objects.none()
    serializer_class = BakeOffSerializer
    create_scope = "job"
    creates = ("create", "retry")

    def get_queryset(self) -> QuerySet[BakeOff]:
        if not self.request:
            return BakeOff.objects.none()  # while the API is described
        return services.pairs_of(BakeOff, self.request.user).prefetch_related(
            "votes", "first__previews", "second__previews"
        )

    @extend_schema(request=BakeOffCreateSerializer, responses={201: BakeOffSerializer}, examples=[START, SHOWN])
    def create(self, request: Request) -> Response:
        """Let both models draw the clip."""
        given = BakeOffCreateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        assert isinstance(request.user, User)
        data = given.validated_data
        source = find(Source.objects.select_related("project"), request.user, Act.CHANGE, data.pop("source"))
        made = services.bakeoff_create(user=request.user, source=source, **data)
        return Response(self.get_serializer(made).data, status.HTTP_201_CREATED)

    @extend_schema(request=VoteSerializer, responses=BakeOffSerializer, examples=[JUDGED, SHOWN])
    @action(detail=True, methods=["post"])
    def vote(self, request: Request, pk: str) -> Response:
        """Judge a round. The answer holds the next one, with its sides."""
        given = VoteSerializer(data=request.data)
        bakeoff = self.get_object()
        given.is_valid(raise_exception=True)
        number, side = given.validated_data["round"], given.validated_data["side"]
        services.bakeoff_vote(bakeoff=bakeoff, number=number, side=side)
        return self.retrieve(request)

    @extend_schema(request=None, responses=BakeOffSerializer)
    @action(detail=True, methods=["post"])
    def reveal(self, request: Request, pk: str) -> Response:
        """Which is which, and how often it won. From then on there are no more votes."""
        services.bakeoff_reveal(bakeoff=self.get_object())
        return self.retrieve(request)
