"""Links under which anybody sees the result of one job."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from interpolation import services
from interpolation.models import ShareLink

from .strict import StrictSerializer

LONGEST = 3650  # days


class LinkSerializer(serializers.ModelSerializer[ShareLink]):
    address = serializers.SerializerMethodField(help_text="What to give to others.")
    has_password = serializers.SerializerMethodField()

    class Meta:
        model = ShareLink
        fields = ("id", "address", "has_password", "expires_at", "opened", "opened_at", "created_at")
        read_only_fields = fields

    def get_address(self, link: ShareLink) -> str:
        return str(self.context["request"].build_absolute_uri(link.get_absolute_url()))

    def get_has_password(self, link: ShareLink) -> bool:
        return bool(link.password)


class LinkCreateSerializer(StrictSerializer):
    days = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=LONGEST, help_text="Null or left out: no end."
    )
    password = serializers.CharField(required=False, allow_blank=True, max_length=1000, trim_whitespace=False)


class LinksActions:
    """Mixed into the view set of jobs. All for owners of the project."""

    @extend_schema(responses=LinkSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def links(self, request: Request, pk: str) -> Response:
        """Links to this job's result that are not revoked."""
        found = cast(Any, self).get_object().share_links.filter(revoked_at__isnull=True)
        return Response(LinkSerializer(found, many=True, context={"request": request}).data)

    @extend_schema(request=LinkCreateSerializer, responses={201: LinkSerializer})
    @links.mapping.post
    def link_create(self, request: Request, pk: str) -> Response:
        """An unlisted address that shows the result to whoever has it."""
        job = cast(Any, self).get_object()
        given = LinkCreateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        days = given.validated_data.get("days")
        link = services.share_link_create(
            job=job,
            user=cast(Any, self).user,
            expires_at=timezone.now() + timedelta(days=days) if days else None,
            password=given.validated_data.get("password", ""),
        )
        return Response(LinkSerializer(link, context={"request": request}).data, status.HTTP_201_CREATED)

    @extend_schema(parameters=[OpenApiParameter("link", OpenApiTypes.UUID, "path")], responses={204: None})
    @action(detail=True, methods=["delete"], url_path=r"links/(?P<link>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
    def link_revoke(self, request: Request, pk: str, link: str) -> Response:
        """It shows nothing any more."""
        found = get_object_or_404(cast(Any, self).get_object().share_links, pk=link)
        services.share_link_revoke(link=found)
        return Response(status=status.HTTP_204_NO_CONTENT)
