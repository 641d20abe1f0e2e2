"""What the kinds of problems are, and the answer to addresses that do not exist."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .problems import KINDS, ROOT


class KindSerializer(serializers.Serializer[Any]):
    type = serializers.CharField()
    code = serializers.CharField()
    status = serializers.IntegerField()
    title = serializers.CharField()
    when = serializers.CharField()


class Problems(APIView):
    """The kinds of problems; each one's `type` is an address here."""

    authentication_classes: list[type] = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="problems_list", responses=KindSerializer(many=True), auth=[])
    def get(self, request: Request) -> Response:
        """All kinds of problems that calls are answered with."""
        return Response([describe(code) for code in KINDS])


class OneProblem(Problems):
    @extend_schema(operation_id="problems_retrieve", responses=KindSerializer, auth=[])
    def get(self, request: Request, code: str) -> Response:  # type: ignore[override]
        """What the `type` of a problem means."""
        if code not in KINDS:
            raise Http404
        return Response(describe(code))


def describe(code: str) -> dict[str, Any]:
    kind = KINDS[code]
    return {
        "type": f"{ROOT}problems/{code}/",
        "code": code,
        "status": kind.status,
        "title": _(kind.title),
        "when": _(kind.when),
    }


class Unknown(APIView):
    """Whatever else is under /api/v1/."""

    authentication_classes: list[type] = []
    permission_classes = [AllowAny]
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not request.path.endswith("/"):
            try:
                match = resolve(f"{request.path}/")
            except Resolver404:
                match = None
            if match is not None and match.url_name != "api-unknown":
                raise exceptions.NotFound(
                    _("There is nothing here; %(path)s with the slash at the end is meant.")
                    % {"path": f"{request.path}/"}
                )
        raise exceptions.NotFound(_("There is no such address. /api/docs/ describes all addresses."))
