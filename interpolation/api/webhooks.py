"""Who is told when jobs are over, and how that went."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from interpolation import services
from interpolation.access import Act, find, require
from interpolation.models import Delivery, Job, Project, Webhook
from interpolation.services.webhooks import ALL, PING

from .strict import StrictSerializer

EXAMPLE = OpenApiExample(
    "All jobs of a project",
    request_only=True,
    value={"project": "00000000-0000-0000-0000-000000000000", "url": "https://ci.example.org/hooks/inbetween"},
)


class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    secret = serializers.CharField(read_only=True, help_text="With which calls are signed. Keep it to yourself.")
    events = serializers.ListField(child=serializers.ChoiceField(choices=ALL), read_only=True)

    class Meta:
        model = Webhook
        fields = ("id", "project", "job", "url", "secret", "events", "created_at")
        read_only_fields = fields


class WebhookCreateSerializer(StrictSerializer):
    """Either of a `project`, or of one `job`."""

    project = serializers.UUIDField(required=False)
    job = serializers.UUIDField(required=False)
    url = serializers.CharField(max_length=500)
    secret = serializers.CharField(
        required=False, min_length=16, max_length=100, help_text="Left out, a good one is made."
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=ALL),
        required=False,
        max_length=len(ALL),
        help_text="Default: when a job is over, however it went. Trials and bake-offs are for webhooks of projects.",
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if ("project" in data) == ("job" in data):
            raise ValidationError({"project": [gettext("Name either a project or a job.")]})
        return data


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    event = serializers.ChoiceField(choices=[*ALL, PING], read_only=True)

    class Meta:
        model = Delivery
        fields = (
            "id",
            "event",
            "job",
            "trial",
            "bake_off",
            "status",
            "attempts",
            "next_at",
            "answer_status",
            "answer",
            "error",
            "seconds",
            "created_at",
            "finished_at",
        )
        read_only_fields = fields
        extra_kwargs = {
            "answer": {"help_text": "The beginning of what was answered."},
            "error": {"help_text": "Why there was no answer, in words."},
            "next_at": {"help_text": "When it is tried next; null when it is over."},
        }


class WebhookFilter(filters.FilterSet):
    project = filters.UUIDFilter()
    job = filters.UUIDFilter()


class WebhookViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[Webhook]
):
    """Webhooks of one's own, and of projects that one owns; each knows its secret, so others do not see them."""

    queryset = Webhook.objects.none()
    serializer_class = WebhookSerializer
    filterset_class = WebhookFilter

    def get_queryset(self) -> QuerySet[Webhook]:
        mine = Q(created_by=self.request.user.pk) | Q(project__owner=self.request.user.pk)
        return Webhook.objects.filter(mine, project__in=Project.objects.all().reachable_by(self.request.user))

    @extend_schema(request=WebhookCreateSerializer, responses={201: WebhookSerializer}, examples=[EXAMPLE])
    def create(self, request: Request) -> Response:
        """Have an address called when jobs are over. For editors of the project."""
        serializer = WebhookCreateSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = dict(serializer.validated_data)
        job = None
        if "job" in given:
            jobs = Job.objects.without_figures().select_related("project")
            job = find(jobs, request.user, Act.CHANGE, given.pop("job"))
            project = job.project
        else:
            project = find(Project.objects.all(), request.user, Act.CHANGE, given.pop("project"))
        user: Any = request.user
        portal = request.build_absolute_uri("/")
        made = services.webhook_create(project=project, job=job, user=user, portal=portal, **given)
        return Response(self.get_serializer(made).data, status.HTTP_201_CREATED)

    def perform_destroy(self, instance: Webhook) -> None:
        services.webhook_delete(webhook=instance)

    @extend_schema(request=None, responses={202: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def ping(self, request: Request, pk: str) -> Response:
        """Send a message that says nothing, to see whether it arrives. `GET .../deliveries/` says how it went."""
        webhook = self.get_object()
        require(request.user, Act.CHANGE, webhook.project)
        return self._sent(services.webhook_ping(webhook=webhook))

    @extend_schema(responses=DeliverySerializer(many=True), filters=False)
    @action(detail=True, methods=["get"])
    def deliveries(self, request: Request, pk: str) -> Response:
        """What was sent, and what was answered."""
        found: Any = self.get_object().deliveries.defer("payload")
        page: Any = self.paginate_queryset(found)
        return self.get_paginated_response(DeliverySerializer(page, many=True).data)

    @extend_schema(
        request=None,
        responses={202: DeliverySerializer},
        parameters=[OpenApiParameter("delivery", OpenApiTypes.UUID, "path")],
    )
    @action(
        detail=True,
        methods=["post"],
        url_path="deliveries/(?P<delivery>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/repeat",
    )
    def repeat(self, request: Request, pk: str, delivery: str) -> Response:
        """Send it again, with the same words under the same number."""
        webhook = self.get_object()
        require(request.user, Act.CHANGE, webhook.project)
        found = get_object_or_404(webhook.deliveries, pk=delivery)
        services.delivery_repeat(delivery=found)
        return self._sent(found)

    def _sent(self, delivery: Delivery) -> Response:
        return Response(DeliverySerializer(delivery).data, status.HTTP_202_ACCEPTED)
