"""What has been deleted and can be brought back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from interpolation import services
from interpolation.access import Act, require
from interpolation.models import Job, Project, Source

KINDS: dict[str, tuple[Any, Act, Any]] = {
    "project": (Project, Act.MANAGE, lambda thing: services.project_restore(project=thing)),
    "source": (Source, Act.CHANGE, lambda thing: services.source_restore(source=thing)),
    "job": (Job, Act.CHANGE, lambda thing: services.job_restore(job=thing)),
}


class DeletedSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=list(KINDS))
    id = serializers.UUIDField()
    name = serializers.CharField(help_text="Of a job: of its source.")
    deleted_at = serializers.DateTimeField()


class DeletedView(APIView):
    @extend_schema(responses=DeletedSerializer(many=True), operation_id="deleted_list")
    def get(self, request: Request) -> Response:
        """What can be brought back, the latest deletion first."""
        rows = [
            {
                "kind": kind,
                "id": thing.pk,
                "name": thing.source.name if kind == "job" else thing.name,
                "deleted_at": thing.deleted_at,
            }
            for kind, (model, _, _) in KINDS.items()
            for thing in deleted(model, kind, request)
        ]
        rows.sort(key=lambda row: row["deleted_at"], reverse=True)
        return Response(DeletedSerializer(rows, many=True).data)


def deleted(model: Any, kind: str, request: Request) -> Any:
    found = model.objects.deleted_of(request.user)
    return found.without_figures().select_related("source", "project") if kind == "job" else found


class RestoreView(APIView):
    @extend_schema(
        request=None,
        responses=DeletedSerializer,
        operation_id="deleted_restore",
        parameters=[
            OpenApiParameter("kind", str, "path", enum=list(KINDS)),
            OpenApiParameter("id", OpenApiTypes.UUID, "path"),
        ],
    )
    def post(self, request: Request, kind: str, id: UUID) -> Response:
        """As it was."""
        model, act, restore = KINDS[kind]
        thing = get_object_or_404(deleted(model, kind, request), pk=id)
        require(request.user, act, thing)
        shown = {
            "kind": kind,
            "id": thing.pk,
            "name": thing.source.name if kind == "job" else thing.name,
            "deleted_at": thing.deleted_at,
        }
        restore(thing)
        return Response(DeletedSerializer(shown).data)
