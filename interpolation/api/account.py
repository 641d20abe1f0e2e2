"""One's own account: limits, what is used of them, tokens; and a token for name and password."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.contrib.auth import authenticate
from django.db.models import QuerySet
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from interpolation import services
from interpolation.models import ApiToken, Job

from . import serializers as out
from .strict import StrictSerializer


class LimitsSerializer(serializers.Serializer[Any]):
    """0: no limit."""

    running_jobs = serializers.IntegerField()
    queued_jobs = serializers.IntegerField()
    storage_bytes = serializers.IntegerField()
    upload_bytes = serializers.IntegerField()
    megapixels = serializers.FloatField()
    minutes = serializers.FloatField()


class StorageSerializer(serializers.Serializer[Any]):
    """Bytes of all projects that are one's own."""

    sources = serializers.IntegerField()
    films = serializers.IntegerField()
    previews = serializers.IntegerField()
    parts = serializers.IntegerField()
    arriving = serializers.IntegerField(help_text="Resumable uploads that have begun, as large as they will be.")
    deleted = serializers.IntegerField(help_text="How much of all this can still be brought back.")
    total = serializers.IntegerField()


class UsageSerializer(serializers.Serializer[Any]):
    running_jobs = serializers.IntegerField()
    queued_jobs = serializers.IntegerField()
    storage = StorageSerializer()


class AccountSerializer(serializers.Serializer[Any]):
    username = serializers.CharField()
    is_staff = serializers.BooleanField()
    limits = LimitsSerializer()
    usage = UsageSerializer()


class AccountView(APIView):
    @extend_schema(responses=AccountSerializer, operation_id="account_retrieve")
    def get(self, request: Request) -> Response:
        """Who one is, what one may take, and how much of it is used."""
        user: Any = request.user
        mine = Job.objects.alive().filter(created_by=user.pk)
        return Response(
            {
                "username": user.username,
                "is_staff": user.is_staff,
                "limits": asdict(services.limits_of(user)),
                "usage": {
                    "running_jobs": mine.filter(status=Job.Status.RUNNING).count(),
                    "queued_jobs": mine.filter(status=Job.Status.QUEUED).count(),
                    "storage": services.storage_of(user).as_dict(),
                },
            }
        )


class ApiTokenSerializer(serializers.ModelSerializer[ApiToken]):
    """A token as far as it is known: only its digest is kept."""

    id = serializers.CharField(source="digest", read_only=True)
    begins_with = serializers.CharField(source="token_key", read_only=True)

    class Meta:
        model = ApiToken
        fields = ("id", "begins_with", "name", "scope", "created", "expiry", "last_used_at")
        read_only_fields = fields


class NewTokenSerializer(StrictSerializer):
    name = serializers.CharField(required=False, max_length=80, allow_blank=True, help_text="What it is for.")
    scope = serializers.ChoiceField(
        choices=ApiToken.Scope.choices, required=False, help_text="`read` looks and downloads only. Default `write`."
    )
    days = serializers.IntegerField(required=False, min_value=1, max_value=36500, help_text="How long it is good.")


class CredentialsSerializer(NewTokenSerializer):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)


class MadeTokenSerializer(out.TokenSerializer):
    """The token is shown here and nowhere else."""

    id = serializers.CharField()
    name = serializers.CharField()
    scope = serializers.ChoiceField(choices=ApiToken.Scope.choices)


def made(user: Any, given: dict[str, Any]) -> Response:
    row, token = services.token_create(user=user, **given)
    shown = {"token": token, "expiry": row.expiry, "id": row.digest, "name": row.name, "scope": row.scope}
    return Response(MadeTokenSerializer(shown).data, status.HTTP_201_CREATED)


class TokenViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[ApiToken]):
    """One's own tokens."""

    queryset = ApiToken.objects.none()
    serializer_class = ApiTokenSerializer
    pagination_class = None
    lookup_value_regex = "[0-9a-f]{20,128}"

    def get_queryset(self) -> QuerySet[ApiToken]:
        return ApiToken.objects.filter(user=self.request.user.pk)

    @extend_schema(request=NewTokenSerializer, responses={201: MadeTokenSerializer})
    def create(self, request: Request) -> Response:
        """One more token. It is shown in the answer and nowhere else."""
        given = NewTokenSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return made(request.user, given.validated_data)

    def perform_destroy(self, instance: ApiToken) -> None:
        """Scripts that use it are refused from now on."""
        services.token_revoke(token=instance)


class TokenView(APIView):
    authentication_classes: list[type] = []
    permission_classes = [AllowAny]
    throttle_scope = "token"

    @extend_schema(
        request=CredentialsSerializer, responses={201: MadeTokenSerializer}, auth=[], operation_id="token_create"
    )
    def post(self, request: Request) -> Response:
        """A token for scripts, by name and password."""
        serializer = CredentialsSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = dict(serializer.validated_data)
        user = authenticate(request._request, username=given.pop("username"), password=given.pop("password"))
        if user is None:
            raise PermissionDenied(gettext("Wrong name or password."))
        return made(user, given)
