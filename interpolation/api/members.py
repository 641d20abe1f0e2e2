"""With whom a project is shared."""

from __future__ import annotations

from typing import Any, cast

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from interpolation import services
from interpolation.access import Act, Role, require
from interpolation.models import Member

from .strict import StrictSerializer


class MemberSerializer(serializers.ModelSerializer[Member]):
    username = serializers.CharField(source="user.username", read_only=True)

    class Meta:
        model = Member
        fields = ("id", "username", "role", "created_at")
        read_only_fields = fields


class MemberSetSerializer(StrictSerializer):
    username = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(choices=Role.choices)


class MembersActions:
    """Mixed into the view set of projects."""

    @extend_schema(responses=MemberSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def members(self, request: Request, pk: str) -> Response:
        """Who sees this project besides its owner."""
        found = cast(Any, self).get_object().members.select_related("user")
        return Response(MemberSerializer(found, many=True).data)

    @extend_schema(request=MemberSetSerializer, responses={200: MemberSerializer})
    @members.mapping.post
    def member_set(self, request: Request, pk: str) -> Response:
        """Share the project with somebody, or give them another role. For owners."""
        project = cast(Any, self).get_object()
        require(cast(Any, self).user, Act.MANAGE, project)
        given = MemberSetSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        member = services.member_set(project=project, **given.validated_data)
        return Response(MemberSerializer(member).data)

    @extend_schema(parameters=[OpenApiParameter("member", int, "path")], responses={204: None})
    @action(detail=True, methods=["delete"], url_path=r"members/(?P<member>\d{1,9})")
    def member_remove(self, request: Request, pk: str, member: str) -> Response:
        """Owners remove anybody; everybody may leave."""
        project = cast(Any, self).get_object()
        row = get_object_or_404(Member, project=project, pk=member)
        if row.user_id != cast(Any, self).user.pk:
            require(cast(Any, self).user, Act.MANAGE, project)
        services.member_remove(member=row)
        return Response(status=status.HTTP_204_NO_CONTENT)
