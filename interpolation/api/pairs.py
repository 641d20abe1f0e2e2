"""What trials and bake-offs have in common in the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from interpolation import services
from interpolation.access import Act, require
from interpolation.models import Job
from interpolation.services.pairs import Pair, PairProgress


class PairSerializer(serializers.ModelSerializer[Any]):
    """How far both films are."""

    percent = serializers.SerializerMethodField(help_text="Of the drawing of both.")
    eta_seconds = serializers.SerializerMethodField(help_text="Until both are drawn; null while nobody knows.")

    def get_percent(self, pair: Pair) -> int:
        return self._progress(pair).percent

    def get_eta_seconds(self, pair: Pair) -> int | None:
        return self._progress(pair).eta_seconds

    def _progress(self, pair: Pair) -> PairProgress:
        context: Any = self.context
        if "outlooks" not in context and Job.Status.QUEUED in (pair.first.status, pair.second.status):
            context["outlooks"] = services.outlooks()  # once for a list
        return services.pair_progress(pair, context.get("outlooks", {}))


class PairActions(viewsets.GenericViewSet[Any]):
    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop drawing. A film that is drawn already stays; `retry` draws the rest."""
        return self._change(request, services.pair_cancel)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Draw again what failed or was cancelled. Parts that were finished are used again."""
        return self._change(request, services.pair_retry)

    def _change(self, request: Request, service: Callable[..., None]) -> Response:
        pair = self.get_object()
        require(request.user, Act.CHANGE, pair.source)
        service(pair=pair)
        return Response(self.get_serializer(self.get_object()).data)
